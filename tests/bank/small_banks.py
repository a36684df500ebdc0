"""Banks of a few short rows, and what they are filled with."""

import os

import numpy as np

from seentwice.bank.recipe import KEY, Recipe
from seentwice.bank.segment import ABOUT

FLOATS = Recipe("trunk", (("weights", "abc"),), (4,), "float32")  # 40 bytes a row and its record
HALVES = Recipe("trunk", (("weights", "abc"),), (4,), "float16")  # 32
BYTES = Recipe("hash", (), (4,), "uint8")  # 28


def keys_of(numbers):
    return np.array([[n, 1] for n in numbers], "<u8").view(KEY).ravel()


def fill(bank, recipe, numbers, data, used=None):
    with bank.alone([recipe], on_wait=lambda: None), bank.begin_segment(recipe, data) as writer:
        writer.append(keys_of(numbers), np.ones((len(numbers), 4)))
    if used is not None:
        os.utime(writer.path.with_suffix(ABOUT), (used, used))
    return writer.path
