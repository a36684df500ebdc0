import errno
import multiprocessing
import os
from pathlib import Path

import numpy as np
import pytest
from filelock import FileLock
from small_banks import BYTES, FLOATS, HALVES, fill, keys_of

from seentwice.bank.bank import Bank, open_bank
from seentwice.bank.entries import count_entry, list_entries, remove_entry
from seentwice.bank.recipe import Recipe
from seentwice.bank.segment import Count
from seentwice.errors import UserError


def make_room(bank, rows, recipe=HALVES, needed=frozenset(), on_removal=None):
    with bank.alone([recipe], on_wait=lambda: None):
        bank.make_room({recipe: rows}, needed, on_removal)


def names(bank):
    return [entry.data for entry in sorted(list_entries(bank.folder), key=lambda e: e.data)]


def size_of(bank):
    return sum(entry.bytes for entry in list_entries(bank.folder))


def test_a_bank_tells_what_is_in_it(tmp_path):
    bank = open_bank(tmp_path, 1)
    path = fill(bank, FLOATS, [1, 2, 3], "rooms", used=1000)
    (entry,) = list_entries(tmp_path)
    assert (entry.segment, entry.recipe) == (path, FLOATS)
    assert (entry.data, count_entry(entry), entry.used) == ("rooms", Count(3, 0, 0), 1000)
    assert entry.bytes == sum(file.stat().st_size for file in path.parent.glob(f"{path.name}.*"))


def test_the_least_recently_used_rows_go_first(tmp_path):
    bank = open_bank(tmp_path, 1)
    for number, data in enumerate(["old", "middle", "new"]):
        fill(bank, FLOATS, [number], data, used=1000 + number)
    full, told = Bank(tmp_path, size_of(bank) + 32), []
    make_room(full, 1, on_removal=told.append)
    assert names(bank) == ["middle", "new", "old"]
    assert told == []
    (old,) = [entry for entry in list_entries(tmp_path) if entry.data == "old"]
    make_room(full, 2, on_removal=told.append)
    assert names(bank) == ["middle", "new"]
    assert told == [[old]]


def test_to_take_rows_is_to_use_them(tmp_path):
    bank = open_bank(tmp_path, 1)
    fill(bank, FLOATS, [1], "a", used=1000)
    fill(bank, FLOATS, [2], "b", used=1001)
    bank.open(FLOATS).take(keys_of([1]))
    make_room(Bank(tmp_path, size_of(bank)), 1)
    assert names(bank) == ["a"]


def test_rows_that_the_caller_uses_stay_and_its_own_recipes_others_go(tmp_path):
    bank = open_bank(tmp_path, 1)
    used = fill(bank, FLOATS, [1], "used", used=1000)
    fill(bank, FLOATS, [2], "other", used=1001)
    make_room(Bank(tmp_path, size_of(bank)), 1, FLOATS, needed={used})
    assert names(bank) == ["used"]


@pytest.mark.parametrize(
    ("rows", "needed"), [(50_000_000, "2"), (50_000_001, "2.01"), (32, "1.28e-06")]
)
def test_no_room_is_an_error_that_says_how_much_is_needed(tmp_path, rows, needed):
    with pytest.raises(UserError) as error:
        make_room(open_bank(tmp_path, 1e-6), rows, FLOATS)
    assert str(error.value) == (
        f"bank.max_gb=1e-06: {needed} are needed; raise it, or take fewer photos or edits"
    )


@pytest.mark.parametrize("dtype", ["float32", "float16"])
def test_smaller_rows_are_proposed_where_a_backbone_gives_others(tmp_path, dtype):
    recipe = Recipe("trunk", (("backbone", "vgg16"),), (4,), dtype)
    with pytest.raises(UserError) as error:
        make_room(open_bank(tmp_path, 1e-9), 1, recipe)
    assert ("bank.dtype=float16" in str(error.value)) == (dtype == "float32")


