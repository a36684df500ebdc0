"""All rows of one recipe: one folder of segments."""

import os
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from seentwice.bank.recipe import KEY, Recipe
from seentwice.bank.segment import ABOUT, KEYS, Segment, read_segment

RECIPE = "recipe.json"
_IN_MEMORY = 2**28
"""Bytes; more rows than these are gathered in a file, which the system may page out."""


@dataclass(frozen=True, slots=True, eq=False)
class Shelf:
    """What was there of a recipe when it was opened; rows that are added later are not seen.

    Its files stay readable to it when another process throws them away.
    """

    recipe: Recipe
    segments: tuple[Segment, ...]

    def find(self, keys: NDArray[np.bytes_]) -> NDArray[np.int64]:
        """Return where the row of each key is, (n,): counted over all segments, -1 if nowhere."""
        stored = np.concatenate([segment.keys for segment in self.segments] or [np.empty(0, KEY)])
        order = np.argsort(stored, kind="stable")
        if len(order) == 0:
            return np.full(len(keys), -1)
        slot = np.minimum(np.searchsorted(stored, keys, sorter=order), len(order) - 1)
        place = order[slot]
        return np.where(stored[place] == keys, place, -1)

    def needed(self, keys: NDArray[np.bytes_]) -> set[Path]:
        """Return the segments that hold rows of these keys, without their extensions."""
        place = self.find(keys)
        number = np.searchsorted(self._starts(), place[place >= 0], side="right") - 1
        return {self.segments[index].path for index in np.unique(number)}

    def take(self, keys: NDArray[np.bytes_]) -> NDArray[np.generic]:
        """Return the rows of keys (n,): (n, ...), zeros where there is none.

        Rows that stand in a segment in the order of the keys are mapped, not copied. The segments
        that hold them are noted to be used now.
        """
        for path in self.needed(keys):
            with suppress(OSError):  # thrown away by another process, or not ours to touch
                os.utime(path.with_suffix(ABOUT))
        place, starts = self.find(keys), self._starts()
        if len(place) and place[0] >= 0 and (np.diff(place) == 1).all():
            number = int(np.searchsorted(starts, place[0], side="right")) - 1
            if place[-1] < starts[number + 1]:
                first = place[0] - starts[number]
                return self.segments[number].rows[first : first + len(place)]
        gathered = _allocate((len(place), *self.recipe.shape), np.dtype(self.recipe.dtype))
        for segment, start in zip(self.segments, starts[:-1], strict=True):
            here = np.flatnonzero((place >= start) & (place < start + len(segment.keys)))
            gathered[here] = segment.rows[place[here] - start]
        return gathered

    def _starts(self) -> NDArray[np.int64]:
        """Return where each segment's rows begin among all, and where the last one's end."""
        return np.cumsum([0, *(len(segment.keys) for segment in self.segments)])


def open_shelf(folder: Path, recipe: Recipe) -> Shelf:
    """Map the rows of a recipe.

    Args:
        folder: of the recipe; nothing is there where it is missing.
        recipe: of the rows.

    Raises:
        OSError: a file cannot be read.
    """
    segments = []
    for path in list_segments(folder):
        with suppress(FileNotFoundError):  # thrown away by another process, just now
            segments.append(read_segment(path, recipe))
    return Shelf(recipe, tuple(segments))


def list_segments(folder: Path) -> Sequence[Path]:
    """Return the segments in a recipe's folder, without extensions, in the order of their names."""
    return sorted(path.with_suffix("") for path in folder.glob(f"*{KEYS}"))


def _allocate(shape: tuple[int, ...], dtype: np.dtype[np.generic]) -> NDArray[np.generic]:
    """Return zeros: in memory, or in a file that has no name where they are many."""
    if int(np.prod(shape)) * dtype.itemsize <= _IN_MEMORY:
        return np.zeros(shape, dtype)
    with tempfile.TemporaryFile() as file:
        return np.memmap(file, dtype, "w+", shape=shape)
