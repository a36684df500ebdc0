"""Which pairs of items may be drawn, without a list of them: counted, and drawn uniformly."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from seentwice.data.sampling.ranks import draw_ranks, pair_count, pairs_at, rank_of

ALONE = -1
"""The code of an item that shares its group with no other."""

# Pairs that are looked at in one go: 32 MB of ranks.
CHUNK = 1 << 22
# Where fewer than one in so many pairs together is in the space, all of them are looked at.
_SPARSE = 16

Codes = NDArray[np.int64]
"""(m,) the group of each item; items of equal codes, `ALONE` left out, are of one group."""


@dataclass(frozen=True, slots=True, eq=False)
class PairSpace:
    """The unordered pairs of different items that share one group and none of some others.

    Such as the pairs of one property that share neither place nor zone. Memory follows the items
    and the pairs drawn, never the pairs there are; so does time, unless nearly all pairs together
    are apart.
    """

    together: Codes  # a pair shares this group
    apart: tuple[Codes, ...] = ()  # and none of these

    def count(self) -> int:
        """Return how many pairs there are: pairs together, less those in any other group."""
        return sum(
            (-1) ** size * _pairs_within(_intersect((self.together, *groups)))
            for size in range(len(self.apart) + 1)
            for groups in combinations(self.apart, size)
        )

    def holds(self, low: NDArray[np.int64], high: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Return which of n pairs of different items are in the space: (n,)."""
        held = _shares(self.together, low, high)
        for codes in self.apart:
            held &= ~_shares(codes, low, high)
        return held

    def list_ranks(self) -> NDArray[np.int64]:
        """Return the ranks of all pairs, rising."""
        kept = [
            rank[self.holds(*pairs_at(rank))] for rank in _Members(self.together).iterate_ranks()
        ]
        return np.sort(np.concatenate(kept or [np.empty(0, np.int64)]))

    def draw(
        self, wanted: int, taken: NDArray[np.int64], generator: np.random.Generator
    ) -> NDArray[np.int64]:
        """Draw pairs, all equally likely, none twice: their ranks, in random order.

        Args:
            wanted: the most pairs to return; all there are where they are fewer.
            taken: (t,) ranks of pairs of the space that are not drawn again.
            generator: source of the draw.
        """
        available = self.count() - len(taken)
        members = _Members(self.together)
        wanted = min(wanted, available)
        if members.pairs <= CHUNK or available * _SPARSE < members.pairs:
            return self._choose(members, available, wanted, taken, generator)
        share = available / members.pairs
        while True:
            # Enough with five standard deviations to spare; where it is not, what came too short
            # tells nothing of which pairs would have come, so a fresh draw is as good.
            tries = min(members.pairs, int((wanted + 5 * np.sqrt(wanted) + 10) / share))
            drawn = members.ranks_at(draw_ranks(members.pairs, tries, generator))
            kept = drawn[self.holds(*pairs_at(drawn))]
            kept = kept[~np.isin(kept, taken)]
            if len(kept) >= wanted:
                return kept[:wanted]

    def _choose(
        self,
        members: "_Members",
        available: int,
        wanted: int,
        taken: NDArray[np.int64],
        generator: np.random.Generator,
    ) -> NDArray[np.int64]:
        """Draw by looking at all pairs together, some at a time: for few pairs among many."""
        numbers = np.sort(draw_ranks(available, wanted, generator))
        chosen, seen = [], 0
        for rank in members.iterate_ranks():
            kept = rank[self.holds(*pairs_at(rank))]
            kept = kept[~np.isin(kept, taken)]
            first, end = np.searchsorted(numbers, [seen, seen + len(kept)])
            chosen.append(kept[numbers[first:end] - seen])
            seen += len(kept)
        return generator.permutation(np.concatenate([taken[:0], *chosen]))


class _Members:
    """The pairs within the groups of one partition, numbered from 0, group after group."""

    def __init__(self, codes: Codes) -> None:
        grouped = np.flatnonzero(codes != ALONE)
        self._order = grouped[np.argsort(codes[grouped], kind="stable")]
        sizes = np.unique(codes[grouped], return_counts=True)[1]
        self._items_before = np.concatenate([[0], np.cumsum(sizes)])
        self._pairs_before = np.concatenate([[0], np.cumsum(pair_count(sizes))])
        self.pairs = int(self._pairs_before[-1])

    def ranks_at(self, number: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the ranks, among all pairs of items, of the pairs with these numbers."""
        group = np.searchsorted(self._pairs_before, number, side="right") - 1
        low, high = pairs_at(number - self._pairs_before[group])
        first = self._items_before[group]
        one, other = self._order[first + low], self._order[first + high]
        return rank_of(np.minimum(one, other), np.maximum(one, other))

    def iterate_ranks(self) -> Iterator[NDArray[np.int64]]:
        """Yield the ranks of all pairs, some at a time."""
        for start in range(0, self.pairs, CHUNK):
            yield self.ranks_at(np.arange(start, min(start + CHUNK, self.pairs)))


def join_codes(*groups: Codes) -> Codes:
    """Return the codes of the groups that share all of several groups."""
    return _intersect(groups)


def _intersect(groups: tuple[Codes, ...]) -> Codes:
    joined = groups[0]
    for codes in groups[1:]:
        # Both are at least ALONE: one number for every pair of codes.
        keys = (joined - ALONE) * (np.max(codes, initial=0) - ALONE + 1) + (codes - ALONE)
        numbered = np.unique(keys, return_inverse=True)[1]
        joined = np.where((joined == ALONE) | (codes == ALONE), ALONE, numbered)
    return joined


def _pairs_within(codes: Codes) -> int:
    sizes = np.unique(codes[codes != ALONE], return_counts=True)[1]
    return int(pair_count(sizes).sum())


def _shares(codes: Codes, low: NDArray[np.int64], high: NDArray[np.int64]) -> NDArray[np.bool_]:
    shared: NDArray[np.bool_] = (codes[low] == codes[high]) & (codes[low] != ALONE)
    return shared
