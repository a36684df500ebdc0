"""One hash, or a batch of new ones, among many: each is compared with all."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from seentwice.hamming.ahead import read_ahead
from seentwice.hamming.distances import hamming_bits, near_of_block

# Beyond so many pairs a compiled loop, two to five times as fast, is worth numba's import.
FEW = 1 << 22
# Hashes that stay in a core's cache while queries pass over them; of few queries more hashes, so
# that a block is worth a thread's while.
_COLUMNS, _BLOCK = 8192, 1 << 18
_ROWS = 64
# Pairs of a block: two columns of 8 MiB.
BLOCK_PAIRS = 1 << 20


@dataclass(frozen=True, slots=True, eq=False)
class NearQueries:
    """Queries and hashes that are near each other, as columns of one length."""

    query: NDArray[np.int64]  # index of the query
    position: NDArray[np.int64]  # index of the hash
    bits: NDArray[np.uint8]  # their distance


def find_near_hashes(
    hashes: NDArray[np.uint64], query: int, most_bits: int, threads: int
) -> tuple[NDArray[np.int64], NDArray[np.uint8]]:
    """Find the hashes at most `most_bits` from one, by a look at each: some 2 billion a second.

    Args:
        hashes: (n,) of any order.
        query: 0 to 2**64 - 1.
        most_bits: 0 to 64.
        threads: how many compute; what is found does not depend on it.

    Returns:
        Indices of the hashes, ascending, and their distances, (k,) each.
    """
    found = list(find_near_queries(hashes, np.array([query], np.uint64), most_bits, threads))
    return (
        np.concatenate([np.empty(0, np.int64), *(near.position for near in found)]),
        np.concatenate([np.empty(0, np.uint8), *(near.bits for near in found)]),
    )


def find_near_queries(
    hashes: NDArray[np.uint64], queries: NDArray[np.uint64], most_bits: int, threads: int
) -> Iterator[NearQueries]:
    """Yield every pair of a query and a hash at most `most_bits` apart, once, in blocks.

    All are compared, some 7 billion pairs a second on one core; memory follows a few blocks of at
    most about a million pairs. Blocks come in the same order for any number of threads.

    Args:
        hashes: (n,) of any order.
        queries: (q,) of any order.
        most_bits: 0 to 64.
        threads: how many compute; the pairs do not depend on it.
    """
    hashes, queries = np.ascontiguousarray(hashes), np.ascontiguousarray(queries)
    scan = _scan_plainly if len(hashes) * len(queries) <= FEW else _scan_compiled
    columns = max(_COLUMNS, _BLOCK // max(1, len(queries)))
    streams = (
        scan(hashes[start : start + columns], start, queries, most_bits)
        for start in range(0, len(hashes), columns)
    )
    return read_ahead(streams, threads, 4 * threads)


def _scan_plainly(
    block: NDArray[np.uint64], start: int, queries: NDArray[np.uint64], most_bits: int
) -> Iterator[NearQueries]:
    """Yield what is near in the block of hashes that begins there, by NumPy."""
    for first in range(0, len(queries), _ROWS):
        query, position, bits = near_of_block(queries[first : first + _ROWS], block, most_bits)
        if len(bits):
            yield NearQueries(query + first, position + start, bits)


def _scan_compiled(
    block: NDArray[np.uint64], start: int, queries: NDArray[np.uint64], most_bits: int
) -> Iterator[NearQueries]:
    """Yield what is near in the block of hashes that begins there, by a compiled loop."""
    # Here, for what it takes to import.
    from seentwice.hamming.compiled import scan_rows

    cursor = np.zeros(2, np.int64)
    while cursor[0] < len(queries):
        position, query = np.empty((2, BLOCK_PAIRS), np.int64)
        found = scan_rows(block, queries, np.uint64(most_bits), cursor, position, query)
        if found:
            # Copies, so that the buffers are not kept.
            query, position = query[:found].copy(), position[:found].copy()
            bits = hamming_bits(queries[query], block[position])
            yield NearQueries(query, position + start, bits)
