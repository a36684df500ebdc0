"""Pairs of variants, block by block: however many there are, memory holds one block.

Variants are numbered through: v versions a photo, so that number i is version i mod v of photo i
div v. A duplicate is a pair of one photo.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from seentwice.data.sampling.ranks import draw_ranks, pair_count, pairs_at

BLOCK = 1 << 16
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


def count_all(photos: int, versions: int) -> PairCount:
    """Count the pairs that there are."""
    duplicates = photos * int(pair_count(versions))
    return PairCount(duplicates, int(pair_count(photos * versions)) - duplicates)


def count_balanced(photos: int, versions: int) -> PairCount:
    """Count all duplicates, and as many others as there are, at most as many as duplicates."""
    everything = count_all(photos, versions)
    return PairCount(everything.duplicates, min(everything.duplicates, everything.others))


def all_pairs(photos: int, versions: int) -> Iterator[_Block]:
    """Yield every pair once, in the order (0, 1), (0, 2), (1, 2), (0, 3), ..."""
    total = count_all(photos, versions).rows
    for start in range(0, total, BLOCK):
        yield pairs_at(np.arange(start, min(start + BLOCK, total)))


def balanced_pairs(photos: int, versions: int, seed: int) -> Iterator[_Block]:
    """Yield all duplicates and as many others, mixed; no pair twice.

    Up to one block of duplicates the others are a uniform sample. For c blocks the others are
    ranked, cut into c equal parts, and each block draws uniformly from its own part: each pair is
    as likely as the next, and none can come twice without any being remembered.

    Args:
        photos: n.
        versions: v, at least 2.
        seed: of the sample and of the order.
    """
    count, inside = count_balanced(photos, versions), int(pair_count(versions))
    others = count_all(photos, versions).others
    generator = np.random.default_rng([seed, 0])
    blocks = -(-count.duplicates // BLOCK)
    for block in range(blocks):
        duplicates = np.arange(block * BLOCK, min((block + 1) * BLOCK, count.duplicates))
        low, high = pairs_at(duplicates % inside)
        first = duplicates // inside * versions
        part, end = (others * edge // blocks for edge in (block, block + 1))
        wanted = [count.others * edge // blocks for edge in (block, block + 1)]
        rank = part + draw_ranks(end - part, wanted[1] - wanted[0], generator)
        left, right = _others_at(rank, versions)
        order = generator.permutation(len(duplicates) + len(rank))
        yield (
            np.concatenate([first + low, left])[order],
            np.concatenate([first + high, right])[order],
        )


def _others_at(rank: NDArray[np.int64], versions: int) -> _Block:
    """Return the pairs of different photos at the given ranks: every one has one rank."""
    low, high = pairs_at(rank // versions**2)
    rest = rank % versions**2
    return low * versions + rest // versions, high * versions + rest % versions
