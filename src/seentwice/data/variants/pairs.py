"""Pairs of variants, block by block: memory holds one block, and 32 bytes a photo for its place.

Variants are numbered through: v versions a photo, so that number i is version i mod v of photo i
div v. A duplicate is a pair of one photo, every other pair one of two places. What two photos of
one place make is neither, and is never yielded.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from seentwice.data.sampling.ranks import draw_ranks, pair_count, pairs_at

BLOCK = 1 << 16
Places = NDArray[np.int64]
"""(n,) the place of each photo, from 0; `arange(n)` where each is its own."""
_Block = tuple[NDArray[np.int64], NDArray[np.int64]]
"""The smaller and the larger number of each pair, (b,) each."""


@dataclass(frozen=True, slots=True)
class PairCount:
    """How many pairs a table holds."""

    duplicates: int
    others: int

    @property
    def rows(self) -> int:
        """Return the number of pairs."""
        return self.duplicates + self.others


def count_all(places: Places, versions: int) -> PairCount:
    """Count the pairs that there are."""
    photos = len(places)
    within = int(pair_count(np.bincount(places)).sum())
    return PairCount(
        photos * pair_count(versions), versions**2 * (int(pair_count(photos)) - within)
    )


def count_balanced(places: Places, versions: int) -> PairCount:
    """Count all duplicates, and as many others as there are, at most as many as duplicates."""
    everything = count_all(places, versions)
    return PairCount(everything.duplicates, min(everything.duplicates, everything.others))


def all_pairs(places: Places, versions: int) -> Iterator[_Block]:
    """Yield every pair once, the duplicates first."""
    count, ranking = count_all(places, versions), _Ranking.of(places)
    for start in range(0, count.duplicates, BLOCK):
        yield _duplicates_at(np.arange(start, min(start + BLOCK, count.duplicates)), versions)
    for start in range(0, count.others, BLOCK):
        rank = np.arange(start, min(start + BLOCK, count.others))
        yield ranking.others_at(rank, versions)


def balanced_pairs(places: Places, versions: int, seed: int) -> Iterator[_Block]:
    """Yield all duplicates and as many others, mixed; no pair twice.

    Up to one block of duplicates the others are a uniform sample. For c blocks the others are
    ranked, cut into c equal parts, and each block draws uniformly from its own part: each pair is
    as likely as the next, and none can come twice without any being remembered.

    Args:
        places: of n photos.
        versions: v, at least 2.
        seed: of the sample and of the order.
    """
    count, ranking = count_balanced(places, versions), _Ranking.of(places)
    others = count_all(places, versions).others
    generator = np.random.default_rng([seed, 0])
    blocks = -(-count.duplicates // BLOCK)
    for block in range(blocks):
        number = np.arange(block * BLOCK, min((block + 1) * BLOCK, count.duplicates))
        low, high = _duplicates_at(number, versions)
        part, end = (others * edge // blocks for edge in (block, block + 1))
        wanted = [count.others * edge // blocks for edge in (block, block + 1)]
        rank = part + draw_ranks(end - part, wanted[1] - wanted[0], generator)
        left, right = ranking.others_at(rank, versions)
        order = generator.permutation(len(number) + len(rank))
        yield np.concatenate([low, left])[order], np.concatenate([high, right])[order]


def _duplicates_at(number: NDArray[np.int64], versions: int) -> _Block:
    """Return the duplicates with the given numbers: those of the first photo first."""
    inside = pair_count(versions)
    low, high = pairs_at(number % inside)
    first = number // inside * versions
    return first + low, first + high


@dataclass(frozen=True, slots=True, eq=False)
class _Ranking:
    """The pairs of n photos of different places, each with one rank from 0.

    The photos stand in a row, place after place. Each photo of a place pairs with all that stand
    before the place, so the pairs of a place are a rectangle.
    """

    row: NDArray[np.int64]  # (n,) the photos, place after place
    before: NDArray[np.int64]  # (p,) photos that stand before each place
    pairs_before: NDArray[np.int64]  # (p,) pairs whose later photo does

    @classmethod
    def of(cls, places: Places) -> Self:
        """Rank the pairs."""
        sizes = np.bincount(places)
        before = np.cumsum(sizes) - sizes
        rectangles = sizes * before
        return cls(np.argsort(places, kind="stable"), before, np.cumsum(rectangles) - rectangles)

    def others_at(self, rank: NDArray[np.int64], versions: int) -> _Block:
        """Return the pairs of variants at the given ranks: v² to each rank of two photos."""
        photos, rest = rank // versions**2, rank % versions**2
        # The last of equals: a place without pairs, such as the first, has no rank.
        place = np.searchsorted(self.pairs_before, photos, side="right") - 1
        within, before = photos - self.pairs_before[place], self.before[place]
        one, other = self.row[within % before], self.row[before + within // before]
        low, high = np.minimum(one, other), np.maximum(one, other)
        return low * versions + rest // versions, high * versions + rest % versions
