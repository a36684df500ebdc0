"""The largest inner products of queries with rows, exactly, by a scan of half of their bits.

The scan gives each product to within a bound that is known. Every row that could be among the best
k by that bound is multiplied again, whole; so nothing is missed, whatever the rows are.
"""

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from seentwice.index.compiled_rows import multiply_rows, scan_rows
from seentwice.index.row_segment import Segment

NONE = -1
"""The number of a place that no row fills; its product is minus infinity."""
_BLOCK = 1 << 24  # numbers that a thread reads at once, 32 MB
_PRODUCTS = 1 << 26  # that are held at once, 256 MB
_ALL = np.empty(0, np.int64)
_UNIT = 2.0**-24  # relative error of a float32


@dataclass(frozen=True, slots=True, eq=False)
class NearRows:
    """The best rows of each query: largest products first, equal ones by number."""

    numbers: NDArray[np.int64]  # (q, k), `NONE` where there are fewer rows
    products: NDArray[np.float32]  # (q, k)


@dataclass(frozen=True, slots=True, eq=False)
class Choice:
    """Rows of a segment that a search looks at."""

    segment: Segment
    positions: NDArray[np.int64] | None  # (m,) ascending, None for all

    def __len__(self) -> int:
        return len(self.segment if self.positions is None else self.positions)


def search_rows(choices: Sequence[Choice], queries: NDArray[np.float32], k: int) -> NearRows:
    """Find the best k of the rows, by one scan for all queries or few.

    Args:
        choices: of different numbers.
        queries: (q, d), finite.
        k: at least 1.
    """
    numbers = np.full((len(queries), k), NONE, np.int64)
    products = np.full((len(queries), k), -np.inf, np.float32)
    choices = [choice for choice in choices if len(choice)]
    total = sum(map(len, choices))
    if not total:
        return NearRows(numbers, products)
    together = max(1, _PRODUCTS // total)
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for start in range(0, len(queries), together):
            few = queries[start : start + together]
            scanned = np.empty((len(few), total), np.float32)
            list(pool.map(lambda task: scan_rows(*task), _list_scans(choices, few, scanned)))
            found = pool.map(partial(_choose, choices, k), few, scanned)
            for row, (best, values) in enumerate(found, start):
                numbers[row, : len(best)], products[row, : len(best)] = best, values
    return NearRows(numbers, products)


def _list_scans(
    choices: Sequence[Choice], queries: NDArray[np.float32], products: NDArray[np.float32]
) -> Iterator[tuple[object, ...]]:
    """Yield the arguments of each call of `scan_rows`."""
    step = max(1, _BLOCK // queries.shape[1])
    column = 0
    for choice in choices:
        positions = _ALL if choice.positions is None else choice.positions
        for start in range(0, len(choice), step):
            stop = min(start + step, len(choice))
            yield choice.segment.upper, positions, start, stop, queries, products, column
        column += len(choice)


def _choose(
    choices: Sequence[Choice], k: int, query: NDArray[np.float32], scanned: NDArray[np.float32]
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Return numbers and products of the best k rows of one query.

    Args:
        choices: all rows.
        k: at least 1.
        query: (d,).
        scanned: (n,) its products with the upper halves.
    """
    candidates = np.arange(len(scanned))
    if k < len(scanned):
        place = len(scanned) - k
        least = np.partition(scanned, place)[place]
        # The best k by the scan have products of `least - bound` at least, and no row has one
        # greater by more than the bound than its scan says.
        candidates = np.flatnonzero(scanned >= least - 2 * _bound_error(choices, query))
    ends = np.cumsum([len(choice) for choice in choices])
    groups = np.split(candidates, np.searchsorted(candidates, ends[:-1]))
    numbers, products = [], []
    for choice, end, group in zip(choices, ends, groups, strict=True):
        segment = choice.segment
        positions = group - (end - len(choice))
        if choice.positions is not None:
            positions = choice.positions[positions]
        values = np.empty(len(positions), np.float32)
        multiply_rows(segment.upper, segment.lower, positions, query, values)
        numbers.append(segment.numbers[positions])
        products.append(values)
    every, value = np.concatenate(numbers), np.concatenate(products)
    order = np.lexsort((every, -value))[:k]
    return every[order], value[order]


def _bound_error(choices: Sequence[Choice], query: NDArray[np.float32]) -> float:
    """Return the most by which a product of the scan may be wrong.

    The lower halves add at most the length of what is left out times that of the query (Cauchy and
    Schwarz), and a sum of d products rounds d times at most.
    """
    size = float(np.linalg.norm(query.astype(np.float64)))
    left_out = max(choice.segment.left_out for choice in choices)
    length = max(choice.segment.length for choice in choices)
    return size * (left_out + (len(query) + 8) * _UNIT * (length + left_out))
