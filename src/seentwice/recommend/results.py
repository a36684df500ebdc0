"""What was found to look alike, in order, and how it comes of scores."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from seentwice.recommend.scores import ScoreParts
from seentwice.recommend.state import State

_Numbers = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Recommendation:
    """A listing that looks like what was asked about; its three parts add up to the score."""

    rank: int  # from 1
    listing: str  # its id
    photo: str  # the key of the photo that was compared
    class_points: float  # 0, or their weight where both photos show house fronts
    tag_points: float  # their weight times the share of the asked photo's other tags that agree
    visual_similarity: float  # its weight times (1 + cosine) / 2
    score: float


@dataclass(frozen=True, slots=True, eq=False)
class ScoredPairs:
    """Photos of listings that were found, n of them in any order."""

    photo: _Numbers  # (n,)
    listing: _Numbers  # (n,)
    products: NDArray[np.float32]  # (n,) inner products, which they were found by
    parts: ScoreParts  # (n,) each

    def keep_sure(self, found: NDArray[np.float32]) -> "ScoredPairs":
        """Return the pairs whose products no row that was not found exceeds.

        Args:
            found: (q, w) the largest products of each query, falling; there are more rows.
        """
        sure = self.products >= found[:, -1].max()
        parts = ScoreParts(
            self.parts.class_points[sure],
            self.parts.tag_points[sure],
            self.parts.visual_similarity[sure],
        )
        return ScoredPairs(self.photo[sure], self.listing[sure], self.products[sure], parts)

    def choose_best(self) -> _Numbers:
        """Return the best pair of each listing, the best first; equal ones by their photos."""
        order = np.lexsort((self.listing, self.photo, -self.parts.score))
        _, first = np.unique(self.listing[order], return_index=True)
        best: _Numbers = order[np.sort(first)]
        return best


def find_same_photos(state: State, found: Sequence[Recommendation]) -> tuple[int | None, ...]:
    """Return for each result the rank of the first with the very same photo; None where it is it.

    Photos are the same where their files have the same bytes.

    Args:
        state: has the photos.
        found: results of it, the best first.
    """
    numbers = [state.photo_numbers[one.photo] for one in found]
    first: dict[bytes, int] = {}
    ranks = []
    for one, number in zip(found, numbers, strict=True):
        rank = first.setdefault(state.photos.digests[number].tobytes(), one.rank)
        ranks.append(rank if rank != one.rank else None)
    return tuple(ranks)


def list_facts(state: State, found: Sequence[Recommendation]) -> tuple[dict[str, str], ...]:
    """Return what the table says of each result by column, empty where it says nothing.

    Args:
        state: has the listings.
        found: results of it.
    """
    columns = state.listings.columns
    numbers = [state.number_listing(one.listing) for one in found]
    return tuple(
        {name: column.text(number) for name, column in columns.items()} for number in numbers
    )


def describe_best(
    state: State, scored: ScoredPairs, best: Sequence[int]
) -> tuple[Recommendation, ...]:
    """Return recommendations in the order of pairs.

    Args:
        state: names photos and listings.
        scored: n pairs.
        best: a pair a listing.
    """
    ids, listing, photo = state.listings.ids, scored.listing.tolist(), scored.photo.tolist()
    parts = scored.parts
    columns = (parts.class_points, parts.tag_points, parts.visual_similarity, parts.score)
    values = np.stack([column[best] for column in columns], axis=1).tolist()
    return tuple(
        Recommendation(rank, ids[listing[pair]], state.photos.keys[photo[pair]], *of_pair)
        for rank, (pair, of_pair) in enumerate(zip(best, values, strict=True), 1)
    )
