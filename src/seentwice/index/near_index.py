"""Rows by number, and those with the largest inner products with a query.

Searching is exact. Any number of threads may search while others add and remove: a search sees the
rows of the moment when it began, and waits for no one; those that change rows take turns.
"""

from pathlib import Path
from threading import Lock

import numpy as np
from numpy.typing import NDArray

from seentwice.index.near_search import Choice, NearRows, search_rows
from seentwice.index.near_snapshot import Snapshot, open_snapshot, save_snapshot
from seentwice.index.row_segment import (
    LONGEST,
    Part,
    Segment,
    drop_numbers,
    make_segments,
    read_rows,
    tidy_parts,
)


class NearIndex:
    """Rows by number; largest inner products first."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot  # replaced as a whole, never changed
        self._changing = Lock()
        self._saving = Lock()

    @classmethod
    def create(cls, dimensions: int) -> "NearIndex":
        """Make an index without rows.

        Args:
            dimensions: of a row, at least 1.
        """
        if dimensions < 1:
            raise ValueError(f"dimensions={dimensions}: choose 1 or more")
        return cls(Snapshot(dimensions, "", ()))

    @classmethod
    def open(cls, folder: Path) -> "NearIndex":
        """Map a saved index into memory; it does not change with what is saved there later.

        Raises:
            UserError: there is none, it is damaged, or of another version.
        """
        return cls(open_snapshot(folder))

    @property
    def dimensions(self) -> int:
        """Of a row."""
        return self._snapshot.dimensions

    @property
    def label(self) -> str:
        """What `save` was told that the rows were made of; "" before."""
        return self._snapshot.label

    def copy(self) -> "NearIndex":
        """Return an index of the same rows, which are shared until one of both changes."""
        return NearIndex(self._snapshot)

    def __len__(self) -> int:
        return sum(map(len, self._snapshot.parts))

    def numbers(self) -> NDArray[np.int64]:
        """Return the numbers of all rows, ascending."""
        numbers = [part.numbers() for part in self._snapshot.parts]
        return np.sort(np.concatenate([np.empty(0, np.int64), *numbers]))

    def read(self, numbers: NDArray[np.int64]) -> NDArray[np.float32]:
        """Return rows as they were added, (n, d).

        Raises:
            KeyError: a number is not there.
        """
        asked, inverse = np.unique(np.asarray(numbers, np.int64), return_inverse=True)
        rows = np.empty((len(asked), self.dimensions), np.float32)
        is_found = np.zeros(len(asked), np.bool_)
        for part in self._snapshot.parts:
            positions = part.find(asked)
            places = np.searchsorted(asked, part.segment.numbers[positions])
            rows[places], is_found[places] = read_rows(part.segment, positions), True
        if not is_found.all():
            raise KeyError(int(asked[~is_found][0]))
        return rows[inverse]

    def save(self, folder: Path, label: str = "", keep_before: bool = False) -> None:
        """Write what is there at the call into a folder; an index that it holds is replaced.

        Until all is on the disk the old index is what `open` finds, whatever ends this process.
        Rows that the folder holds already are not written again.

        Args:
            folder: of this index, and of nothing else; made where it is missing.
            label: what the rows were made of, kept with them.
            keep_before: whether the old index can be gone back to; see `near_snapshot.go_back`.

        Raises:
            UserError: the folder cannot be written, or the disk is full.
        """
        with self._saving:
            now = self._snapshot
            kept = save_snapshot(Snapshot(now.dimensions, label, now.parts), folder, keep_before)
            files = dict(zip(_list_segments(now), _list_segments(kept), strict=True))
            with self._changing:  # rows may have been added and removed meanwhile
                parts = tuple(
                    Part(files.get(part.segment, part.segment), part.is_alive)
                    for part in self._snapshot.parts
                )
                self._snapshot = Snapshot(now.dimensions, label, parts)

    def add(self, numbers: NDArray[np.int64], rows: NDArray[np.float32]) -> None:
        """Add rows; they replace those of the same numbers. All appear at once.

        Args:
            numbers: (n,) different ones, 0 or more.
            rows: (n, d), finite.

        Raises:
            ValueError: shapes do not fit, two numbers are equal or one is negative, or a row is not
                finite.
        """
        numbers, rows = np.asarray(numbers, np.int64), np.asarray(rows, np.float32)
        if numbers.ndim != 1 or rows.shape != (len(numbers), self.dimensions):
            raise ValueError(
                f"numbers {numbers.shape} of rows {rows.shape}: give (n,), (n, {self.dimensions})"
            )
        if not len(numbers):
            return
        if numbers.min() < 0:
            raise ValueError(f"number {numbers.min()}: choose 0 or more")
        added = [Part(segment, None) for segment in make_segments(numbers, rows)]
        with self._changing:
            self._replace((*drop_numbers(self._snapshot.parts, np.sort(numbers)), *added))

    def remove(self, numbers: NDArray[np.int64]) -> None:
        """Remove rows, all at once; numbers that are not there are left out."""
        asked = np.unique(np.asarray(numbers, np.int64))
        with self._changing:
            self._replace(drop_numbers(self._snapshot.parts, asked))

    def search(
        self, queries: NDArray[np.float32], k: int, among: NDArray[np.int64] | None = None
    ) -> NearRows:
        """Find the rows with the largest inner products with each query.

        That is exact, and one scan serves all queries.

        Args:
            queries: (q, d), finite.
            k: rows a query, at least 1.
            among: (m,) the numbers that may be found, in any order; None for all. Numbers that are
                not there are left out, so k are found wherever as many are there.

        Raises:
            ValueError: shapes do not fit, or a query is not finite.
        """
        queries = np.ascontiguousarray(queries, np.float32)
        if queries.ndim != 2 or queries.shape[1] != self.dimensions:
            raise ValueError(f"queries {queries.shape}: give (q, {self.dimensions})")
        if not (np.abs(queries) <= LONGEST).all():
            raise ValueError(f"a query is not finite, or beyond {LONGEST:g}")
        if k < 1:
            raise ValueError(f"k={k}: choose 1 or more")
        wanted = None if among is None else _sort(np.asarray(among, np.int64))
        choices = [_choose_rows(part, wanted) for part in self._snapshot.parts]
        return search_rows(choices, queries, k)

    def _replace(self, parts: tuple[Part, ...]) -> None:
        now = self._snapshot
        self._snapshot = Snapshot(now.dimensions, now.label, tidy_parts(parts))


def _list_segments(snapshot: Snapshot) -> list[Segment]:
    return [part.segment for part in snapshot.parts]


def _choose_rows(part: Part, wanted: NDArray[np.int64] | None) -> Choice:
    if wanted is not None:
        return Choice(part.segment, part.find(wanted))
    return Choice(part.segment, part.places())


def _sort(numbers: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return different numbers in ascending order."""
    if (numbers[1:] > numbers[:-1]).all():
        return numbers
    ordered = np.sort(numbers)
    different: NDArray[np.int64] = ordered[np.append(True, ordered[1:] != ordered[:-1])]
    return different
