"""Photos of a store become what is recommended from, whatever comes, goes or stops."""

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from made_homes import ABOUT, TAGS

from seentwice.data.source import Progress
from seentwice.dedupe.looking import Looking
from seentwice.dedupe.reading import update_table
from seentwice.errors import UserError
from seentwice.files import digest_file
from seentwice.index.near_index import NearIndex
from seentwice.index.near_snapshot import DamagedIndexError
from seentwice.index.store import PhotoStore
from seentwice.recommend import filling, photo_table, snapshot
from seentwice.recommend.filling import fill_store
from seentwice.recommend.indexing import Brought, update_snapshot
from seentwice.recommend.listing_columns import keep_columns
from seentwice.recommend.listing_table import replace_listings
from seentwice.recommend.photo_reader import SeenPhotos
from seentwice.recommend.recommender import Recommender
from seentwice.recommend.snapshot import (
    FOLDER,
    Snapshot,
    go_back,
    open_snapshot,
    read_about,
    save_snapshot,
)
from seentwice.records import Reason, TagSet, Unreadable

PHOTO_ABOUT = replace(ABOUT, grouping="photo")


@dataclass
class FakeReader:
    """Sees in a file what its bytes say."""

    read_files: list[str]
    fingerprint: str = "made"
    tags: TagSet = TAGS

    def read(self, files: Sequence[Path], on_progress: Progress) -> Iterator[SeenPhotos]:
        for file in files:
            self.read_files.append(file.name)
            if not file.exists():
                yield SeenPhotos(
                    (), np.empty((0, 15), np.float32), (Unreadable(file, Reason.MISSING, "gone"),)
                )
                continue
            rng = np.random.default_rng(int.from_bytes(digest_file(file)[:8]))
            heads = [rng.dirichlet([1.0] * len(head.labels)) for head in TAGS.heads]
            row = np.concatenate([*heads, rng.normal(size=8)]).astype(np.float32)
            yield SeenPhotos((file,), row[np.newaxis], ())


class ShiftedReader(FakeReader):
    """Sees something else in each file."""

    def read(self, files: Sequence[Path], on_progress: Progress) -> Iterator[SeenPhotos]:
        for seen in super().read(files, on_progress):
            yield replace(seen, values=np.roll(seen.values, 1, axis=1))


@pytest.fixture
def photos(few_rooms: Path, tmp_path: Path) -> Path:
    """Five photos, and the first once more."""
    root = tmp_path / "photos"
    root.mkdir()
    for number, file in enumerate(sorted(few_rooms.rglob("*_1.jpg"))[:5]):
        shutil.copy(file, root / f"{number}.jpg")
    shutil.copy(root / "0.jpg", root / "again.jpg")
    return root


@contextmanager
def open_store(root: Path) -> Iterator[PhotoStore]:
    """The store of a folder, beside it, brought up to date."""
    looking = Looking(root, "blocks", 10**8)
    with PhotoStore.open(root.parent / "index", looking.meta, lambda: None) as store:
        update_table(store, looking, 1, lambda done, total: None)
        yield store


def index(root: Path, old: Snapshot | None, reader: FakeReader) -> Brought:
    with open_store(root) as store:
        fill_store(store, root, reader, lambda done, total: None)
        brought = update_snapshot(old, store, PHOTO_ABOUT)
    save_snapshot(root.parent / "index", brought.snapshot)
    return brought


def test_each_file_is_looked_at_once_and_what_is_new_alone(photos: Path) -> None:
    reader = FakeReader([])
    first = index(photos, None, reader)
    assert sorted(reader.read_files) == [f"{number}.jpg" for number in range(5)]
    assert (first.added, first.removed) == (6, 0)
    reader.read_files.clear()
    (photos / "1.jpg").unlink()
    (photos / "2.jpg").rename(photos / "moved.jpg")
    shutil.copy(photos / "3.jpg", photos / "4.jpg")  # another file now
    second = index(photos, open_snapshot(photos.parent / "index"), reader)
    assert reader.read_files == []
    assert (second.added, second.removed) == (2, 3)
    anew = update_anew(photos)
    assert list_rows(second.snapshot) == list_rows(anew)
    third = index(photos, open_snapshot(photos.parent / "index"), reader)
    assert (third.added, third.removed) == (0, 0)


def update_anew(root: Path) -> Snapshot:
    with open_store(root) as store:
        return update_snapshot(None, store, PHOTO_ABOUT).snapshot


def list_rows(snapshot: Snapshot) -> dict[str, tuple[list[int], list[float], bytes]]:
    """What is kept of each photo, by its key."""
    photos = snapshot.photos
    return {
        key: (
            photos.labels[number].tolist(),
            snapshot.near.read(np.array([number]))[0].tolist(),
            photos.digests[number].tobytes(),
        )
        for key, number in photos.number().items()
    }


