import errno
import os
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seentwice.bank import shelf as shelf_module
from seentwice.bank.recipe import KEY, Recipe
from seentwice.bank.segment import KEYS, RECORD, ROWS, SegmentWriter
from seentwice.bank.shelf import open_shelf
from seentwice.files import UnwritableError

RECIPE = Recipe("level", (), (2,), "float32")


def keys_of(numbers):
    """Keys that hold zeros, also at their end."""
    return np.array([[n, 0] for n in numbers], "<u8").reshape(-1, 2).view(KEY).ravel()


def rows_of(numbers):
    return np.array([[n, n / 2] for n in numbers], np.float32).reshape(-1, 2)


def write(folder, name, numbers, recipe=RECIPE):
    with SegmentWriter(folder / name, recipe, "rooms") as writer:
        writer.append(keys_of(numbers), rows_of(numbers))


@given(
    segments=st.lists(st.lists(st.integers(0, 30), unique=True, max_size=8), max_size=4),
    asked=st.lists(st.integers(0, 30), max_size=20),
)
def test_rows_are_those_of_a_dictionary(tmp_path_factory, segments, asked):
    folder = tmp_path_factory.mktemp("shelf")
    for number, numbers in enumerate(segments):
        write(folder, str(number), numbers)
    known = {n for numbers in segments for n in numbers}
    shelf = open_shelf(folder, RECIPE)
    keys = keys_of(asked)
    np.testing.assert_array_equal(shelf.find(keys) >= 0, [n in known for n in asked])
    np.testing.assert_array_equal(
        shelf.take(keys), rows_of([n if n in known else 0 for n in asked])
    )


def test_rows_that_stand_side_by_side_are_mapped_and_not_copied(tmp_path):
    write(tmp_path, "a", [1, 2, 3, 4])
    write(tmp_path, "b", [5, 6])
    shelf = open_shelf(tmp_path, RECIPE)
    mapped = shelf.take(keys_of([2, 3]))
    assert isinstance(mapped.base, np.memmap)
    np.testing.assert_array_equal(mapped, rows_of([2, 3]))
    copied = shelf.take(keys_of([4, 5]))  # side by side in the order of all, but in two files
    assert not isinstance(copied.base, np.memmap)
    np.testing.assert_array_equal(copied, rows_of([4, 5]))


@pytest.mark.parametrize("block", [1, 8, 16, 1000])
def test_many_rows_are_gathered_in_a_file_of_the_bank_block_by_block(tmp_path, monkeypatch, block):
    write(tmp_path, "a", [1, 2, 3])
    write(tmp_path, "b", [4, 5])
    monkeypatch.setattr(shelf_module, "_IN_MEMORY", 8)
    monkeypatch.setattr(shelf_module, "_BLOCK", block)
    make_file, folders = tempfile.TemporaryFile, []
    monkeypatch.setattr(
        "tempfile.TemporaryFile", lambda dir: folders.append(dir) or make_file(dir=dir)
    )
    rows = open_shelf(tmp_path, RECIPE).take(keys_of([4, 9, 1, 5, 2]))
    assert isinstance(rows, np.memmap)
    np.testing.assert_array_equal(rows, rows_of([4, 0, 1, 5, 2]))
    assert folders == [tmp_path]
    rows[0] = 7  # torch wants arrays that could be written to


def test_rows_of_a_bank_that_is_not_ours_to_write_are_gathered_elsewhere(tmp_path, monkeypatch):
    write(tmp_path, "a", [1, 2])
    monkeypatch.setattr(shelf_module, "_IN_MEMORY", 8)
    monkeypatch.setattr("os.access", lambda path, mode: False)
    monkeypatch.setattr("tempfile.gettempdir", lambda: str(tmp_path / "none"))
    with pytest.raises(UnwritableError, match=r"/none \(No such file or directory\)"):
        open_shelf(tmp_path, RECIPE).take(keys_of([2, 1]))


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full")
def test_rows_that_the_disk_has_no_room_for_are_an_error(tmp_path, monkeypatch):
    write(tmp_path, "a", [1, 2])
    monkeypatch.setattr(shelf_module, "_IN_MEMORY", 8)
    with Path("/dev/full").open("wb", buffering=0) as full:
        monkeypatch.setattr("tempfile.TemporaryFile", lambda dir: full)
        with pytest.raises(UnwritableError, match=r"make room there, or choose another bank\.fold"):
            open_shelf(tmp_path, RECIPE).take(keys_of([2, 1]))


def test_what_is_written_into_mapped_rows_does_not_reach_the_file(tmp_path):
    write(tmp_path, "a", [1, 2])
    open_shelf(tmp_path, RECIPE).take(keys_of([1, 2]))[:] = 0
    np.testing.assert_array_equal(
        open_shelf(tmp_path, RECIPE).take(keys_of([1, 2])), rows_of([1, 2])
    )


