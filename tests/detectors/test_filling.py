"""What is decoded, and when: ahead, in batches, after a stop, of copies, beside other processes."""

import threading
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from grey_photos import BROKEN, Disk, Level, Size, make_views, recipe_of, run, value_of

from seentwice.bank.bank import Bank, open_bank
from seentwice.bank.entries import count_entry, list_entries, remove_entry
from seentwice.detectors import filling
from seentwice.errors import UserError
from seentwice.records import Reason


def test_a_photo_that_is_slow_to_decode_keeps_its_place(disk, monkeypatch):
    later = threading.Event()

    def read_photo(path, max_pixels, at_least):
        if path.name == "0":
            assert later.wait(timeout=60)
        later.set()
        return Disk(broken=()).read_photo(path, max_pixels, at_least)

    monkeypatch.setattr(filling, "read_photo", read_photo)
    views = make_views(photos=4)
    assert run(views).rows["level"][:, 0].tolist() == [value_of(view) for view in views]


def test_photos_are_finished_in_batches(disk, monkeypatch):
    monkeypatch.setattr(filling, "BATCH", 6)
    disk.broken = ()
    level = Level()
    run(make_views(photos=5), [level])
    assert level.blocks == [6, 6, 3]  # three views a photo: a photo is never cut in two


def test_a_descriptor_with_threads_keeps_them_and_gets_looks_for_all_of_them(disk, monkeypatch):
    class Threaded(Level):
        looks_at_once = 7
        entered = 0

        def __enter__(self):
            self.entered += 1

        def __exit__(self, *error):
            self.blocks.append("left")

    monkeypatch.setattr(filling, "BATCH", 2)
    disk.broken = ()
    level = Threaded()
    run(make_views(photos=5), [level])
    assert level.entered == 1
    assert level.blocks == [7, 7, 1, "left"]


def test_only_a_bounded_number_of_photos_is_decoded_ahead(disk):
    ahead = []
    disk.broken = ()
    run(
        make_views(photos=25, edits=("",)),
        workers=2,
        on_progress=lambda done, total: ahead.append(len(disk.decoded) - done),
    )
    assert max(ahead) <= 4 * 2


def test_what_the_bank_has_is_neither_decoded_nor_computed_again(disk, tmp_path):
    bank = open_bank(tmp_path, 1)
    first = run(make_views(), bank=bank)
    disk.decoded.clear()
    level = Level()
    again = run(make_views(), [level, Size()], bank=open_bank(tmp_path, 1))
    assert disk.decoded == list(BROKEN)  # which gave nothing that could be kept
    assert level.blocks == []
    for name, rows in first.rows.items():
        np.testing.assert_array_equal(again.rows[name], rows)
    np.testing.assert_array_equal(again.readable, first.readable)
    assert again.unreadable == first.unreadable
    assert (first.decoded, again.decoded) == (8 - len(BROKEN), 0)


def test_only_what_is_missing_is_computed(disk, tmp_path):
    disk.broken = ()
    bank = open_bank(tmp_path, 1)
    run(make_views(photos=3, edits=("",)), [Level()], bank=bank)
    disk.decoded.clear()
    level = Level()
    views = make_views(photos=4, edits=("", "plus:1"))
    described = run(views, [level, Size()], bank=bank)
    assert sorted(disk.decoded) == ["0", "1", "2", "3"]
    assert disk.edited == ["plus:1"] * 4
    assert described.decoded == 4
    assert sum(level.blocks) == 5  # an edited view of each photo, and the fourth as it is
    assert described.rows["level"][:, 0].tolist() == [value_of(view) for view in views]


def test_a_fill_that_was_stopped_goes_on_where_it_was(disk, tmp_path, monkeypatch):
    monkeypatch.setattr(filling, "BATCH", 3)
    disk.broken = ()

    def stop(done, total):
        if done == 5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(make_views(), bank=open_bank(tmp_path, 1), on_progress=stop)
    disk.decoded.clear()
    views = make_views()
    described = run(views, bank=open_bank(tmp_path, 1))
    assert sorted(disk.decoded) == ["5", "6", "7"]
    assert described.rows["level"][:, 0].tolist() == [value_of(view) for view in views]


@pytest.fixture
def copies(disk, monkeypatch):
    """Views of photos 1 to 4, of which the first three have the same bytes."""
    views = make_views(photos=5, edits=("",))[1:]
    contents = [b"same", b"same", b"same", b"other"]
    of_path = {view.photo.path: content for view, content in zip(views, contents, strict=True)}
    monkeypatch.setattr(filling, "digest_file", of_path.__getitem__)
    return views, contents


def test_files_of_the_same_bytes_share_a_row(disk, copies, tmp_path):
    disk.broken = ()
    level, told = Level(), []
    views, contents = copies
    described = run(
        views,
        [level],
        bank=open_bank(tmp_path, 1),
        contents=contents,
        on_progress=lambda *counts: told.append(counts),
    )
    assert (sorted(disk.decoded), level.blocks, described.decoded) == (["1", "4"], [2], 2)
    assert told == [(1, 2), (2, 2)]
    assert described.rows["level"][:, 0].tolist() == [10, 10, 10, 40]
    assert described.readable.all()
    assert [count_entry(entry).found for entry in list_entries(tmp_path)] == [2]


def test_a_copy_is_looked_at_where_the_first_file_gives_none(disk, copies):
    disk.broken = ("1",)
    views, contents = copies
    described = run(views, [Level()], contents=contents)
    assert described.rows["level"][:, 0].tolist() == [20, 20, 20, 40]
    assert described.readable.all()
    assert described.unreadable == ()


