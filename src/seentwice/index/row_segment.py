"""Rows that are kept together and never change; which of them still count is told beside them."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from seentwice.index.compiled_rows import join_rows, split_rows

MOST_MERGED = 1 << 17
"""Rows of a segment that was merged of smaller ones: what a writer moves at once."""
LONGEST = 1e15
"""Of a row or a query: products of longer ones could be infinite."""


@dataclass(frozen=True, slots=True)
class RowFile:
    """A file that holds the rows of a segment."""

    path: Path
    sums: tuple[int, ...]  # CRC-32 of its blocks


@dataclass(frozen=True, slots=True, eq=False)
class Segment:
    """Rows in the order of their numbers."""

    numbers: NDArray[np.int64]  # (n,) ascending
    upper: NDArray[np.uint16]  # (n, d)
    lower: NDArray[np.int16]  # (n, d)
    length: float  # of the longest row, or more
    left_out: float  # length of the most that the upper half of a row leaves out, or more
    file: RowFile | None  # None where it is in memory alone

    def __len__(self) -> int:
        return len(self.numbers)


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """A segment, and which of its rows count; at least one does."""

    segment: Segment
    is_alive: NDArray[np.bool_] | None  # (n,), None where all are

    def __len__(self) -> int:
        return len(self.segment) if self.is_alive is None else int(self.is_alive.sum())

    def places(self) -> NDArray[np.int64] | None:
        """Return where the rows that count are, ascending; None where all do."""
        return None if self.is_alive is None else np.flatnonzero(self.is_alive)

    def positions(self) -> NDArray[np.int64]:
        """Return where the rows that count are, ascending."""
        if self.is_alive is None:
            return np.arange(len(self.segment))
        return np.flatnonzero(self.is_alive)

    def numbers(self) -> NDArray[np.int64]:
        """Return the numbers of the rows that count, ascending."""
        return (
            self.segment.numbers if self.is_alive is None else self.segment.numbers[self.is_alive]
        )

    def find(self, numbers: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return where those of these numbers are that count, ascending.

        Args:
            numbers: (m,) ascending.
        """
        positions = find_sorted(self.segment.numbers, numbers)
        return positions if self.is_alive is None else positions[self.is_alive[positions]]


def make_segments(numbers: NDArray[np.int64], rows: NDArray[np.float32]) -> list[Segment]:
    """Make segments of rows, each of at most `MOST_MERGED`.

    Args:
        numbers: (n,) different ones, in any order.
        rows: (n, d).

    Raises:
        ValueError: two numbers are equal, or a row is not finite or longer than `LONGEST`.
    """
    order = np.argsort(numbers, kind="stable")
    ordered = numbers[order]
    if (ordered[1:] == ordered[:-1]).any():
        raise ValueError("two rows have one number")
    is_ordered = bool((order[1:] > order[:-1]).all())
    segments = []
    for start in range(0, len(order), MOST_MERGED):
        chosen = order[start : start + MOST_MERGED]
        block = rows[start : start + MOST_MERGED] if is_ordered else rows[chosen]
        block = np.ascontiguousarray(block, np.float32)
        upper, lower = np.empty(block.shape, np.uint16), np.empty(block.shape, np.int16)
        length, left_out = np.sqrt(split_rows(block, upper, lower))
        if not length <= LONGEST:
            raise ValueError(f"a row is not finite, or longer than {LONGEST:g}")
        kept = ordered[start : start + MOST_MERGED]
        segments.append(Segment(kept, upper, lower, float(length), float(left_out), None))
    return segments


def merge_parts(parts: Sequence[Part]) -> Part:
    """Make one segment of the rows of several that count.

    Args:
        parts: of different numbers, at least one.
    """
    positions = [part.positions() for part in parts]
    numbers = np.concatenate([part.numbers() for part in parts])
    order = np.argsort(numbers, kind="stable")
    place = np.empty_like(order)
    place[order] = np.arange(len(order))
    width = parts[0].segment.upper.shape[1]
    upper, lower = np.empty((len(order), width), np.uint16), np.empty((len(order), width), np.int16)
    ends = np.cumsum([len(each) for each in positions])
    for part, taken, goes in zip(parts, positions, np.split(place, ends[:-1]), strict=True):
        upper[goes] = part.segment.upper[taken]
        lower[goes] = part.segment.lower[taken]
    length = max(part.segment.length for part in parts)
    left_out = max(part.segment.left_out for part in parts)
    return Part(Segment(numbers[order], upper, lower, length, left_out, None), None)


def tidy_parts(parts: Sequence[Part]) -> tuple[Part, ...]:
    """Merge the smallest segments, and rewrite those of which more than half is gone.

    Each row is moved some log(n) times in all, so that adding one by one stays cheap.
    """
    kept: list[Part] = []
    for part in parts:
        alive = len(part)
        if alive and 2 * alive < len(part.segment):
            part = merge_parts([part])
        if alive:
            kept.append(part)
    kept.sort(key=len, reverse=True)
    while len(kept) > 1:
        last, before = len(kept[-1]), len(kept[-2])
        if before >= 2 * last or before + last > MOST_MERGED:
            break
        kept[-2:] = [merge_parts(kept[-2:])]
    return tuple(kept)


def drop_numbers(parts: Sequence[Part], numbers: NDArray[np.int64]) -> tuple[Part, ...]:
    """Return the parts in which rows of these numbers do not count any more.

    Args:
        parts: stay as they are.
        numbers: (m,) ascending; those that are not there are left out.
    """
    left = []
    for part in parts:
        positions = part.find(numbers)
        if len(positions):
            alive = part.is_alive
            alive = np.ones(len(part.segment), np.bool_) if alive is None else alive.copy()
            alive[positions] = False
            part = Part(part.segment, alive)
        left.append(part)
    return tuple(left)


def read_rows(segment: Segment, positions: NDArray[np.int64]) -> NDArray[np.float32]:
    """Return rows as they were given, (m, d)."""
    rows = np.empty((len(positions), segment.upper.shape[1]), np.float32)
    join_rows(segment.upper, segment.lower, positions, rows)
    return rows


def find_sorted(numbers: NDArray[np.int64], asked: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return where those of the numbers asked for are that are there, ascending.

    Args:
        numbers: (n,) ascending, at least one.
        asked: (m,) ascending.
    """
    first = np.searchsorted(asked, numbers[0])
    last = np.searchsorted(asked, numbers[-1], "right")
    asked = asked[first:last]
    found: NDArray[np.int64]
    if numbers[-1] - numbers[0] == len(numbers) - 1:  # none is missing between
        found = asked - numbers[0]
    else:
        positions = np.searchsorted(numbers, asked)
        found = positions[numbers[positions] == asked]
    return found