def test_where_there_is_no_room_nothing_is_thrown_away(tmp_path):
    bank = open_bank(tmp_path, 1)
    fill(bank, FLOATS, [1], "old", used=1000)
    used = fill(bank, FLOATS, [2], "used", used=1001)
    full = Bank(tmp_path, size_of(bank))
    with pytest.raises(UserError, match="are needed"):
        make_room(full, 10, needed={used})
    assert names(bank) == ["old", "used"]
    with bank.alone([FLOATS], on_wait=lambda: None), pytest.raises(UserError, match="are needed"):
        make_room(full, 1)
    assert names(bank) == ["old", "used"]


def test_room_that_one_process_has_is_not_given_to_another(tmp_path):
    bank = open_bank(tmp_path, 1e-6)
    with bank.alone([FLOATS], on_wait=lambda: None):
        bank.make_room({FLOATS: 16}, needed=set())
        with pytest.raises(UserError, match=r"bank\.max_gb=1e-06: 1\.12e-06 are needed"):
            make_room(bank, 15)
        make_room(bank, 11)
        with bank.begin_segment(FLOATS, "rooms") as writer:
            writer.append(keys_of(range(16)), np.ones((16, 4)))
        with pytest.raises(UserError, match="are needed"):
            make_room(bank, 15)
        assert names(bank) == ["rooms"]
    make_room(bank, 15)
    assert names(bank) == []


def test_room_of_a_fill_that_was_killed_is_free(tmp_path):
    bank = open_bank(tmp_path, 1e-6)
    folder = fill(bank, FLOATS, [1], "rooms").parent
    (folder / ".reserved").write_text("900")
    make_room(bank, 20)
    with bank.alone([FLOATS], on_wait=lambda: None):
        make_room(bank, 20)
    assert names(bank) == ["rooms"]


@pytest.mark.parametrize("suffix", [".rows", ".json"])
def test_what_is_left_of_a_fill_is_counted_and_thrown_away(tmp_path, suffix):
    bank = open_bank(tmp_path, 1)
    path = fill(bank, FLOATS, [1, 2], "rooms")
    (path.parent / ".0123456789abcdef.partial").write_text("{")
    for file in path.parent.glob(f"{path.name}.*"):
        if file.suffix != suffix:
            file.unlink()
    os.utime(path.with_suffix(suffix), (1000, 1000))
    left = {path.with_suffix(suffix), path.parent / ".0123456789abcdef.partial"}
    entries = list_entries(tmp_path)
    assert [(entry.has_keys, count_entry(entry).found) for entry in entries] == [(False, 0)] * 2
    assert size_of(bank) == sum(file.stat().st_size for file in left)
    make_room(Bank(tmp_path, size_of(bank) + 28), 2, BYTES)
    assert len(list_entries(tmp_path)) == 1  # the older of the two is gone
    with bank.alone([FLOATS], on_wait=lambda: None):
        assert list_entries(tmp_path) == []
    assert not left & set(path.parent.iterdir())


def test_what_is_in_the_folder_besides_is_left_alone(tmp_path):
    bank = open_bank(tmp_path, 1)
    path = fill(bank, FLOATS, [1], "rooms")
    others = [tmp_path / "notes.json", tmp_path / "mine" / "a.rows", path.parent / "photo.rows"]
    for other in others:
        other.parent.mkdir(exist_ok=True)
        other.write_text("mine")
    for entry in list_entries(tmp_path):
        remove_entry(entry)
    fill(bank, FLOATS, [1], "rooms")
    assert all(other.exists() for other in others)
    assert names(bank) == ["rooms"]


def test_what_another_process_fills_is_not_thrown_away(tmp_path):
    bank = open_bank(tmp_path, 1)
    fill(bank, FLOATS, [1], "busy", used=1000)
    fill(bank, HALVES, [1], "idle", used=1001)
    (entry,) = [entry for entry in list_entries(tmp_path) if entry.data == "busy"]
    with bank.alone([FLOATS], on_wait=lambda: None):
        assert not remove_entry(entry)
        make_room(Bank(tmp_path, size_of(bank)), 1, BYTES)
        assert names(bank) == ["busy"]
    assert remove_entry(entry)
    assert names(bank) == []


