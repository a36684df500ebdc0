"""Pairs drawn by their rank: time and memory follow the pairs wanted, never all n² of them."""

import numpy as np
from numpy.typing import NDArray

from seentwice.hamming import hamming_bits

# Hash-weighted negatives are drawn from this many uniform candidates for each one wanted.
CANDIDATES_PER_NEGATIVE = 32


def pair_count(items: NDArray[np.int64] | int) -> NDArray[np.int64] | int:
    """Return the number of unordered pairs of different items, n (n - 1) / 2."""
    return items * (items - 1) // 2


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


def draw_positives(
    place: NDArray[np.int64], wanted: int, generator: np.random.Generator
) -> NDArray[np.int64]:
    """Return the pairs of items of one place: all of them, or a uniform sample.

    Args:
        place: (m,) the number of each item's place, from 0.
        wanted: the most pairs to return.
        generator: source of the sample.

    Returns:
        (p, 2) indices, the smaller first, no pair twice.
    """
    order = np.argsort(place, kind="stable")
    size = np.bincount(place)
    pairs_before = np.concatenate([[0], np.cumsum(pair_count(size))])
    items_before = np.concatenate([[0], np.cumsum(size)])
    total = int(pairs_before[-1])
    rank = np.arange(total) if total <= wanted else np.sort(draw_ranks(total, wanted, generator))
    at_place = np.searchsorted(pairs_before, rank, side="right") - 1
    low, high = pairs_at(rank - pairs_before[at_place])
    first = items_before[at_place]
    return np.stack([order[first + low], order[first + high]], axis=1)


def draw_negatives(
    place: NDArray[np.int64],
    zone: NDArray[np.int64],
    hashes: NDArray[np.uint64],
    wanted: int,
    hash_hard_share: float,
    generator: np.random.Generator,
) -> NDArray[np.int64]:
    """Return pairs of items that share neither place nor zone: all of them, or a sample.

    In a sample, a share is drawn without replacement with weight exp(-x), x the Hamming distance
    of the two hashes (SameSpace's weights), from `CANDIDATES_PER_NEGATIVE` uniform candidates a
    pair; the rest is uniform.

    Args:
        place: (m,) the number of each item's place.
        zone: (m,) the number of each item's zone.
        hashes: (m,) one perceptual hash an item.
        wanted: the most pairs to return.
        hash_hard_share: of a sample, 0 to 1.
        generator: source of the sample.

    Returns:
        (p, 2) indices, the smaller first, no pair twice.
    """
    total = int(pair_count(len(place)))
    pool = CANDIDATES_PER_NEGATIVE * wanted
    rank = np.arange(total) if total <= pool else draw_ranks(total, pool, generator)
    low, high = pairs_at(rank)
    allowed = (place[low] != place[high]) & (zone[low] != zone[high])
    pairs = np.stack([low[allowed], high[allowed]], axis=1)
    if len(pairs) <= wanted:
        return pairs
    if total <= pool:
        pairs = generator.permutation(pairs)
    uniform = wanted - round(wanted * hash_hard_share)
    rest = pairs[uniform:]
    bits = hamming_bits(hashes[rest[:, 0]], hashes[rest[:, 1]])
    # The smallest exponential keys E / weight are a weighted draw without replacement
    # (Efraimidis & Spirakis 2006); in logarithms, so that exp(-64) does not vanish.
    key = np.log(generator.standard_exponential(len(rest))) + bits
    hard = rest[np.argsort(key, kind="stable")[: wanted - uniform]]
    return np.concatenate([pairs[:uniform], hard])