@pytest.mark.parametrize("lost", [1, 7, 8, 9, 20])
def test_a_row_that_is_not_whole_is_not_there(tmp_path, lost):
    write(tmp_path, "a", [1, 2, 3])
    file = tmp_path / f"a{ROWS}"
    file.write_bytes(file.read_bytes()[:-lost])
    shelf = open_shelf(tmp_path, RECIPE)
    whole = (24 - lost) // 8
    np.testing.assert_array_equal(shelf.find(keys_of([1, 2, 3])) >= 0, np.arange(3) < whole)
    np.testing.assert_array_equal(
        shelf.take(keys_of([1, 2, 3])), rows_of([1, 2, 3][:whole] + [0] * (3 - whole))
    )


@pytest.mark.parametrize("lost", [1, 23, 24, 25, 72])
def test_a_row_whose_key_is_not_whole_is_not_there(tmp_path, lost):
    write(tmp_path, "a", [1, 2, 3])
    file = tmp_path / f"a{KEYS}"
    file.write_bytes(file.read_bytes()[:-lost])
    found = open_shelf(tmp_path, RECIPE).find(keys_of([1, 2, 3])) >= 0
    np.testing.assert_array_equal(found, np.arange(3) < (72 - lost) // 24)


def test_a_key_is_written_after_its_row(tmp_path, monkeypatch):
    """A fill that ends between the two leaves no key of a row that is not there."""
    writer = SegmentWriter(tmp_path / "a", RECIPE, "rooms")
    synced = []
    with writer:
        writer.append(keys_of([0]), rows_of([0]))
        monkeypatch.setattr(
            "os.fsync", lambda fd: synced.append((tmp_path / f"a{KEYS}").stat().st_size)
        )
        writer.append(keys_of([1]), rows_of([1]))
    assert synced == [24, 48]


def test_a_full_disk_is_one_line_that_names_the_folder(tmp_path, monkeypatch):
    """After it nothing is added: what was written of the last row would shift those behind it."""
    write_some = os.write

    def fail(descriptor, data):
        if len(data) < 8:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return write_some(descriptor, data[:5])

    with SegmentWriter(tmp_path / "a", RECIPE, "rooms") as writer:
        writer.append(keys_of([5]), rows_of([5]))
        with monkeypatch.context() as patch:
            patch.setattr("os.write", fail)
            with pytest.raises(UnwritableError) as error:
                writer.append(keys_of([6]), rows_of([6]))
        with pytest.raises(ValueError, match="ends with what could not be written"):
            writer.append(keys_of([7]), rows_of([7]))
    assert str(error.value) == (
        f"rows cannot be written in {tmp_path} (No space left on device); make room there, or "
        "choose another bank.folder"
    )
    np.testing.assert_array_equal(
        open_shelf(tmp_path, RECIPE).take(keys_of([5, 6, 7])), rows_of([5, 0, 0])
    )


@pytest.mark.parametrize("rows", [np.ones((2, 2)), np.ones((1, 3)), np.ones(2)])
def test_rows_of_another_shape_are_refused(tmp_path, rows):
    with (
        SegmentWriter(tmp_path / "a", RECIPE, "rooms") as writer,
        pytest.raises(ValueError, match=r"1 keys, \(2,\) a row: got "),
    ):
        writer.append(keys_of([1]), rows)
    assert list(tmp_path.iterdir()) == []


def test_a_missing_folder_holds_nothing(tmp_path):
    assert (open_shelf(tmp_path / "none", RECIPE).find(keys_of([1, 2])) == -1).all()


def test_rows_stay_readable_when_their_files_are_gone(tmp_path):
    write(tmp_path, "a", [1, 2])
    shelf = open_shelf(tmp_path, RECIPE)
    for file in tmp_path.iterdir():
        file.unlink()
    np.testing.assert_array_equal(shelf.take(keys_of([2, 1])), rows_of([2, 1]))


def test_a_segment_without_rows_leaves_no_files(tmp_path):
    with SegmentWriter(tmp_path / "a", RECIPE, "rooms"):
        pass
    assert list(tmp_path.iterdir()) == []


def spoil(file, first, data):
    content = bytearray(file.read_bytes())
    content[first : first + len(data)] = data
    file.write_bytes(content)


def test_rows_that_are_not_what_was_written_are_damaged_and_no_others_are(tmp_path):
    write(tmp_path, "a", [1, 2, 3, 4])
    write(tmp_path, "b", [5, 6])
    spoil(tmp_path / f"a{ROWS}", 8, np.roll(rows_of([2, 3]), 1, axis=0).tobytes())
    spoil(tmp_path / f"b{ROWS}", 15, b"\x01")
    shelf = open_shelf(tmp_path, RECIPE)
    keys = keys_of([6, 9, 5, 4, 3, 2, 1])
    assert shelf.damaged(keys).tolist() == [True, False, False, False, True, True, False]
    assert shelf.lost == 0
    shelf.forget(keys_of([3, 2, 6]))
    left = open_shelf(tmp_path, RECIPE)
    assert (left.find(keys) >= 0).tolist() == [False, False, True, True, False, False, True]
    assert not left.damaged(keys).any()
    np.testing.assert_array_equal(left.take(keys_of([1, 4, 5])), rows_of([1, 4, 5]))


@pytest.mark.parametrize("suffix", [KEYS, ROWS])
@given(bit=st.integers(0, 3 * 64 - 1))
def test_one_wrong_bit_is_noticed(tmp_path_factory, suffix, bit):
    folder = tmp_path_factory.mktemp("shelf")
    write(folder, "a", [1, 2, 3])
    file = folder / f"a{suffix}"
    content = bytearray(file.read_bytes())
    content[bit // 8] ^= 1 << bit % 8
    file.write_bytes(content)
    shelf = open_shelf(folder, RECIPE)
    assert shelf.damaged(keys_of([1, 2, 3])).sum() + shelf.lost == 1


@pytest.mark.parametrize("sound", [0, 2])
def test_damaged_records_are_lost_and_thrown_away(tmp_path, sound):
    write(tmp_path, "a", [1, 2, 3])
    spoil(tmp_path / f"a{KEYS}", sound * RECORD.itemsize, b"garbage" * (72 // 7))
    file = tmp_path / f"a{KEYS}"
    file.write_bytes(file.read_bytes()[:72])
    shelf = open_shelf(tmp_path, RECIPE)
    assert (shelf.find(keys_of([1, 2, 3])) >= 0).tolist() == [n < sound for n in range(3)]
    assert shelf.lost == 3 - sound
    shelf.forget(keys_of([]))
    left = open_shelf(tmp_path, RECIPE)
    assert left.lost == 0
    np.testing.assert_array_equal(left.find(keys_of([1, 2])), [0, 1] if sound else [-1, -1])


def test_rows_that_were_cut_off_are_lost(tmp_path):
    write(tmp_path, "a", [1, 2, 3])
    os.truncate(tmp_path / f"a{ROWS}", 15)
    shelf = open_shelf(tmp_path, RECIPE)
    assert shelf.lost == 2
    shelf.forget(keys_of([]))
    assert open_shelf(tmp_path, RECIPE).lost == 0


def test_rows_whose_file_is_gone_are_lost(tmp_path):
    write(tmp_path, "a", [1, 2, 3])
    write(tmp_path, "b", [3, 4])
    (tmp_path / f"a{ROWS}").unlink()
    shelf = open_shelf(tmp_path, RECIPE)
    keys = keys_of([1, 2, 3, 4])
    assert (shelf.find(keys) >= 0).tolist() == [False, False, True, True]
    assert (shelf.lost, shelf.damaged(keys).any()) == (3, False)
    np.testing.assert_array_equal(shelf.take(keys_of([4, 3])), rows_of([4, 3]))
    shelf.forget(keys_of([]))
    assert open_shelf(tmp_path, RECIPE).lost == 0


def test_rows_that_another_process_throws_away_meanwhile_are_not_lost(tmp_path, monkeypatch):
    write(tmp_path, "a", [1, 2, 3])
    read_bytes = Path.read_bytes

    def read_and_throw_away(path):
        data = read_bytes(path)
        path.unlink()
        path.with_suffix(ROWS).unlink()
        return data

    monkeypatch.setattr(Path, "read_bytes", read_and_throw_away)
    shelf = open_shelf(tmp_path, RECIPE)
    assert (shelf.segments, shelf.lost) == ((), 0)


@pytest.mark.parametrize("records", [b"\0" * 48, b"\0" * 5, b"x" * 23])
def test_what_an_interrupted_append_left_is_no_damage(tmp_path, records):
    """Rows without records, and of those a part or, after a loss of power, zeros."""
    write(tmp_path, "a", [1, 2])
    for suffix, data in ((ROWS, b"\x01" * 11), (KEYS, records)):
        with (tmp_path / f"a{suffix}").open("ab") as file:
            file.write(data)
    shelf = open_shelf(tmp_path, RECIPE)
    keys = keys_of([1, 2, 0])
    assert (shelf.find(keys) >= 0).tolist() == [True, True, False]
    assert (shelf.lost, shelf.damaged(keys).any()) == (0, False)
