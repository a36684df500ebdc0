import os
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import pytest
from deadly_paths import DeadlyRoot, end_process
from encoding import draw, encode

from seentwice.dedupe import reading
from seentwice.dedupe.looking import Looking, look_at_file
from seentwice.dedupe.reading import SameFile, Updated, read_files, update_table
from seentwice.dedupe.walking import walk_files
from seentwice.errors import UserError
from seentwice.index.photo_row import PhotoRow
from seentwice.index.store import PhotoStore
from seentwice.records import Reason

LIMIT = 1_000_000
NOW = 1_700_000_000


def put(path: Path, seed: int) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(encode(draw(seed, 64, 48), "PNG"))
    os.utime(path, (NOW, NOW))
    return path


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    for seed, key in enumerate(("a.png", "b.png", "c/d.png", "c/e.png")):
        put(folder / key, seed)
    return folder


@pytest.fixture(scope="module")
def pool() -> Iterator[ProcessPoolExecutor]:
    with reading._open_pool(2) as pool:
        yield pool


@pytest.fixture
def one_pool(pool: ProcessPoolExecutor, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let runs share their processes, which take longer to begin than a few files to be read."""
    monkeypatch.setattr(reading, "_open_pool", lambda workers: nullcontext(pool))


shares_pool = pytest.mark.usefixtures("one_pool")


def update(photos: Path, workers: int = 1) -> tuple[Updated, dict[str, PhotoRow]]:
    looking = Looking(photos, "blocks", LIMIT)
    with PhotoStore.open(photos.parent / "index", looking.meta, lambda: None) as store:
        updated = update_table(store, looking, workers, lambda done, total: None)
        with store.snapshot():
            rows = {row.key: row for row in store.read_rows(store.scan(()).places)}
    assert {key: look_at_file(looking, key) for key in rows} == rows
    return updated, rows


def count(updated: Updated) -> tuple[int, int, int]:
    return updated.read, updated.kept, updated.removed


@shares_pool
def test_only_what_is_new_or_has_changed_is_read(photos: Path) -> None:
    updated, rows = update(photos)
    assert count(updated) == (4, 0, 0)
    assert rows.keys() == {"a.png", "b.png", "c/d.png", "c/e.png"}
    assert count(update(photos)[0]) == (0, 4, 0)
    put(photos / "new.png", 9)
    assert count(update(photos)[0]) == (1, 4, 0)


@shares_pool
def test_a_file_that_was_touched_is_read_again(photos: Path) -> None:
    update(photos)
    os.utime(photos / "a.png", ns=(0, NOW * 10**9 + 1))
    updated, rows = update(photos)
    assert count(updated) == (1, 3, 0)
    assert rows["a.png"].modified_ns == NOW * 10**9 + 1


@shares_pool
def test_a_file_that_was_replaced_by_one_of_its_size_and_age_is_read_again(photos: Path) -> None:
    _, before = update(photos)
    other = put(photos.parent / "other.png", 7)
    content = other.read_bytes()
    size = (photos / "a.png").stat().st_size
    other.write_bytes(content[:size].ljust(size, b"\0"))
    os.utime(other, (NOW, NOW))
    other.replace(photos / "a.png")
    updated, rows = update(photos)
    assert count(updated) == (1, 3, 0)
    assert rows["a.png"].sha256 != before["a.png"].sha256
    assert rows["a.png"].size_bytes == before["a.png"].size_bytes


@shares_pool
def test_a_file_that_was_moved_has_its_new_name_alone(photos: Path) -> None:
    _, before = update(photos)
    (photos / "a.png").rename(photos / "c" / "a.png")
    updated, rows = update(photos)
    assert count(updated) == (1, 3, 1)
    assert rows.keys() == {"b.png", "c/a.png", "c/d.png", "c/e.png"}
    assert rows["c/a.png"].sha256 == before["a.png"].sha256


@shares_pool
def test_two_files_that_changed_names_change_rows(photos: Path) -> None:
    _, before = update(photos)
    (photos / "a.png").rename(photos / "spare")
    (photos / "b.png").rename(photos / "a.png")
    (photos / "spare").rename(photos / "b.png")
    updated, rows = update(photos)
    assert count(updated) == (2, 2, 0)
    assert rows["a.png"].sha256 == before["b.png"].sha256


@shares_pool
def test_rows_of_what_is_gone_go(photos: Path) -> None:
    update(photos)
    (photos / "c" / "d.png").unlink()
    (photos / "b.png").rename(photos / ".b.png")
    updated, rows = update(photos)
    assert count(updated) == (0, 2, 2)
    assert rows.keys() == {"a.png", "c/e.png"}
    for key in rows:
        (photos / key).unlink()
    assert count(update(photos)[0]) == (0, 0, 2)
    assert count(update(photos)[0]) == (0, 0, 0)


@shares_pool
def test_a_broken_file_is_not_read_again_until_it_changes(photos: Path) -> None:
    (photos / "a.png").write_bytes(b"no photo")
    _, rows = update(photos)
    assert rows["a.png"].reason == Reason.NOT_AN_IMAGE
    assert count(update(photos)[0]) == (0, 4, 0)
    put(photos / "a.png", 0)
    updated, rows = update(photos)
    assert count(updated) == (1, 3, 0)
    assert rows["a.png"].reason == ""


@shares_pool
def test_names_of_one_file_are_read_once(photos: Path) -> None:
    (photos / "0 link.png").symlink_to("a.png")
    (photos / "z.png").hardlink_to(photos / "a.png")
    updated, rows = update(photos)
    assert count(updated) == (4, 0, 0)
    assert set(updated.same_files) == {
        SameFile("0 link.png", "a.png"),
        SameFile("z.png", "a.png"),
    }
    (photos / "a.png").unlink()
    updated, rows = update(photos)
    assert count(updated) == (1, 3, 1)
    assert set(rows) == {"b.png", "c/d.png", "c/e.png", "z.png"}
    assert updated.same_files == ()
    assert [(problem.path.name, problem.reason) for problem in updated.unreadable] == [
        ("0 link.png", Reason.MISSING)
    ]


@shares_pool
def test_a_link_out_of_the_folder_is_a_photo(photos: Path) -> None:
    put(photos.parent / "outside.png", 5)
    (photos / "l.png").symlink_to("../outside.png")
    updated, rows = update(photos)
    assert count(updated) == (5, 0, 0)
    put(photos.parent / "outside.png", 6).touch()
    updated, after = update(photos)
    assert count(updated) == (1, 4, 0)
    assert after["l.png"].sha256 != rows["l.png"].sha256


def test_a_file_whose_decoder_ends_its_process_is_listed_and_the_rest_read(photos: Path) -> None:
    for number in range(20):
        put(photos / f"{number}.png", number)
    for key in ("deadly.jpg", "deadly too.jpg"):
        put(photos / key, 8)
    looking = Looking(DeadlyRoot(photos), "blocks", LIMIT)
    walked = walk_files(photos)
    numbers = np.argsort([walked.key(number) for number in range(len(walked))])
    rows = [row for rows in read_files(looking, walked, numbers, 2) for row in rows]
    assert [row.key for row in rows] == sorted(row.key for row in rows)
    assert len(rows) == 26
    ended = {row.key: row for row in rows if row.reason}
    assert ended.keys() == {"deadly.jpg", "deadly too.jpg"}
    for row in ended.values():
        assert (row.reason, row.detail) == (Reason.DAMAGED, "its decoder ended the process")
        assert row.size_bytes == (photos / row.key).stat().st_size
    plain = Looking(photos, "blocks", LIMIT)
    assert [row for row in rows if not row.reason] == [
        look_at_file(plain, row.key) for row in rows if not row.reason
    ]


def test_a_file_whose_process_was_ended_by_another_is_read(photos: Path) -> None:
    put(photos / "once.jpg", 8)
    looking = Looking(DeadlyRoot(photos), "blocks", LIMIT)
    walked = walk_files(photos)
    found = read_files(looking, walked, np.arange(len(walked)), 1)
    assert {row.key: row.reason for rows in found for row in rows} == dict.fromkeys(
        ("a.png", "b.png", "c/d.png", "c/e.png", "once.jpg"), ""
    )
    assert (photos / "marked").exists()


def test_where_no_process_begins_no_file_is_blamed(
    photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "_begin", end_process)
    with pytest.raises(UserError, match="no process can be started; is there memory left"):
        update(photos)
    monkeypatch.undo()
    assert count(update(photos)[0]) == (4, 0, 0)


@pytest.mark.parametrize("workers", [1, 2])
def test_files_that_go_or_change_once_they_were_found_are_told(photos: Path, workers: int) -> None:
    put(photos / "f.png", 6)
    walked = walk_files(photos)
    (photos / "a.png").unlink()
    (photos / "b.png").unlink()
    (photos / "b.png").mkdir()
    (photos / "c" / "d.png").unlink()
    os.mkfifo(photos / "c" / "d.png")
    (photos / "c" / "e.png").write_bytes(b"")
    looking = Looking(photos, "blocks", LIMIT)
    found = [
        row for rows in read_files(looking, walked, np.arange(len(walked)), workers) for row in rows
    ]
    assert {row.key: row.reason for row in found} == {
        "a.png": Reason.MISSING,
        "b.png": Reason.NOT_A_FILE,
        "c/d.png": Reason.NOT_A_FILE,
        "c/e.png": Reason.EMPTY,
        "f.png": "",
    }


@shares_pool
def test_what_could_not_be_opened_is_tried_again(photos: Path) -> None:
    looking = Looking(photos, "blocks", LIMIT)
    row = look_at_file(looking, "gone.png")
    assert row.reason == Reason.MISSING
    with PhotoStore.open(photos.parent / "index", looking.meta, lambda: None) as store:
        store.write([row])
    put(photos / "gone.png", 3)
    updated, rows = update(photos)
    assert count(updated) == (5, 0, 0)
    assert rows["gone.png"].reason == ""


@shares_pool
def test_a_photo_that_was_too_large_is_read_with_another_limit(photos: Path) -> None:
    small = Looking(photos, "blocks", 64 * 48 - 1)
    with PhotoStore.open(photos.parent / "index", small.meta, lambda: None) as store:
        update_table(store, small, 1, lambda done, total: None)
        assert {store.read_columns(("reason",))["reason"][n].as_py() for n in range(4)} == {
            Reason.TOO_LARGE.encode()
        }
    updated, rows = update(photos)
    assert count(updated) == (4, 0, 0)
    assert {row.reason for row in rows.values()} == {""}


@shares_pool
def test_a_photo_that_is_too_large_for_another_limit_is_listed(photos: Path) -> None:
    update(photos)
    (photos / "a.png").write_bytes(encode(draw(1, 80, 48), "PNG"))
    update(photos)
    looking = Looking(photos, "blocks", 64 * 48)
    with PhotoStore.open(photos.parent / "index", looking.meta, lambda: None) as store:
        updated = update_table(store, looking, 1, lambda done, total: None)
        found = store.read_columns(("reason",))
        assert found["reason"].to_pylist() == [Reason.TOO_LARGE.value.encode(), b"", b"", b""]
    assert count(updated) == (1, 3, 0)


@shares_pool
def test_progress_counts_the_files_that_are_read(
    photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "_CHUNK", 3)
    monkeypatch.setattr(reading, "_BATCH", 2)
    looking = Looking(photos, "blocks", LIMIT)
    told = []
    with PhotoStore.open(photos.parent / "index", looking.meta, lambda: None) as store:
        update_table(store, looking, 2, lambda done, total: told.append((done, total)))
    assert told == [(3, 4), (4, 4)]


@shares_pool
def test_a_folder_that_is_missing_is_told_and_loses_no_row(photos: Path) -> None:
    update(photos)
    photos.rename(photos.parent / "away")
    with pytest.raises(UserError, match="no such folder"):
        update(photos)
    (photos.parent / "away").rename(photos)
    assert count(update(photos)[0]) == (0, 4, 0)