def test_a_saved_state_opens_as_it_was_and_older_files_are_gone(photos: Path) -> None:
    folder = photos.parent / "index"
    for _ in range(2):
        saved = index(photos, None, FakeReader([])).snapshot
    opened = open_snapshot(folder)
    assert opened.about == saved.about
    assert list_rows(opened) == list_rows(saved)
    assert len(list((folder / FOLDER).glob("photos-*"))) == 1


def test_names_that_are_no_text_and_photos_that_are_gone_are_kept(photos: Path) -> None:
    shutil.copy(photos / "1.jpg", photos / "b\udcff.jpg")
    first = index(photos, None, FakeReader([])).snapshot
    (photos / "0.jpg").unlink()
    index(photos, first, FakeReader([]))
    opened = open_snapshot(photos.parent / "index")
    assert "b\udcff.jpg" in opened.photos.number()
    assert "0.jpg" not in opened.photos.number()


def test_a_run_that_was_stopped_goes_on_where_it_was(
    photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Stopping(FakeReader):
        def read(self, files: Sequence[Path], on_progress: Progress) -> Iterator[SeenPhotos]:
            yield from super().read(files[:3], on_progress)
            raise KeyboardInterrupt

    stopped, after = Stopping([]), FakeReader([])
    with pytest.raises(KeyboardInterrupt):
        index(photos, None, stopped)
    assert len(stopped.read_files) == 3
    assert index(photos, None, after).added == 6
    assert sorted(stopped.read_files + after.read_files) == [f"{n}.jpg" for n in range(5)]


def test_rows_are_written_as_they_come_so_that_a_killed_run_loses_few(
    photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(filling, "_WRITTEN", 2)
    kept: list[int] = []

    class Watching(FakeReader):
        def read(self, files: Sequence[Path], on_progress: Progress) -> Iterator[SeenPhotos]:
            for seen in super().read(files, on_progress):
                kept.append(int(store.has_embeddings("made", digests).sum()))
                yield seen

    with open_store(photos) as store:
        digests = store.scan(("sha256",))["sha256"]
        fill_store(store, photos, Watching([]), lambda done, total: None)
        kept.append(int(store.has_embeddings("made", digests).sum()))
    assert [number - (number > 1) for number in kept] == [0, 0, 2, 2, 4, 5]


def test_a_file_that_changes_meanwhile_is_told_and_not_recommended(photos: Path) -> None:
    class Changing(FakeReader):
        def read(self, files: Sequence[Path], on_progress: Progress) -> Iterator[SeenPhotos]:
            for seen in super().read(files, on_progress):
                if seen.files and seen.files[0].name == "2.jpg":
                    seen.files[0].write_bytes(b"another")
                yield seen

    with open_store(photos) as store:
        filled = fill_store(store, photos, Changing([]), lambda done, total: None)
        found = update_snapshot(None, store, PHOTO_ABOUT)
    assert [(file.path.name, file.reason) for file in filled.unreadable] == [
        ("2.jpg", Reason.CHANGED)
    ]
    assert filled.seen == 4
    assert "2.jpg" not in found.snapshot.photos.number()


def test_a_run_that_ends_while_it_saves_leaves_the_old_state(
    photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = photos.parent / "index"
    before = list_rows(index(photos, None, FakeReader([])).snapshot)
    (photos / "1.jpg").unlink()

    def stop(near: NearIndex, place: Path, label: str, keep_before: bool) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(NearIndex, "save", stop)
        with pytest.raises(KeyboardInterrupt):
            index(photos, open_snapshot(folder), FakeReader([]))
    assert list_rows(open_snapshot(folder)) == before
    # Asked now, the index knows that the photo is gone; the next run keeps that.
    assert len(Recommender.open(folder)) == 5
    index(photos, open_snapshot(folder), FakeReader([]))
    assert len(list_rows(open_snapshot(folder))) == 5
    assert len(list((folder / FOLDER).glob("photos-*"))) == 1


def test_another_reader_makes_the_state_anew(photos: Path) -> None:
    first = index(photos, None, FakeReader([])).snapshot
    with open_store(photos) as store:
        fill_store(store, photos, FakeReader([], "other"), lambda done, total: None)
        about = replace(PHOTO_ABOUT, fingerprint="other")
        assert update_snapshot(first, store, about).added == 6
        with pytest.raises(UserError, match="no photo to recommend"):
            update_snapshot(first, store, replace(PHOTO_ABOUT, fingerprint="third"))


def test_an_index_opens_with_the_photos_that_its_store_has_by_now(photos: Path) -> None:
    index(photos, None, FakeReader([]))
    folder = photos.parent / "index"
    assert len(Recommender.open(folder)) == 6
    (photos / "3.jpg").unlink()
    shutil.copy(photos / "1.jpg", photos / "more.jpg")
    with open_store(photos):
        homes = Recommender.open(folder)
    found = homes.recommend(homes.ask_about("1.jpg"), 10)
    assert {one.photo for one in found} == {"0.jpg", "2.jpg", "4.jpg", "again.jpg", "more.jpg"}
    assert (found[0].photo, found[0].visual_similarity) == ("more.jpg", 1.0)


@pytest.mark.parametrize("damage", ["cut", "flipped", "gone"])
def test_a_damaged_state_is_told_and_what_it_was_made_with_is_known(
    photos: Path, damage: str
) -> None:
    saved = index(photos, None, FakeReader([])).snapshot
    folder = photos.parent / "index"
    (file,) = (folder / FOLDER).glob("photos-*")
    data = file.read_bytes()
    if damage == "gone":
        file.unlink()
    else:
        file.write_bytes(data[:-10] if damage == "cut" else data[:-10] + b"?" + data[-9:])
    with pytest.raises(DamagedIndexError, match=r"is damaged .* run seentwice index again") as told:
        Recommender.open(folder)
    assert "\n" not in str(told.value)
    assert read_about(folder) == saved.about
    index(photos, None, FakeReader([]))
    assert len(Recommender.open(folder)) == 6


def test_a_state_of_another_version_is_told_and_is_no_damage(
    photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = photos.parent / "index"
    with monkeypatch.context() as patch:
        patch.setattr(snapshot, "_VERSION", 9)
        index(photos, None, FakeReader([]))
    with pytest.raises(UserError, match=r"is of version 9, .* use that version") as caught:
        open_snapshot(folder)
    assert not isinstance(caught.value, DamagedIndexError)


def test_the_state_before_another_reader_can_be_gone_back_to_and_come_back_from(
    photos: Path,
) -> None:
    folder = photos.parent / "index"
    first = list_rows(index(photos, None, FakeReader([])).snapshot)
    with pytest.raises(UserError, match="nothing to go back to"):
        go_back(folder)
    replace_listings(folder / "listings-a.sqlite", [])
    keep_columns(folder / "listings-a.sqlite")
    with open_store(photos) as store:
        fill_store(store, photos, ShiftedReader([], "other"), lambda done, total: None)
        about = replace(PHOTO_ABOUT, fingerprint="other", listings="listings-a.sqlite")
        brought = update_snapshot(open_snapshot(folder), store, about)
        save_snapshot(folder, brought.snapshot)
    second = list_rows(open_snapshot(folder))
    assert second != first
    # What comes of new photos alone is no other state.
    (photos / "4.jpg").unlink()
    with open_store(photos) as store:
        save_snapshot(folder, update_snapshot(open_snapshot(folder), store, about).snapshot)
    assert go_back(folder).fingerprint == "made"
    assert list_rows(open_snapshot(folder)) == first
    assert len(Recommender.open(folder)) == 5  # the photo is gone all the same
    assert go_back(folder).fingerprint == "other"
    second.pop("4.jpg")
    assert list_rows(open_snapshot(folder)) == second
    assert (folder / "listings-a.sqlite").is_file()
    # Files that neither state names are gone with the next change.
    for number in range(2):
        replace_listings(folder / f"listings-b{number}.sqlite", [])
        keep_columns(folder / f"listings-b{number}.sqlite")
        about = replace(about, listings=f"listings-b{number}.sqlite")
        with open_store(photos) as store:
            save_snapshot(folder, update_snapshot(open_snapshot(folder), store, about).snapshot)
    tables = sorted(path.name for path in folder.glob("listings*"))
    kinds = ("safetensors", "sqlite")
    assert tables == [f"listings-b{number}.{kind}" for number in range(2) for kind in kinds]
    assert len(list((folder / FOLDER).glob("photos-*"))) == 2
    assert go_back(folder).listings == "listings-b0.sqlite"
    # One that is damaged is not gone back to.
    label = open_snapshot(folder).near.label
    for path in (folder / FOLDER).glob("photos-*"):
        if label not in path.name:
            path.unlink()
    with pytest.raises(DamagedIndexError):
        go_back(folder)
    assert open_snapshot(folder).near.label == label


def test_what_others_write_to_the_store_costs_no_look_at_each_photo(
    photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    index(photos, None, FakeReader([]))
    shutil.copy(photos / "0.jpg", photos / "new.jpg")
    with open_store(photos) as store:
        decoded: list[bytes] = []
        decode = photo_table.decode_text

        def count(data: bytes) -> str:
            decoded.append(data)
            return decode(data)

        monkeypatch.setattr(photo_table, "decode_text", count)
        old = open_snapshot(photos.parent / "index")
        assert update_snapshot(old, store, PHOTO_ABOUT).added == 1
        assert decoded == [b"new.jpg"]


def test_what_is_missing_is_found_without_what_was_seen(
    photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open_store(photos) as store:
        fill_store(store, photos, FakeReader([]), lambda done, total: None)
        monkeypatch.delattr(PhotoStore, "read_embeddings")
        assert fill_store(store, photos, FakeReader([]), lambda done, total: None).seen == 0


def test_an_index_that_dedupe_made_has_nothing_to_recommend_from(photos: Path) -> None:
    with open_store(photos):
        pass
    with pytest.raises(UserError, match="make it with seentwice index"):
        Recommender.open(photos.parent / "index")