def test_copies_that_give_none_are_all_listed(disk, copies):
    disk.broken = ("1", "2", "3")
    views, contents = copies
    described = run(views, [Level()], contents=contents)
    assert described.readable.tolist() == [False, False, False, True]
    assert [file.path.name for file in described.unreadable] == ["1", "2", "3"]
    assert disk.decoded.count("1") == 1


def test_copies_of_a_file_that_gives_none_are_written_once(disk, copies, tmp_path):
    disk.broken = ("1",)
    views, contents = copies
    described = run(views, [Level()], bank=open_bank(tmp_path, 1), contents=contents)
    assert described.decoded == 3
    assert [count_entry(entry).found for entry in list_entries(tmp_path)] == [2]


def with_own_edits(views, contents):
    """Return each view as it is, and with an edit that no other one has; and their contents."""
    edited = [replace(view, edit=f"plus:{view.photo.path}") for view in views]
    pairs = zip(views, edited, strict=True)
    return [view for pair in pairs for view in pair], [one for one in contents for _ in range(2)]


def test_what_a_first_copy_gave_is_not_decoded_again_where_another_gives_none(
    disk, copies, tmp_path
):
    disk.broken = ("2",)
    views, contents = with_own_edits(*copies)
    level = Level()
    described = run(views, [level], bank=open_bank(tmp_path, 1), contents=contents)
    assert sorted(disk.decoded) == ["1", "2", "3", "4"]
    assert described.decoded == 3
    assert sum(level.blocks) == 5
    assert [count_entry(entry).found for entry in list_entries(tmp_path)] == [5]
    assert described.rows["level"][:, 0].tolist() == [10, 11, 10, 0, 10, 33, 40, 44]
    assert described.readable.tolist() == [True, True, True, False, True, True, True, True]
    assert [file.path.name for file in described.unreadable] == ["2"]


def test_a_photo_that_is_decoded_for_a_copy_too_is_counted_once(disk, copies):
    disk.broken = ("1",)
    views, contents = with_own_edits(*copies)
    described = run(views, [Level()], contents=contents)
    assert described.decoded == 3
    assert disk.decoded.count("2") == 2
    assert described.readable.sum() == 7


def test_recipes_that_lack_no_rows_are_left_to_other_processes(disk, tmp_path):
    bank = open_bank(tmp_path, 1)
    disk.broken = ()
    views = make_views(photos=2)
    run(views, [Level()], bank=bank)

    def fail():
        raise AssertionError

    with bank.alone([recipe_of(Level())], fail):
        described = run(views, [Level(), Size()], bank=open_bank(tmp_path, 1), on_wait=fail)
    assert described.readable.all()


def test_that_another_process_fills_the_bank_is_told_once(disk, tmp_path):
    bank = open_bank(tmp_path, 1)
    disk.broken = ()
    waits, told = [], []
    with ExitStack() as other:
        other.enter_context(bank.alone([recipe_of(Level())], lambda: None))

        def on_progress(*counts):
            told.append(counts)
            if told == [(0, 0), (0, 0)]:
                other.close()

        run(
            make_views(photos=2),
            [Level()],
            bank=open_bank(tmp_path, 1),
            on_progress=on_progress,
            on_wait=lambda: waits.append(len(told)),
        )
    assert waits == [0]
    assert told == [(0, 0), (0, 0), (1, 2), (2, 2)]


def test_a_file_that_changed_since_it_was_fingerprinted_is_not_kept(disk, monkeypatch):
    monkeypatch.setattr(
        filling,
        "digest_file",
        lambda path: b"other" if path.name == "3" else f"{path.name}.jpg".encode().ljust(32),
    )
    disk.broken = ()
    described = run(make_views())
    (file,) = described.unreadable
    assert (file.path, file.reason, file.detail) == (
        Path("3"),
        Reason.DAMAGED,
        "the file changed during the run",
    )
    assert described.readable.sum() == 7 * 3


def test_a_file_that_is_gone_after_it_was_read_is_listed(disk, monkeypatch):
    def digest_file(path):
        if path.name == "3":
            raise FileNotFoundError
        return f"{path.name}.jpg".encode().ljust(32)

    monkeypatch.setattr(filling, "digest_file", digest_file)
    disk.broken = ()
    described = run(make_views())
    assert [file.path for file in described.unreadable] == [Path("3")]
    assert described.readable.sum() == 7 * 3


def test_rows_that_are_thrown_away_during_the_run_are_no_zeros(disk, tmp_path):
    disk.broken = ()
    bank = open_bank(tmp_path, 1)
    run(make_views(photos=4), bank=bank)

    def clear(done, total):
        for entry in list_entries(tmp_path):
            remove_entry(entry)
            for file in entry.segment.parent.glob("*.keys"):
                file.unlink()

    with pytest.raises(UserError, match="rows were taken out during the run"):
        run(make_views(photos=5), bank=bank, on_progress=clear)


def test_a_bank_above_its_bound_loses_rows_where_some_are_added_alone(disk, tmp_path):
    disk.broken = ()
    views = make_views(photos=4, edits=("",))
    run(views[:3], [Size()], bank=open_bank(tmp_path, 1))
    run(views[3:], [Size()], bank=open_bank(tmp_path, 1))
    held = sum(entry.bytes for entry in list_entries(tmp_path))
    small, told = Bank(tmp_path, held - 1), []
    run(views[3:], [Size()], bank=small, on_removal=told.append)
    assert told == []
    assert len(list_entries(tmp_path)) == 2
    run(views[3:], bank=Bank(tmp_path, held), on_removal=told.append)
    ((entry,),) = told
    assert (entry.data, len(list_entries(tmp_path))) == ("noise", 2)
