import itertools
import json
import re
from collections import Counter
from pathlib import Path

import imagehash
import numpy as np
import pytest
from PIL import Image
from sklearn.metrics import roc_auc_score

from seentwice.data import rendered_folder, rooms
from seentwice.data.rooms import RoomsSource, write_rooms
from seentwice.errors import UserError
from seentwice.rendering.palettes import ROOM_TYPES

SIZE_PX = (48, 36)


def write_few(root: Path, seed: int = 0, train_places: int = 5, workers: int = 1) -> None:
    write_rooms(root, seed, train_places, 2, 2, SIZE_PX, workers=workers)


def read_all(root: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(root)): path.read_bytes()
        for path in sorted(root.rglob("*"))
        if path.is_file()
    }


def test_layout_is_that_of_the_airbnb_data(tmp_path: Path) -> None:
    root = tmp_path / "deep" / "rooms"
    write_few(root)
    names = sorted(read_all(root))
    assert names.pop() == "rooms.json"
    pattern = r"(Training Data|Test Data)/([a-z-]+)/([a-z]+)_(\d+)_([12])\.jpg"
    parts = [re.fullmatch(pattern, name) for name in names]
    found = [part.groups() for part in parts if part is not None]
    assert len(found) == len(names) == (5 + 2) * 2
    assert {room_type for split, room_type, *_ in found if split == "Training Data"} == set(
        ROOM_TYPES
    )
    assert len({room_id for *_, room_id, _ in found}) == 7
    with Image.open(root / names[0]) as photo:
        assert (photo.size, photo.mode) == (SIZE_PX, "RGB")


def test_number_of_workers_does_not_change_a_byte(tmp_path: Path) -> None:
    write_few(tmp_path / "one", workers=1)
    write_few(tmp_path / "two", workers=2)
    assert read_all(tmp_path / "one") == read_all(tmp_path / "two")


def test_seed_changes_the_photos(tmp_path: Path) -> None:
    write_few(tmp_path / "one", seed=0)
    write_few(tmp_path / "two", seed=1)
    assert read_all(tmp_path / "one").keys() != read_all(tmp_path / "two").keys()


def test_second_call_does_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_few(tmp_path / "rooms")
    before = read_all(tmp_path / "rooms")

    def refuse(*_: object) -> None:
        raise AssertionError("drawn again")

    monkeypatch.setattr(rooms, "_draw_places", refuse)
    write_few(tmp_path / "rooms")
    assert read_all(tmp_path / "rooms") == before


def test_other_parameters_in_the_same_folder_are_an_error(tmp_path: Path) -> None:
    write_few(tmp_path / "rooms")
    with pytest.raises(UserError, match="train_places=5 where train_places=6 is asked for"):
        write_few(tmp_path / "rooms", train_places=6)


def test_other_files_are_never_overwritten(tmp_path: Path) -> None:
    (tmp_path / "rooms").mkdir()
    (tmp_path / "rooms" / "holiday.jpg").write_bytes(b"precious")
    with pytest.raises(UserError, match="choose an empty or a new folder"):
        write_few(tmp_path / "rooms")


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b'{"seed": ', "is not JSON"),
        (b"\xff\xfe", "is not JSON"),
        (b"[1, 2]", "holds no parameters of rooms"),
        (b"null", "holds no parameters of rooms"),
        (b"{}", "seed=None where seed=0 is asked for"),
    ],
)
def test_damaged_parameters_are_an_error(tmp_path: Path, content: bytes, complaint: str) -> None:
    (tmp_path / "rooms").mkdir()
    (tmp_path / "rooms" / "rooms.json").write_bytes(content)
    with pytest.raises(UserError, match=complaint):
        write_few(tmp_path / "rooms")


@pytest.mark.parametrize(
    ("seed", "train_places", "views", "complaint"),
    [
        (-1, 1, 1, "seed is -1; it must be at least 0"),
        (0, -2, 1, "train_places is -2; it must be at least 0"),
        (0, 1, 0, "views_per_place is 0; it must be at least 1"),
    ],
)
def test_numbers_out_of_range_are_errors(
    tmp_path: Path, seed: int, train_places: int, views: int, complaint: str
) -> None:
    with pytest.raises(UserError, match=complaint):
        write_rooms(tmp_path / "rooms", seed, train_places, 1, views, SIZE_PX, workers=1)


