"""All rows of one recipe: one folder of segments."""

import os
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from seentwice.bank.recipe import KEY, Recipe
from seentwice.bank.segment import ABOUT, KEYS, Segment, explain_unwritable, read_segment

RECIPE = "recipe.json"
_IN_MEMORY = 2**28
"""Bytes; more rows than these are gathered in a file, which the system may page out."""
_BLOCK = 2**26
"""Bytes that pass through memory at once on their way into that file."""


@dataclass(frozen=True, slots=True, eq=False)
class Shelf:
    """What was there of a recipe when it was opened; rows that are added later are not seen.

    Its files stay readable to it when another process throws them away.
    """

    recipe: Recipe
    folder: Path  # of the recipe
    segments: tuple[Segment, ...]
    keys: NDArray[np.bytes_]  # of the sound records of all segments, sorted
    places: NDArray[np.int64]  # where the rows of these are, counted over all segments

    def find(self, keys: NDArray[np.bytes_]) -> NDArray[np.int64]:
        """Return where the row of each key is, (n,): counted over all segments, -1 if nowhere."""
        if len(self.keys) == 0:
            return np.full(len(keys), -1)
        slot = np.minimum(np.searchsorted(self.keys, keys), len(self.keys) - 1)
        return np.where(self.keys[slot] == keys, self.places[slot], -1)

    @property
    def lost(self) -> int:
        """How many rows are not there since their records are damaged, or their files cut."""
        return sum(segment.lost for segment in self.segments)

    def damaged(self, keys: NDArray[np.bytes_]) -> NDArray[np.bool_]:
        """Say of keys (n,) which have a row that is not what was written: (n,).

        Rows of other keys are not read.
        """
        place = self.find(keys)
        is_damaged = np.zeros(len(keys), dtype=bool)
        for segment, start in zip(self.segments, self._starts()[:-1], strict=True):
            here = np.flatnonzero((place >= start) & (place < start + len(segment.records)))
            is_damaged[here] = ~segment.check_rows(place[here] - start)
        return is_damaged

    def forget(self, keys: NDArray[np.bytes_]) -> None:
        """Throw away what is damaged; the caller is alone with the recipe.

        Args:
            keys: (n,) of rows that are `damaged`, besides which those that are `lost` go.

        Raises:
            OSError: the folder cannot be written.
        """
        place = self.find(keys)
        for segment, start in zip(self.segments, self._starts()[:-1], strict=True):
            here = place[(place >= start) & (place < start + len(segment.records))]
            if len(here) or segment.lost:
                segment.forget(here - start)

    def needed(self, keys: NDArray[np.bytes_]) -> set[Path]:
        """Return the segments that hold rows of these keys, without their extensions."""
        place = self.find(keys)
        number = np.searchsorted(self._starts(), place[place >= 0], side="right") - 1
        return {self.segments[index].path for index in np.unique(number)}

    def take(self, keys: NDArray[np.bytes_]) -> NDArray[np.generic]:
        """Return the rows of keys (n,): (n, ...), zeros where there is none.

        Rows that stand in a segment in the order of the keys are mapped, not copied. The segments
        that hold them are noted to be used now.

        Raises:
            UnwritableError: they are too many for memory, and there is no room for them in the
                bank's folder, or in that for temporary files where the bank is not ours to write.
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
        if len(place) * self.recipe.row_bytes <= _IN_MEMORY:
            return self._gather(place)
        # In the order of the file, and all of it: a hole that the disk has no room for would end
        # the process, not raise an error.
        rows = max(1, _BLOCK // self.recipe.row_bytes)
        folder = self.folder if os.access(self.folder, os.W_OK) else Path(tempfile.gettempdir())
        with explain_unwritable(folder), tempfile.TemporaryFile(dir=folder) as file:
            for first in range(0, len(place), rows):
                file.write(self._gather(place[first : first + rows]).data)
            file.flush()
            return np.memmap(file, self.recipe.dtype, "c", shape=(len(place), *self.recipe.shape))

    def _gather(self, place: NDArray[np.int64]) -> NDArray[np.generic]:
        """Copy the rows that stand at these places among all, zeros for -1."""
        gathered = np.zeros((len(place), *self.recipe.shape), self.recipe.dtype)
        for segment, start in zip(self.segments, self._starts()[:-1], strict=True):
            here = np.flatnonzero((place >= start) & (place < start + len(segment.records)))
            gathered[here] = segment.rows[place[here] - start]
        return gathered

    def _starts(self) -> NDArray[np.int64]:
        """Return where each segment's rows begin among all, and where the last one's end."""
        return np.cumsum([0, *(len(segment.records) for segment in self.segments)])


def open_shelf(folder: Path, recipe: Recipe) -> Shelf:
    """Map the rows of a recipe.

    Args:
        folder: of the recipe; nothing is there where it is missing.
        recipe: of the rows.

    Raises:
        OSError: a file cannot be read.
    """
    segments = []
    for path in sorted(path.with_suffix("") for path in folder.glob(f"*{KEYS}")):
        with suppress(FileNotFoundError):  # thrown away by another process, just now
            segments.append(read_segment(path, recipe))
    keys = np.concatenate([segment.records["key"] for segment in segments] or [np.empty(0, KEY)])
    sound = np.flatnonzero(np.concatenate([[], *(segment.is_sound for segment in segments)]))
    places = sound[np.argsort(keys[sound], kind="stable")]
    return Shelf(recipe, folder, tuple(segments), keys[places], places)
