"""Rows that are not what was written, or are not there any more: told, and computed again."""

import numpy as np
import pytest
from grey_photos import Level, Size, make_views, run

from seentwice.bank.bank import open_bank
from seentwice.bank.entries import count_entry, list_entries
from seentwice.bank.segment import RECORD


def one_file(folder, suffix, name="level"):
    (recipe,) = [
        file for file in folder.rglob("recipe.json") if f'"name": "{name}"' in file.read_text()
    ]
    (file,) = recipe.parent.glob(f"*{suffix}")
    return file


@pytest.mark.parametrize(
    ("suffix", "spoil", "damaged"),
    [
        (".rows", lambda data: np.random.default_rng(0).bytes(len(data)), 4),
        (".rows", lambda data: data[16:32] + data[:16] + data[32:], 2),
        (".rows", lambda data: data[:20], 3),
        (".rows", lambda data: b"", 4),
        (".keys", lambda data: np.random.default_rng(0).bytes(len(data)), 4),
        (".keys", lambda data: np.frombuffer(data, RECORD)["key"].tobytes(), 4),  # as they were
        (".keys", lambda data: data[:30] + b"?" + data[31:], 1),
    ],
)
def test_damaged_rows_are_computed_again_and_told(disk, tmp_path, suffix, spoil, damaged):
    disk.broken = ()
    views = make_views(photos=4, edits=("",))
    run(views, bank=open_bank(tmp_path, 1))
    file = one_file(tmp_path, suffix)
    file.write_bytes(spoil(file.read_bytes()))
    disk.decoded.clear()
    level, size, told = Level(), Size(), []
    again = run(views, [level, size], bank=open_bank(tmp_path, 1), on_damage=told.append)
    assert again.rows["level"][:, 0].tolist() == [0, 10, 20, 30]
    assert (len(disk.decoded), sum(level.blocks), told) == (damaged, damaged, [damaged])
    disk.decoded.clear()
    third = run(views, bank=open_bank(tmp_path, 1), on_damage=told.append)
    assert third.rows["level"][:, 0].tolist() == [0, 10, 20, 30]
    assert (disk.decoded, told) == ([], [damaged])


def test_rows_whose_file_is_gone_are_computed_again_and_told(disk, tmp_path):
    disk.broken = ()
    views = make_views(photos=4, edits=("",))
    run(views, bank=open_bank(tmp_path, 1))
    one_file(tmp_path, ".rows").unlink()
    told = []
    for _ in range(2):
        again = run(views, bank=open_bank(tmp_path, 1), on_damage=told.append)
        assert again.rows["level"][:, 0].tolist() == [0, 10, 20, 30]
    assert told == [4]
    assert [count_entry(entry).found for entry in list_entries(tmp_path)] == [4, 4]


def test_damaged_keys_are_told_of_views_that_are_asked_for(disk, tmp_path):
    disk.broken = ()
    views = make_views(photos=2, edits=("plus:1", ""))
    run(views, [Size()], unedited=[Level()], bank=open_bank(tmp_path, 1))
    one_file(tmp_path, ".keys").write_bytes(b"x" * 48)
    told = []
    run(views, [Size()], unedited=[Level()], bank=open_bank(tmp_path, 1), on_damage=told.append)
    assert told == [2]


def test_a_view_with_several_damaged_rows_is_told_once(disk, tmp_path):
    disk.broken = ()
    views = make_views(photos=4, edits=("",))
    run(views, bank=open_bank(tmp_path, 1))
    for name in ("level", "size"):
        file = one_file(tmp_path, ".rows", name)
        file.write_bytes(bytes(16) + b"?" + file.read_bytes()[17:])
    told = []
    described = run(views, bank=open_bank(tmp_path, 1), on_damage=told.append)
    assert described.rows["level"][:, 0].tolist() == [0, 10, 20, 30]
    assert told == [2]  # the first row of the sizes, which is not 0, and the second of both
