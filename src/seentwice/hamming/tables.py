"""Tables in which near hashes stand side by side: sorted copies, by some of the bits.

The 64 bits are dealt into r + k blocks. Two hashes at most r bits apart differ in at most r blocks,
so at least k are equal (Manku, Jain & Das Sarma 2007). There is a table for each choice of k
blocks: the hashes with those bits moved to the front, and sorted. A near pair shares the front of
at least one table; it is taken from the table of its first k equal blocks, and so once.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations, count
from math import comb

import numpy as np
from numpy.typing import NDArray

WORD_BITS = 64
# Hashes that tell how often each bit is set.
_SAMPLE = 1 << 14
# Moving the bits of a hash, sorting and reading it, beside one comparison of two hashes.
_SORT_COST = 40


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """How the bits of a hash are moved."""

    place: NDArray[np.int64]  # (64,) where each bit goes, the lowest first
    other_bits: int  # how many do not belong to the key: the lower places
    earlier: NDArray[np.uint64]  # (m,) moved bits of each other block before the key's last


def plan_tables(hashes: NDArray[np.uint64], most_bits: int) -> Iterator[Table]:
    """Yield the tables that hold all pairs at most `most_bits` apart at the least cost.

    What is expected of n hashes: C(r + k, k) tables of n hashes to sort, and all pairs in them
    that share a front, as many as if bits were independent. Bits that tell much are dealt
    evenly, so that blocks of constant bits do not arise. None of it changes which pairs are found.

    Args:
        hashes: (n,) of any order.
        most_bits: 1 to 12.
    """
    shared = _chance_to_share(hashes)
    best = deal_bits(shared, most_bits + 1)
    least, equal = _cost(best, shared, len(hashes), 1), 1
    for more in count(2):
        blocks = deal_bits(shared, most_bits + more)
        if comb(len(blocks), more) * len(hashes) * _SORT_COST >= least:
            break
        cost = _cost(blocks, shared, len(hashes), more)
        if cost < least:
            best, least, equal = blocks, cost, more
    return (_lay_out(best, chosen) for chosen in combinations(range(len(best)), equal))


def deal_bits(shared: NDArray[np.float64], blocks: int) -> list[list[int]]:
    """Deal the bits into blocks that two hashes share about equally seldom.

    Args:
        shared: (64,) how likely two hashes have the same bit there.
        blocks: how many, at most 64; each gets a bit.
    """
    told = -np.log(shared)
    dealt: list[list[int]] = [[] for _ in range(blocks)]
    sums = [0.0] * blocks
    for bit in np.argsort(-told, kind="stable").tolist():
        block = min(range(blocks), key=lambda number: (sums[number], len(dealt[number])))
        dealt[block].append(bit)
        sums[block] += told[bit]
    return dealt


def byte_table(place: NDArray[np.int64]) -> NDArray[np.uint64]:
    """Return where the bits of each byte go by its value, the lowest byte first: (8, 256).

    Args:
        place: (64,) where each bit goes, the lowest first.
    """
    bits = np.arange(256, dtype=np.uint64)[:, None] >> np.arange(8, dtype=np.uint64) & np.uint64(1)
    moved = bits[None] << place.reshape(8, 1, 8).astype(np.uint64)
    table: NDArray[np.uint64] = np.bitwise_or.reduce(moved, axis=2)
    return table


def _chance_to_share(hashes: NDArray[np.uint64]) -> NDArray[np.float64]:
    """Return how likely two of the hashes have the same bit at each place: (64,)."""
    sample = hashes[:: max(1, len(hashes) // _SAMPLE)]
    bits = sample[:, None] >> np.arange(WORD_BITS, dtype=np.uint64) & np.uint64(1)
    is_set: NDArray[np.float64] = bits.mean(axis=0)
    return is_set**2 + (1 - is_set) ** 2


def _cost(
    blocks: Sequence[Sequence[int]], shared: NDArray[np.float64], hashes: int, equal: int
) -> float:
    """Return what all tables cost, in comparisons of two hashes."""
    # The sum over all choices of blocks of the product of their chances.
    sums = np.zeros(equal + 1)
    sums[0] = 1
    for block in blocks:
        sums[1:] += sums[:-1] * shared[list(block)].prod()
    return comb(len(blocks), equal) * hashes * _SORT_COST + hashes**2 / 2 * float(sums[equal])


def _lay_out(blocks: Sequence[Sequence[int]], chosen: tuple[int, ...]) -> Table:
    key = [bit for block in chosen for bit in blocks[block]]
    others = [bit for number, block in enumerate(blocks) if number not in chosen for bit in block]
    place = np.empty(WORD_BITS, np.int64)
    place[others + key] = np.arange(WORD_BITS)
    earlier = [
        sum(1 << int(place[bit]) for bit in blocks[number])
        for number in range(chosen[-1])
        if number not in chosen
    ]
    return Table(place, len(others), np.array(earlier, dtype=np.uint64))
