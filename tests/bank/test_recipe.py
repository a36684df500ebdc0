import hashlib

import numpy as np
import pytest

from seentwice.bank.recipe import Recipe, row_keys

RECIPE = Recipe("trunk", (("weights", "abc"), ("torch", "2.11")), (3, 2), "float16")


def test_a_recipe_knows_the_size_of_its_rows():
    assert RECIPE.row_bytes == 3 * 2 * 2
    assert Recipe("level", (), (), "int64").row_bytes == 8


@pytest.mark.parametrize(
    "other",
    [
        Recipe("maps", RECIPE.parts, RECIPE.shape, RECIPE.dtype),
        Recipe(RECIPE.name, (("weights", "abd"), ("torch", "2.11")), RECIPE.shape, RECIPE.dtype),
        Recipe(RECIPE.name, RECIPE.parts, (2, 3), RECIPE.dtype),
        Recipe(RECIPE.name, RECIPE.parts, RECIPE.shape, "float32"),
    ],
)
def test_whatever_changes_a_row_changes_its_recipes_digest(other):
    assert other.digest != RECIPE.digest


def test_a_recipe_is_read_back():
    turned = Recipe(RECIPE.name, RECIPE.parts[::-1], RECIPE.shape, RECIPE.dtype)
    assert Recipe.from_json(RECIPE.to_json()) == turned  # by name
    scalar = Recipe("level", (), (), "int64")
    assert Recipe.from_json(scalar.to_json()) == scalar


def test_equal_recipes_have_one_digest_in_whatever_order_their_parts_stand():
    turned = Recipe(RECIPE.name, RECIPE.parts[::-1], RECIPE.shape, RECIPE.dtype)
    assert turned.digest == RECIPE.digest


def test_two_parts_of_one_name_are_refused():
    with pytest.raises(ValueError, match="two parts have one name"):
        Recipe("trunk", (("weights", "abc"), ("weights", "abd")), (1,), "float32")


def test_a_key_is_the_digest_of_the_files_digest_and_the_edit():
    content = hashlib.sha256(b"photo").digest()
    keys = row_keys([content, content], ["", "rotate:7|jpeg:60"])
    assert keys.dtype == np.dtype("S16")
    for key, edit in zip(keys, (b"", b"rotate:7|jpeg:60"), strict=True):
        # NumPy drops the zeros at the end when it hands out a single text.
        assert key.ljust(16, b"\0") == hashlib.sha256(content + edit).digest()[:16]


def test_no_views_have_no_keys():
    assert len(row_keys([], [])) == 0
