"""Pairs drawn by their rank: time and memory follow the pairs wanted, never all n² of them."""

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

Count = TypeVar("Count", int, NDArray[np.int64])


def pair_count(items: Count) -> Count:
    """Return the number of unordered pairs of different items, n (n - 1) / 2."""
    return items * (items - 1) // 2


def rank_of(low: NDArray[np.int64], high: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the ranks of pairs, low < high; see `pairs_at`."""
    return pair_count(high) + low


def pairs_at(rank: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the pairs (low, high), low < high, at the given ranks.

    Pairs are ranked (0, 1), (0, 2), (1, 2), (0, 3), ...: rank = high (high - 1) / 2 + low. Exact
    up to 2^31 items: the square root only guesses, integers decide.

    Args:
        rank: (n,) ranks from 0.
    """
    high = ((1 + np.sqrt(1 + 8 * rank.astype(np.float64))) // 2).astype(np.int64)
    high = np.where(pair_count(high) > rank, high - 1, high)
    high = np.where(pair_count(high + 1) <= rank, high + 1, high)
    return rank - pair_count(high), high


def draw_ranks(total: int, wanted: int, generator: np.random.Generator) -> NDArray[np.int64]:
    """Draw ranks below `total` in random order, all equally likely, none twice: (wanted,).

    Time and memory follow `wanted`. `Generator.choice` permutes all of `total` unless that is
    more than 50 times as large: gigabytes, for the pairs of some ten thousand items.

    Args:
        total: how many ranks there are, at least `wanted`.
        wanted: how many to draw.
        generator: source of the draw.
    """
    if total <= 2 * wanted:
        return generator.permutation(total)[:wanted]
    distinct = np.empty(0, np.int64)
    # What is drawn with replacement until enough is distinct favours no rank over another. At
    # least half of all ranks are left out, so twice what is missing rarely falls short twice.
    while len(distinct) < wanted:
        more = generator.integers(total, size=2 * (wanted - len(distinct)))
        distinct = np.union1d(distinct, more)
    return generator.permutation(distinct)[:wanted]
