"""All pairs of many hashes within a few bits, exactly, without looking at most of the pairs."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from seentwice.hamming.ahead import read_ahead
from seentwice.hamming.distances import NearPairs, hamming_bits
from seentwice.hamming.every_pair import iterate_near_pairs
from seentwice.hamming.tables import Table, byte_table, plan_tables

MOST_BITS = 12
# Up to so many hashes all pairs take less time than numba's import.
FEW = 8192
# Pairs of a block: two columns of 8 MiB.
BLOCK_PAIRS = 1 << 20
# What sorted copies may take, whatever the number of threads; one is made in any case.
_COPIES_BYTES = 1 << 29


def group_equal(hashes: NDArray[np.uint64]) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
    """Collapse equal hashes: k photos that share one make one hash, not k² pairs.

    Args:
        hashes: (n,).

    Returns:
        The different hashes, ascending, (u,), and the index of each item's hash in them, (n,).
    """
    unique, inverse = np.unique(hashes, return_inverse=True)
    return unique, inverse


def find_near_pairs(
    hashes: NDArray[np.uint64], most_bits: int, threads: int
) -> Iterator[NearPairs]:
    """Find every unordered pair of hashes at most `most_bits` apart, once.

    Time follows the hashes and the pairs near each other, as `seentwice.hamming.tables` says; only
    hashes that share most of their bits take more. Memory follows the hashes: a few sorted copies
    and blocks of at most about a million pairs. Blocks come in the same order for any number of
    threads; the order of pairs is otherwise no one's to rely on.

    Args:
        hashes: (n,) different and ascending, as `group_equal` returns them.
        most_bits: 0 to 12.
        threads: how many compute; the pairs do not depend on it.

    Raises:
        ValueError: a wider radius, or hashes that are equal or out of order.
    """
    if not 0 <= most_bits <= MOST_BITS:
        raise ValueError(f"most_bits={most_bits}: choose 0 to {MOST_BITS}")
    if not (hashes[1:] > hashes[:-1]).all():
        raise ValueError("hashes are equal or out of order: pass what group_equal returns")
    if most_bits == 0:
        return iter(())
    if len(hashes) <= FEW:
        return iterate_near_pairs(hashes, most_bits, threads)
    hashes = np.ascontiguousarray(hashes)
    streams = (_scan_table(hashes, table, most_bits) for table in plan_tables(hashes, most_bits))
    return read_ahead(streams, threads, max(1, min(threads + 1, _COPIES_BYTES // hashes.nbytes)))


def _scan_table(hashes: NDArray[np.uint64], table: Table, most_bits: int) -> Iterator[NearPairs]:
    """Yield the pairs that belong to one table, in blocks."""
    # Here, for what it takes to import.
    from seentwice.hamming.compiled import move_bits, scan_buckets

    words = move_bits(hashes, byte_table(table.place))
    words.sort()
    back = byte_table(np.argsort(table.place))
    cursor = np.zeros(3, np.int64)
    while cursor[0] < len(words):
        left, right = np.empty((2, BLOCK_PAIRS), np.uint64)
        found = scan_buckets(
            words,
            np.uint64(table.other_bits),
            np.uint64(most_bits),
            table.earlier,
            cursor,
            left,
            right,
        )
        if found:
            one, other = (
                np.searchsorted(hashes, move_bits(side[:found], back)) for side in (left, right)
            )
            bits = hamming_bits(left[:found], right[:found])
            yield NearPairs(np.minimum(one, other), np.maximum(one, other), bits)
