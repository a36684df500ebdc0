import json
import signal
import subprocess
import sys
import zlib
from pathlib import Path

import numpy as np
import pytest
from saving_process import make_rows

from seentwice.errors import UserError
from seentwice.files import UnwritableError
from seentwice.index import near_snapshot, row_files, row_segment
from seentwice.index.near_index import NearIndex

SCRIPT = Path(__file__).with_name("saving_process.py")


def save(folder, *versions, label=""):
    """Save an index of rows of some versions, with gaps."""
    index = NearIndex.create(5)
    for version in versions:
        index.add(version * 1000 + np.arange(100), make_rows(version))
    index.remove(np.arange(0, 10_000, 7))
    index.save(folder, label)
    return index


def assert_same(index, other):
    numbers = index.numbers()
    np.testing.assert_array_equal(other.numbers(), numbers)
    np.testing.assert_array_equal(other.read(numbers), index.read(numbers))
    found, again = (each.search(make_rows(9)[:3], 20) for each in (index, other))
    np.testing.assert_array_equal(found.numbers, again.numbers)
    np.testing.assert_array_equal(found.products, again.products)


def list_rows(folder):
    return sorted(path.name for path in folder.glob("*.rows"))


@pytest.mark.parametrize("versions", [(), (1,), (1, 2, 3)])
def test_an_index_is_opened_as_it_was_saved(tmp_path, versions, monkeypatch):
    monkeypatch.setattr(row_files, "_BLOCK", 256)
    saved = save(tmp_path / "a" / "b", *versions, label="of März")
    opened = NearIndex.open(tmp_path / "a" / "b")
    assert (opened.label, opened.dimensions) == ("of März", 5)
    assert_same(saved, opened)


def test_an_opened_index_is_changed_and_saved_again(tmp_path):
    save(tmp_path, 1)
    opened = NearIndex.open(tmp_path)
    opened.add(np.arange(900, 1050), np.ones((150, 5), np.float32))
    opened.remove(np.array([950, 1060]))
    opened.save(tmp_path)
    assert_same(opened, NearIndex.open(tmp_path))


def test_rows_that_are_there_are_not_written_again(tmp_path, monkeypatch):
    monkeypatch.setattr(row_segment, "MOST_MERGED", 100)
    index = save(tmp_path, 1, 2)
    before = list_rows(tmp_path)
    index.add(np.array([5000]), make_rows(3)[:1])
    index.remove(np.array([1001]))
    index.save(tmp_path)
    after = list_rows(tmp_path)
    assert len(before) == 2
    assert set(before) < set(after)
    opened = NearIndex.open(tmp_path)
    assert_same(index, opened)
    opened.save(tmp_path)
    assert list_rows(tmp_path) == after


def test_files_that_no_one_names_go_and_others_stay(tmp_path):
    save(tmp_path, 1, 2)
    before = list_rows(tmp_path)
    (tmp_path / "notes.txt").write_text("mine")
    (tmp_path / ".0123.partial").write_text("of a process that was killed")
    save(tmp_path, 3)
    assert not set(before) & set(list_rows(tmp_path))
    assert sorted(path.suffix for path in tmp_path.iterdir()) == [".json", ".lock", ".rows", ".txt"]


def test_an_opened_index_outlives_what_replaces_it(tmp_path):
    saved = save(tmp_path, 1)
    opened = NearIndex.open(tmp_path)
    save(tmp_path, 2)
    assert_same(saved, opened)
    opened.save(tmp_path)  # its rows are gone from the folder, not from its memory
    assert_same(saved, NearIndex.open(tmp_path))


def test_an_index_may_be_saved_into_two_folders(tmp_path):
    index = save(tmp_path / "one", 1)
    index.save(tmp_path / "two")
    index.save(tmp_path / "one")
    for name in ("one", "two"):
        assert_same(index, NearIndex.open(tmp_path / name))


def test_rows_that_are_added_while_an_index_is_saved_wait_for_the_next(tmp_path, monkeypatch):
    index = NearIndex.create(5)
    index.add(np.arange(100), make_rows(1))
    write = near_snapshot.write_atomically

    def add_and_write(*arguments):
        index.add(np.array([500]), make_rows(2)[:1])
        write(*arguments)

    monkeypatch.setattr(near_snapshot, "write_atomically", add_and_write)
    index.save(tmp_path)
    assert NearIndex.open(tmp_path).numbers().tolist() == list(range(100))
    assert len(index) == 101
    monkeypatch.undo()
    (before,) = list_rows(tmp_path)
    index.save(tmp_path)
    assert before in list_rows(tmp_path)
    assert_same(index, NearIndex.open(tmp_path))


def test_what_is_saved_while_another_opens_is_opened(tmp_path, monkeypatch):
    """The first description names files that are gone by the time that they would be mapped."""
    save(tmp_path, 1)
    read = near_snapshot._read_description
    saved = []

    def read_and_be_late(folder, name=near_snapshot.FILE):
        text = read(folder, name)
        if not saved:
            saved.append(save(tmp_path, 2))
        return text

    monkeypatch.setattr(near_snapshot, "_read_description", read_and_be_late)
    opened = NearIndex.open(tmp_path)
    assert_same(saved[0], opened)