def test_what_another_account_added_stays_and_counts(tmp_path, monkeypatch):
    bank = open_bank(tmp_path, 1)
    theirs = fill(bank, FLOATS, [1], "theirs", used=1000).parent
    fill(bank, HALVES, [1], "own", used=1001)
    (entry,) = [entry for entry in list_entries(tmp_path) if entry.data == "theirs"]
    acquire, read_text = FileLock.acquire, Path.read_text

    def refuse(path):
        if Path(path) in (theirs / ".lock", theirs / ".reserved"):
            raise PermissionError(13, "Permission denied", str(path))

    def acquire_own(lock, *arguments, **options):
        refuse(lock.lock_file)
        return acquire(lock, *arguments, **options)

    def read_own(path, *arguments):
        refuse(path)
        return read_text(path, *arguments)

    monkeypatch.setattr(FileLock, "acquire", acquire_own)
    monkeypatch.setattr(Path, "read_text", read_own)
    assert not remove_entry(entry)
    make_room(Bank(tmp_path, size_of(bank)), 1, BYTES)
    assert names(bank) == ["theirs"]
    with pytest.raises(UserError, match="are needed"):
        make_room(Bank(tmp_path, size_of(bank)), 1, BYTES)
    with pytest.raises(UserError) as error:
        fill(bank, FLOATS, [2], "more of theirs")
    assert str(error.value) == (
        f"bank.folder={tmp_path}: cannot be written (Permission denied); choose another folder, or "
        "null to keep nothing"
    )


def test_a_folder_of_a_file_system_that_is_mounted_read_only_is_named(tmp_path, monkeypatch):
    bank = open_bank(tmp_path, 1)
    fill(bank, FLOATS, [1], "rooms")

    def refuse(lock, *arguments, **options):
        raise OSError(errno.EROFS, os.strerror(errno.EROFS), lock.lock_file)

    monkeypatch.setattr(FileLock, "acquire", refuse)
    line = rf"bank\.folder={tmp_path}: cannot be written \(Read-only file system\); choose another"
    with pytest.raises(UserError, match=line):
        fill(bank, FLOATS, [2], "rooms")
    with pytest.raises(UserError, match=line):
        bank.make_room({FLOATS: 1}, needed=set())
    assert bank.open(FLOATS).take(keys_of([1])).sum() == 4


def test_every_account_may_make_room(tmp_path):
    before = os.umask(0o077)
    try:
        make_room(open_bank(tmp_path, 1), 1)
    finally:
        os.umask(before)
    assert (tmp_path / ".lock").stat().st_mode & 0o777 == 0o666


def test_nothing_is_reserved_after_a_fill(tmp_path):
    make_room(open_bank(tmp_path, 1), 20)
    assert list(tmp_path.rglob(".reserved")) == []


def _hold(folder, held, release):
    with Bank(folder, 10**9).alone([FLOATS, HALVES], on_wait=lambda: None):
        held.set()
        release.wait(60)


def test_one_process_at_a_time_fills_a_recipe(tmp_path):
    context = multiprocessing.get_context("spawn")
    held, release = context.Event(), context.Event()
    process = context.Process(target=_hold, args=(tmp_path, held, release))
    process.start()
    assert held.wait(60)
    waited = []

    def on_wait():
        waited.append(process.exitcode)
        release.set()

    with open_bank(tmp_path, 1).alone([HALVES, FLOATS], on_wait):
        assert waited  # until the other one let go
    process.join(60)
    assert process.exitcode == 0


def test_a_bank_without_a_folder_goes_when_it_is_not_used_any_more():
    bank = open_bank(None, 1)
    fill(bank, FLOATS, [1, 2], "rooms")
    rows = bank.open(FLOATS).take(keys_of([1, 2]))
    folder = bank.folder
    assert folder.is_dir()
    del bank
    assert not folder.exists()
    assert rows.sum() == 8  # what was mapped stays


def test_a_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match=r"bank\.folder=.*file/bank: cannot be made"):
        open_bank(tmp_path / "file" / "bank", 1)
    with pytest.raises(UserError, match=r"bank\.folder=.*file: is a file; give a folder, or null"):
        open_bank(tmp_path / "file", 1)
