"""Hamming distances of 64-bit hashes."""

from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

# Pairs of a block whose distances are computed at once: 4 MiB, which stay in a core's cache.
BLOCK_ROWS, BLOCK_COLUMNS = 64, 8192


@dataclass(frozen=True, slots=True, eq=False)
class NearPairs:
    """Pairs of hashes that are near each other, as columns of one length."""

    low: NDArray[np.int64]  # index of one hash
    high: NDArray[np.int64]  # index of the other, greater than low
    bits: NDArray[np.uint8]  # their distance


def hamming_bits(left: NDArray[np.uint64], right: NDArray[np.uint64]) -> NDArray[np.uint8]:
    """Return how many of 64 bits differ, 0 to 64; the shapes broadcast."""
    return np.bitwise_count(np.bitwise_xor(left, right))


def iterate_near_pairs(
    hashes: NDArray[np.uint64], most_bits: int, threads: int
) -> Iterator[NearPairs]:
    """Yield every unordered pair of different items at most `most_bits` apart, once.

    All pairs are looked at, some 3 billion a second on two cores; memory follows the near pairs
    of a few blocks. Blocks come in the same order for any number of threads.

    Args:
        hashes: (n,) one an item.
        most_bits: 0 to 64.
        threads: how many compute; the pairs do not depend on it.
    """
    ahead: deque[Future[NearPairs]] = deque()
    with ThreadPoolExecutor(threads) as pool:
        for row, column in _corners_of_blocks(len(hashes)):
            ahead.append(pool.submit(_near_pairs_of_block, hashes, row, column, most_bits))
            if len(ahead) > 4 * threads:
                yield ahead.popleft().result()
        while ahead:
            yield ahead.popleft().result()


def count_blocks(items: int) -> int:
    """Return how many times `iterate_near_pairs` yields for so many hashes."""
    return sum(1 for _ in _corners_of_blocks(items))


def _corners_of_blocks(items: int) -> Iterator[tuple[int, int]]:
    rows, columns = range(0, items, BLOCK_ROWS), range(0, items, BLOCK_COLUMNS)
    for row, column in product(rows, columns):
        # A block whose last column is not beyond its first row lies below the diagonal.
        if column + BLOCK_COLUMNS > row:
            yield row, column


def _near_pairs_of_block(
    hashes: NDArray[np.uint64], row: int, column: int, most_bits: int
) -> NearPairs:
    upper = hashes[row : row + BLOCK_ROWS, None]
    bits = hamming_bits(upper, hashes[None, column : column + BLOCK_COLUMNS])
    low, high = np.divmod(np.flatnonzero(bits <= most_bits), bits.shape[1])
    near = low + row < high + column
    low, high = low[near], high[near]
    return NearPairs(low + row, high + column, bits[low, high])
