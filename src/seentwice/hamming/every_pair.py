"""All pairs of a few hashes, or within any radius: each pair is looked at."""

from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import product

import numpy as np
from numpy.typing import NDArray

from seentwice.hamming.distances import NearPairs, near_of_block

# Pairs of a block whose distances are computed at once: 4 MiB, which stay in a core's cache.
BLOCK_ROWS, BLOCK_COLUMNS = 64, 8192


def iterate_near_pairs(
    hashes: NDArray[np.uint64], most_bits: int, threads: int
) -> Iterator[NearPairs]:
    """Yield every unordered pair of different items at most `most_bits` apart, once.

    All pairs are looked at, some 3 billion a second on two cores; memory follows the near pairs
    of a few blocks. Blocks come in the same order for any number of threads. Of many hashes within
    few bits `find_near_pairs` looks at a few pairs only.

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


def _corners_of_blocks(items: int) -> Iterator[tuple[int, int]]:
    rows, columns = range(0, items, BLOCK_ROWS), range(0, items, BLOCK_COLUMNS)
    for row, column in product(rows, columns):
        # A block whose last column is not beyond its first row lies below the diagonal.
        if column + BLOCK_COLUMNS > row:
            yield row, column


def _near_pairs_of_block(
    hashes: NDArray[np.uint64], row: int, column: int, most_bits: int
) -> NearPairs:
    low, high, bits = near_of_block(
        hashes[row : row + BLOCK_ROWS], hashes[column : column + BLOCK_COLUMNS], most_bits
    )
    near = low + row < high + column
    return NearPairs(low[near] + row, high[near] + column, bits[near])
