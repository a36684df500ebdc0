"""Near pairs of items, some of which share a hash."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from seentwice.hamming.distances import NearPairs
from seentwice.hamming.near_pairs import find_near_pairs, group_equal

# Pairs of a block: three columns of 8 MiB.
BLOCK_PAIRS = 1 << 20


@dataclass(frozen=True, slots=True, eq=False)
class NearItems:
    """Pairs of items that are near each other: counted before they are listed."""

    total: int
    blocks: Iterator[NearPairs]  # of at most about a million pairs, read once


def find_near_items(hashes: NDArray[np.uint64], most_bits: int, threads: int) -> NearItems:
    """Find every unordered pair of different items at most `most_bits` apart, once.

    k items that share a hash are k * (k - 1) / 2 pairs: where groups will do, `group_equal` and
    `find_near_pairs` are cheaper. Memory follows the items and the near pairs of different hashes.

    Args:
        hashes: (n,) one an item.
        most_bits: 0 to 12.
        threads: how many search; the pairs and their order do not depend on it.

    Raises:
        ValueError: a wider radius.
    """
    unique, group = group_equal(hashes)
    item = np.argsort(group, kind="stable")
    size = np.bincount(group, minlength=len(unique))
    end = np.cumsum(size)
    # Each item with those of its group that come after it.
    place = np.arange(len(item))
    equals = end[group[item]] - place - 1
    near = list(find_near_pairs(unique, most_bits, threads))
    total = int(equals.sum()) + sum(int(size[each.low] @ size[each.high]) for each in near)

    def list_blocks() -> Iterator[NearPairs]:
        for row, offset in _spread(equals):
            yield _order(item[row], item[row + 1 + offset], np.zeros(len(row), np.uint8))
        first = end - size
        for each in near:
            for pair, offset in _spread(size[each.low]):
                left, high, bits = first[each.low[pair]] + offset, each.high[pair], each.bits[pair]
                for row, further in _spread(size[high]):
                    yield _order(item[left[row]], item[first[high[row]] + further], bits[row])

    return NearItems(total, list_blocks())


def _spread(counts: NDArray[np.int64]) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Yield each index as often as it counts, and which time it is, in blocks."""
    ends = np.cumsum(counts)
    total = int(ends[-1]) if len(ends) else 0
    for start in range(0, total, BLOCK_PAIRS):
        number = np.arange(start, min(start + BLOCK_PAIRS, total))
        low = int(np.searchsorted(ends, start, side="right"))
        high = int(np.searchsorted(ends, number[-1], side="right")) + 1
        reached = np.minimum(ends[low:high], number[-1] + 1)
        index = np.repeat(np.arange(low, high), np.diff(reached, prepend=start))
        yield index, number - (ends - counts)[index]


def _order(one: NDArray[np.int64], other: NDArray[np.int64], bits: NDArray[np.uint8]) -> NearPairs:
    return NearPairs(np.minimum(one, other), np.maximum(one, other), bits)
