"""Negatives that look alike to a hash: an exact weighted draw from pairs that are never listed."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from seentwice.data.sampling.pair_space import PairSpace
from seentwice.data.sampling.ranks import draw_ranks, pair_count, pairs_at, rank_of
from seentwice.hamming import hamming_bits, iterate_near_pairs

MOST_BITS = 64
# Pairs that tell what the distances are like, which decides how long a draw takes, not its result.
_SAMPLE = 1 << 20
# Far candidates that are looked at in one go: 8 MB of ranks.
_SEGMENT = 1 << 20
# How long a far candidate takes, beside a pair that is found near.
_CANDIDATE_COST = 8

# The mean time of an arrival by the distance: 1 / weight. Not `np.exp(bits)`, which has 16 bits.
_MEAN_TIME = np.exp(np.arange(MOST_BITS + 1.0))

Arrivals = tuple[NDArray[np.int64], NDArray[np.float64]]
"""The ranks of some pairs, and the time of each."""


def draw_hash_weighted(
    space: PairSpace,
    hashes: NDArray[np.uint64],
    wanted: int,
    taken: NDArray[np.int64],
    threads: int,
    generator: np.random.Generator,
) -> NDArray[np.int64]:
    """Draw pairs one after another, each with weight exp(-x), x the Hamming distance in bits.

    No pair is drawn twice. These are SameSpace's weights, without its table of all n² pairs. If
    every pair arrives after an exponential time whose rate is its weight, the first arrivals are
    such a draw (Efraimidis & Spirakis 2006). Up to some distance each pair is found and given its
    time; farther ones, which are many and seldom arrive, are thinned from uniform candidates that
    arrive as often as the nearest of them would (Lewis & Shedler 1979). No pair is left out, so
    the draw is exact. All pairs are compared, some 3 billion a second on
    two cores; memory follows the pairs wanted.

    Args:
        space: the pairs of m items that may be drawn.
        hashes: (m,) one an item.
        wanted: the most pairs to return; all there are where they are fewer.
        taken: (t,) ranks of pairs of the space that are not drawn again.
        threads: how many compute distances; the draw does not depend on it.
        generator: source of the draw.

    Returns:
        The pairs' ranks, in the order of the draw.
    """
    wanted = min(wanted, space.count() - len(taken))
    rank, time = np.empty(0, np.int64), np.empty(0)
    if wanted <= 0:
        return rank
    histogram = _estimate_histogram(space, hashes, generator)
    now, span = 0.0, _find_span(histogram, wanted)
    while len(rank) < wanted:
        arrived = list(_arrivals(space, hashes, span, histogram, threads, generator))
        more, delay = (np.concatenate(column) for column in zip(*arrived, strict=True))
        new = ~np.isin(more, np.concatenate([taken, rank]))
        rank = np.concatenate([rank, more[new]])
        time = np.concatenate([time, now + delay[new]])
        # Exponential times have no memory: whoever has not arrived goes on as if just started.
        now, span = now + span, 2 * span
    return rank[np.argsort(time, kind="stable")[:wanted]]


def _arrivals(
    space: PairSpace,
    hashes: NDArray[np.uint64],
    span: float,
    histogram: NDArray[np.float64],
    threads: int,
    generator: np.random.Generator,
) -> Iterator[Arrivals]:
    """Yield the pairs that arrive within `span`, and when."""
    border = _choose_border(histogram, span, len(hashes))
    near_pairs = iterate_near_pairs(hashes, border, threads) if border >= 0 else iter(())
    for near in near_pairs:
        time = generator.standard_exponential(len(near.bits)) * _MEAN_TIME[near.bits]
        arrives = (time <= span) & space.holds(near.low, near.high)
        yield rank_of(near.low[arrives], near.high[arrives]), time[arrives]
    if border < MOST_BITS:
        yield from _far_arrivals(space, hashes, span, border, generator)


def _far_arrivals(
    space: PairSpace,
    hashes: NDArray[np.uint64],
    span: float,
    border: int,
    generator: np.random.Generator,
) -> Iterator[Arrivals]:
    """Yield the pairs of more than `border` bits that arrive within `span`, and when."""
    total = int(pair_count(len(hashes)))
    candidate_chance = float(_chance(span)[border + 1])
    step = max(1, int(_SEGMENT / max(candidate_chance, 1e-18)))
    for start in range(0, total, step):
        size = min(step, total - start)
        wanted = int(generator.binomial(size, candidate_chance))
        rank = start + draw_ranks(size, wanted, generator)
        low, high = pairs_at(rank)
        bits = hamming_bits(hashes[low], hashes[high])
        chance = _chance(span)[bits]
        accepted = generator.random(len(rank)) * candidate_chance < chance
        far = accepted & (bits > border) & space.holds(low, high)
        # The time of an arrival within the span: exponential, cut off there.
        uniform = generator.random(int(far.sum()))
        yield rank[far], -np.log1p(-uniform * chance[far]) * _MEAN_TIME[bits[far]]


def _chance(span: float) -> NDArray[np.float64]:
    """Return how likely a pair arrives within `span`, by its distance: (65,)."""
    chance: NDArray[np.float64] = -np.expm1(-span / _MEAN_TIME)
    return chance


def _estimate_histogram(
    space: PairSpace, hashes: NDArray[np.uint64], generator: np.random.Generator
) -> NDArray[np.float64]:
    """Estimate how many pairs of the space are at each distance: (65,)."""
    total = int(pair_count(len(hashes)))
    rank = np.arange(total) if total <= _SAMPLE else generator.integers(total, size=_SAMPLE)
    low, high = pairs_at(rank)
    bits = hamming_bits(hashes[low], hashes[high])[space.holds(low, high)]
    found: NDArray[np.float64] = np.bincount(bits, minlength=MOST_BITS + 1).astype(np.float64)
    return found * (total / len(rank))


def _find_span(histogram: NDArray[np.float64], wanted: int) -> float:
    """Return a time within which a tenth more pairs arrive than are wanted, as far as is known."""
    needed = 1.1 * wanted + 100
    if histogram.sum() <= needed:
        return float("inf")
    low, high = -40.0, 80.0  # logarithms: by exp(80) every pair has arrived
    for _ in range(60):
        middle = (low + high) / 2
        if (histogram * _chance(float(np.exp(middle)))).sum() < needed:
            low = middle
        else:
            high = middle
    return float(np.exp(high))


def _choose_border(histogram: NDArray[np.float64], span: float, items: int) -> int:
    """Return up to which distance to find each pair, -1 for none, so that a draw is cheapest."""
    # The nearest of the pairs beyond a border sets how many candidates there are.
    candidates = pair_count(items) * np.append(_chance(span), 0)
    near = np.append(0, np.cumsum(histogram))
    return int(np.argmin(near + _CANDIDATE_COST * candidates)) - 1