@pytest.mark.parametrize("workers", [1, 2])
def test_interrupted_call_leaves_nothing(tmp_path: Path, workers: int) -> None:
    def interrupt(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_rooms(tmp_path / "rooms", 0, 4, 0, 1, SIZE_PX, interrupt, workers)
    assert list(tmp_path.iterdir()) == []


def test_leftover_of_a_killed_call_is_not_taken_for_whole(tmp_path: Path) -> None:
    leftover = tmp_path / ".rooms-killed" / "Training Data"
    leftover.mkdir(parents=True)
    write_few(tmp_path / "rooms")
    assert len(list((tmp_path / "rooms").rglob("*.jpg"))) == 14
    assert leftover.exists()


def test_process_that_finished_first_wins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_few(tmp_path / "first")
    published = rendered_folder.publish

    def publish_late(draft: Path, root: Path) -> None:
        (tmp_path / "first").rename(root)
        published(draft, root)

    monkeypatch.setattr(rendered_folder, "publish", publish_late)
    write_few(tmp_path / "rooms")
    assert [path.name for path in tmp_path.iterdir()] == ["rooms"]


def test_progress_counts_photos_to_the_end(tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    write_rooms(
        tmp_path / "rooms", 0, 2, 1, 3, SIZE_PX, lambda done, total: seen.append((done, total)), 1
    )
    assert seen == [(3, 9), (6, 9), (9, 9)]


def test_parameters_are_written_beside_the_photos(tmp_path: Path) -> None:
    write_few(tmp_path / "rooms", seed=4)
    written = json.loads((tmp_path / "rooms" / "rooms.json").read_text())
    assert (written["seed"], written["width_px"], written["views_per_place"]) == (4, 48, 2)


def test_source_draws_the_rooms_and_reads_their_places(tmp_path: Path) -> None:
    source = RoomsSource(tmp_path / "rooms", 0, 5, 2, 2, *SIZE_PX, workers=1)
    seen: list[tuple[int, int]] = []
    source.prepare(lambda done, total: seen.append((done, total)))
    source.prepare(lambda done, total: pytest.fail("drawn again"))
    assert seen[-1] == (14, 14)
    photo_set = source.read()
    assert photo_set.name == "rooms"
    counts = Counter((photo.split, photo.room_type, photo.place) for photo in photo_set.photos)
    assert set(counts.values()) == {2}
    assert Counter(split for split, *_ in counts) == {"train": 5, "test": 2}
    assert all(place.startswith(f"{room_type}/") for _, room_type, place in counts)


def measure_histogram(photo: Image.Image) -> np.ndarray:
    level = np.asarray(photo).astype(int) // 32
    joint = level[..., 0] * 64 + level[..., 1] * 8 + level[..., 2]
    counts = np.bincount(joint.ravel(), minlength=512)
    return counts / counts.sum()


def test_rooms_of_one_type_confuse_hashes_and_histograms(tmp_path: Path) -> None:
    """If a hash could tell rooms apart, learning on them would prove nothing."""
    write_rooms(tmp_path / "rooms", 0, 0, 30, 5, (160, 120), workers=1)
    paths = sorted((tmp_path / "rooms" / "Test Data").rglob("*.jpg"))
    photos = [Image.open(path).convert("RGB") for path in paths]
    places = [path.stem.rsplit("_", 1)[0] for path in paths]
    pairs = [
        (i, j)
        for i, j in itertools.combinations(range(len(paths)), 2)
        if paths[i].parent == paths[j].parent
    ]
    left, right = np.array(pairs).T
    same = [places[i] == places[j] for i, j in pairs]
    for hasher in (imagehash.average_hash, imagehash.dhash, imagehash.phash, imagehash.whash):
        bits = np.array([hasher(photo).hash.ravel() for photo in photos])
        similarity = -(bits[left] != bits[right]).sum(axis=1)
        assert roc_auc_score(same, similarity) <= 0.65, hasher.__name__
    histograms = np.array([measure_histogram(photo) for photo in photos])
    overlap = np.minimum(histograms[left], histograms[right]).sum(axis=1)
    assert roc_auc_score(same, overlap) <= 0.75