def test_an_index_that_is_kept_before_can_be_gone_back_to_and_forth(tmp_path):
    assert not near_snapshot.go_back(tmp_path)
    first = save(tmp_path, 1, label="first")
    second = NearIndex.create(5)
    second.add(np.arange(9), make_rows(2)[:9])
    second.save(tmp_path, "second", keep_before=True)
    assert near_snapshot.read_labels(tmp_path) == ["second", "first"]
    # What is saved without keeping leaves the way back as it was.
    second.remove(np.arange(3))
    second.save(tmp_path, "third")
    for label, index in (("first", first), ("third", second), ("first", first)):
        assert near_snapshot.go_back(tmp_path)
        opened = NearIndex.open(tmp_path)
        assert opened.label == label
        assert_same(index, opened)
    # A damaged one is nothing to come back to.
    (tmp_path / near_snapshot.FILE).write_text("{")
    assert near_snapshot.go_back(tmp_path)
    assert near_snapshot.read_labels(tmp_path) == ["third", "third"]


@pytest.mark.parametrize("step", ["rows", "described", "removed"])
def test_a_process_that_is_killed_while_it_saves_leaves_a_whole_index(tmp_path, step):
    old = save(tmp_path, 1)
    command = [sys.executable, str(SCRIPT), str(tmp_path), step]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout.readline() == "inside\n"
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert NearIndex.open(tmp_path).numbers().tolist() == (
        old.numbers().tolist() if step != "removed" else list(range(7000, 7100))
    )
    new = save(tmp_path, 4)
    assert_same(new, NearIndex.open(tmp_path))
    assert len(list_rows(tmp_path)) == 1
    assert not list(tmp_path.glob("*.partial"))


def test_a_full_disk_is_told_in_one_line_and_the_old_index_stays(tmp_path):
    old = save(tmp_path, 1)
    command = [sys.executable, str(SCRIPT), str(tmp_path), "full"]
    told = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout
    assert told.count("\n") == 1
    assert told.startswith(f"{tmp_path} cannot be written (")
    assert_same(old, NearIndex.open(tmp_path))


def damage_description(folder):
    file = folder / "near.json"
    file.write_text(file.read_text().replace("dimensions", "dimensionx"))


def garble_description(folder):
    (folder / "near.json").write_bytes(b"\x80{")


def empty_description(folder):
    (folder / "near.json").write_text("[]")


def turn_a_bit(folder):
    (file,) = folder.glob("*.rows")
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)


def cut_rows(folder):
    (file,) = folder.glob("*.rows")
    file.write_bytes(file.read_bytes()[:-1])


def empty_rows(folder):
    (file,) = folder.glob("*.rows")
    file.write_bytes(b"")


def lose_rows(folder):
    (file,) = folder.glob("*.rows")
    file.unlink()


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        (damage_description, "near.json has another sum"),
        (garble_description, "near.json cannot be read"),
        (empty_description, "near.json cannot be read"),
        (turn_a_bit, "has other sums"),
        (cut_rows, "bytes, not "),
        (empty_rows, "has 0 bytes, not "),
        (lose_rows, "a file of rows is missing"),
    ],
)
def test_a_damaged_index_is_refused_in_one_line(tmp_path, damage, told):
    save(tmp_path, 1)
    damage(tmp_path)
    with pytest.raises(UserError) as error:
        NearIndex.open(tmp_path)
    message = str(error.value)
    assert message.startswith(f"{tmp_path}: the index is damaged (")
    assert told in message
    assert message.endswith("; delete this folder and make it again")
    assert_same(save(tmp_path, 2), NearIndex.open(tmp_path))


def test_an_index_of_another_version_is_refused(tmp_path):
    save(tmp_path, 1)
    file = tmp_path / "near.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | {"version": 7}))
    with pytest.raises(UserError, match=r"another version of seentwice \(its rows are 7, this one"):
        NearIndex.open(tmp_path)


def test_a_folder_without_an_index_is_told(tmp_path):
    for folder in (tmp_path, tmp_path / "none", Path(__file__)):
        with pytest.raises(UserError, match=r"holds no index of rows \(near.json\)"):
            NearIndex.open(folder)


def test_a_folder_that_cannot_be_written_is_told(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UnwritableError, match="choose another folder for the index"):
        save(tmp_path / "file", 1)


def test_the_files_are_as_they_are_described(tmp_path):
    index = NearIndex.create(2)
    index.add(np.array([8, 3]), np.array([[1.0, -2.0], [0.1, 3.0]], np.float32))
    index.save(tmp_path)
    (file,) = tmp_path.glob("*.rows")
    content = file.read_bytes()
    assert len(content) == 3 * 64
    assert np.frombuffer(content, "<i8", 2).tolist() == [3, 8]
    upper = np.frombuffer(content, "<u2", 4, 64)
    lower = np.frombuffer(content, "<i2", 4, 128)
    words = (upper.astype(np.int64) << 16) + lower
    assert words.astype(np.uint32).view(np.float32).tolist() == [np.float32(0.1), 3.0, 1.0, -2.0]
    described = json.loads((tmp_path / "near.json").read_text())
    assert described["sum"] == zlib.crc32(described["about"].encode())
    (part,) = json.loads(described["about"])["parts"]
    assert part["sums"] == [zlib.crc32(content[start : start + 64]) for start in (0, 64, 128)]
