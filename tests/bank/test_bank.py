import multiprocessing
import os

import numpy as np
import pytest

from seentwice.bank.bank import Bank, list_entries, open_bank, remove_entry
from seentwice.bank.recipe import KEY, Recipe
from seentwice.bank.segment import ABOUT
from seentwice.errors import UserError

FLOATS = Recipe("trunk", (("weights", "abc"),), (4,), "float32")
HALVES = Recipe("trunk", (("weights", "abc"),), (4,), "float16")


def keys_of(numbers):
    return np.array([[n, 1] for n in numbers], "<u8").view(KEY).ravel()


def fill(bank, recipe, numbers, data, used=None):
    with bank.alone([recipe], on_wait=lambda: None), bank.begin_segment(recipe, data) as writer:
        writer.append(keys_of(numbers), np.ones((len(numbers), 4)))
    if used is not None:
        os.utime(writer.path.with_suffix(ABOUT), (used, used))
    return writer.path


def names(bank):
    return [entry.data for entry in sorted(list_entries(bank.folder), key=lambda e: e.data)]


def size_of(bank):
    return sum(entry.bytes for entry in list_entries(bank.folder))


def test_a_bank_tells_what_is_in_it(tmp_path):
    bank = open_bank(tmp_path, 1)
    path = fill(bank, FLOATS, [1, 2, 3], "rooms", used=1000)
    (entry,) = list_entries(tmp_path)
    assert (entry.segment, entry.recipe, entry.parts) == (path, "trunk", FLOATS.parts)
    assert (entry.data, entry.rows, entry.used) == ("rooms", 3, 1000)
    assert entry.bytes == sum(file.stat().st_size for file in path.parent.glob(f"{path.name}.*"))


def test_damaged_descriptions_hide_no_rows(tmp_path):
    bank = open_bank(tmp_path, 1)
    path = fill(bank, FLOATS, [1], "rooms")
    path.with_suffix(ABOUT).write_text("{")
    (path.parent / "recipe.json").write_text("[]")
    (entry,) = list_entries(tmp_path)
    assert (entry.recipe, entry.data, entry.rows) == ("unknown", "unknown", 1)


def test_the_least_recently_used_rows_go_first(tmp_path):
    bank = open_bank(tmp_path, 1)
    for number, data in enumerate(["old", "middle", "new"]):
        fill(bank, FLOATS, [number], data, used=1000 + number)
    full = Bank(tmp_path, size_of(bank) + 10)
    full.make_room(10, [], needed=set())
    assert names(bank) == ["middle", "new", "old"]
    full.make_room(11, [], needed=set())
    assert names(bank) == ["middle", "new"]


def test_to_take_rows_is_to_use_them(tmp_path):
    bank = open_bank(tmp_path, 1)
    fill(bank, FLOATS, [1], "a", used=1000)
    fill(bank, FLOATS, [2], "b", used=1001)
    bank.open(FLOATS).take(keys_of([1]))
    Bank(tmp_path, size_of(bank)).make_room(1, [], needed=set())
    assert names(bank) == ["a"]


def test_rows_that_the_caller_uses_stay_and_its_own_recipes_others_go(tmp_path):
    bank = open_bank(tmp_path, 1)
    used = fill(bank, FLOATS, [1], "used", used=1000)
    fill(bank, FLOATS, [2], "other", used=1001)
    full = Bank(tmp_path, size_of(bank))
    with full.alone([FLOATS], on_wait=lambda: None):
        full.make_room(1, [FLOATS], needed={used})
    assert names(bank) == ["used"]


def test_no_room_is_an_error_that_says_how_much_is_needed(tmp_path):
    bank = open_bank(tmp_path, 1e-6)
    with pytest.raises(UserError, match=r"bank\.max_gb=1e-06: 2\.00 are needed"):
        bank.make_room(2 * 10**9, [], needed=set())


def test_what_another_process_fills_is_not_thrown_away(tmp_path):
    bank = open_bank(tmp_path, 1)
    fill(bank, FLOATS, [1], "busy", used=1000)
    fill(bank, HALVES, [1], "idle", used=1001)
    (entry,) = [entry for entry in list_entries(tmp_path) if entry.data == "busy"]
    with bank.alone([FLOATS], on_wait=lambda: None):
        assert not remove_entry(entry)
        Bank(tmp_path, size_of(bank)).make_room(1, [], needed=set())
        assert names(bank) == ["busy"]
    assert remove_entry(entry)
    assert names(bank) == []


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
