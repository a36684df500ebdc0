"""Files of a bank that are damaged or gone: told, written anew, or thrown away."""

import os

import numpy as np
import pytest
from small_banks import FLOATS, HALVES, fill, keys_of

from seentwice.bank import bank as bank_module
from seentwice.bank.bank import open_bank
from seentwice.bank.entries import count_entry, list_entries, read_recipe
from seentwice.bank.segment import ABOUT, Count
from seentwice.files import UnwritableError


@pytest.mark.parametrize("about", [b"{", b"[]", b"{}", None])
@pytest.mark.parametrize("recipe", [b"[]", HALVES.to_json().encode(), b"\xff", None])
def test_damaged_descriptions_hide_no_rows(tmp_path, about, recipe):
    bank = open_bank(tmp_path, 1)
    path = fill(bank, FLOATS, [1], "rooms")
    for file, data in ((path.with_suffix(ABOUT), about), (path.parent / "recipe.json", recipe)):
        file.unlink()
        if data is not None:
            file.write_bytes(data)
    (entry,) = list_entries(tmp_path)
    assert (entry.recipe, entry.data, count_entry(entry)) == (None, None, None)
    assert entry.has_keys
    np.testing.assert_array_equal(bank.open(FLOATS).take(keys_of([1])), np.ones((1, 4)))


def test_a_damaged_description_of_a_recipe_is_written_anew_with_the_next_rows(tmp_path):
    bank = open_bank(tmp_path, 1)
    folder = fill(bank, FLOATS, [1], "rooms").parent
    (folder / "recipe.json").write_text("{")
    assert read_recipe(folder) is None
    fill(bank, FLOATS, [2], "rooms")
    assert read_recipe(folder) == FLOATS
    assert [count_entry(entry).found for entry in list_entries(tmp_path)] == [1, 1]


def test_a_damaged_description_of_a_recipe_is_written_anew_by_whoever_reads(tmp_path, monkeypatch):
    bank = open_bank(tmp_path, 1)
    folder = fill(bank, FLOATS, [1], "rooms").parent
    (folder / "recipe.json").unlink()
    with monkeypatch.context() as patch:

        def refuse(path, data):
            raise UnwritableError("'recipe.json' cannot be written")

        patch.setattr(bank_module, "write_atomically", refuse)
        assert bank.open(FLOATS).take(keys_of([1])).sum() == 4
    assert read_recipe(folder) is None
    bank.open(FLOATS)
    assert read_recipe(folder) == FLOATS


def test_to_ask_for_rows_that_are_not_there_makes_nothing(tmp_path):
    open_bank(tmp_path, 1).open(FLOATS)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("keys", [b"", b"short", bytes(48), None])
def test_a_part_of_which_no_row_can_be_found_goes_where_rows_are_added(tmp_path, keys):
    bank = open_bank(tmp_path, 1)
    path = fill(bank, FLOATS, [1, 2], "rooms").with_suffix(".keys")
    path.unlink()
    if keys is not None:
        path.write_bytes(keys)
    other = fill(bank, FLOATS, [3], "others")
    assert [entry.segment for entry in list_entries(tmp_path)] == [other]


def test_rows_that_cannot_be_found_are_not_counted(tmp_path):
    """Those that were forgotten or cut off, and those of which the keys or the rows are gone."""
    bank = open_bank(tmp_path, 1)
    path = fill(bank, FLOATS, [1, 2, 3, 4], "rooms")
    bank.open(FLOATS).forget(keys_of([2]))
    (entry,) = list_entries(tmp_path)
    assert count_entry(entry) == Count(3, 0, 0)
    os.truncate(path.with_suffix(".rows"), 3 * FLOATS.row_bytes - 1)
    assert count_entry(entry) == Count(1, 0, 2)
    keys = path.with_suffix(".keys")
    keys.write_bytes(b"x" * 24 + keys.read_bytes()[24:])
    assert count_entry(entry) == Count(0, 1, 2)
    path.with_suffix(".rows").unlink()
    assert count_entry(entry) == Count(0, 1, 2)
    keys.unlink()
    assert count_entry(entry) == Count(0, 0, 0)
