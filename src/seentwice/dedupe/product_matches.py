"""Duplicates among products: from the matches between their photos."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from seentwice.dedupe.findings import Evidence, Match
from seentwice.dedupe.products import RELATIONS, ProductIndex, Relation, relate


@dataclass(frozen=True, slots=True)
class PhotoMatch:
    """A photo of one product that matches one of another."""

    left: str  # key of the one product's photo
    right: str  # of the other's; the same key where both have one photo
    match: Match  # whose left and right may be the other way round


@dataclass(frozen=True, slots=True)
class ProductDuplicate:
    """A product that is a duplicate of another one."""

    key: str
    score: float  # of its surest match: a probability in [0, 1]
    share: float  # of the photos of both that were searched, those that match, in (0, 1]
    relation: Relation
    photos: tuple[PhotoMatch, ...]  # the surest first


@dataclass(frozen=True, slots=True, eq=False)
class ProductMatches:
    """Pairs of products with the matches of their photos."""

    index: ProductIndex
    matches: tuple[Match, ...]
    left: NDArray[np.int64]  # (q,) number of a product
    right: NDArray[np.int64]  # (q,) of another one, a higher number
    score: NDArray[np.float64]  # (q,) see `ProductDuplicate`
    share: NDArray[np.float64]  # (q,)
    relation: NDArray[np.int64]  # (q,) numbers in `RELATIONS`
    starts: NDArray[np.int64]  # (q + 1,) where in `match` those of each pair begin
    match: NDArray[np.int64]  # (r,) numbers in `matches`, the surest of each pair first
    is_turned: NDArray[np.bool_]  # (r,) whether the match's left photo is the right product's

    def list_duplicates(self) -> Iterator[tuple[str, tuple[ProductDuplicate, ...]]]:
        """Yield every product's key with its duplicates, the surest first; most have none."""
        one = np.concatenate([self.left, self.right])
        other = np.concatenate([self.right, self.left])
        pair = np.tile(np.arange(len(self.left)), 2)
        order = np.lexsort((other, -self.score[pair], one))
        starts = np.searchsorted(one[order], np.arange(len(self.index.products) + 1))
        for number, product in enumerate(self.index.products):
            chosen = order[starts[number] : starts[number + 1]]
            told = zip(pair[chosen].tolist(), other[chosen].tolist(), strict=True)
            yield product.key, tuple(self._describe(at, number, there) for at, there in told)

    def _describe(self, pair: int, one: int, other: int) -> ProductDuplicate:
        rows = slice(self.starts[pair], self.starts[pair + 1])
        told = zip(self.match[rows].tolist(), self.is_turned[rows].tolist(), strict=True)
        return ProductDuplicate(
            key=self.index.products[other].key,
            score=float(self.score[pair]),
            share=float(self.share[pair]),
            relation=RELATIONS[self.relation[pair]],
            photos=tuple(
                _orient(self.matches[match], is_turned != (one > other))
                for match, is_turned in told
            ),
        )


def _orient(match: Match, is_turned: bool) -> PhotoMatch:
    if is_turned:
        return PhotoMatch(match.right, match.left, match)
    return PhotoMatch(match.left, match.right, match)


def match_products(index: ProductIndex, matches: Sequence[Match]) -> ProductMatches:
    """Join the matches of photos to pairs of products.

    Products that have one photo in common match by it, without any of `matches`. The score of two
    products is that of their surest match: one photo that was copied is enough, however many
    others the listings have. The share tells how much else they have in common.

    Args:
        index: which photo shows which products.
        matches: between photos; those of photos that are not in the index say nothing, nor do those
            that only join products that cannot be duplicates.
    """
    number_of = {key: number for number, key in enumerate(index.photos)}
    shared = [index.photos[number] for number in np.flatnonzero(np.diff(index.starts) > 1)]
    known = (
        *(match for match in matches if match.left in number_of and match.right in number_of),
        *(Match(key, key, 1.0, (Evidence.SAME_BYTES,)) for key in shared),
    )
    left_photo = np.array([number_of[match.left] for match in known], np.int64)
    right_photo = np.array([number_of[match.right] for match in known], np.int64)
    score = np.array([match.score for match in known], np.float64)
    rows = _join(index, left_photo, right_photo, score)
    starts, left, right = _cut(rows.left, rows.right)
    pair = np.repeat(np.arange(len(left)), np.diff(starts))
    searched = np.bincount(index.owners, minlength=len(index.products))
    matched = _count_distinct(pair, rows.left_photo, len(left)) + _count_distinct(
        pair, rows.right_photo, len(left)
    )
    return ProductMatches(
        index=index,
        matches=known,
        left=left,
        right=right,
        score=score[rows.match[starts[:-1]]],
        share=matched / (searched[left] + searched[right]),
        relation=relate(index, left, right),
        starts=starts,
        match=rows.match,
        is_turned=rows.is_turned,
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Rows:
    """Matches of r pairs of photos, those of two products together, the surest of them first."""

    left: NDArray[np.int64]  # (r,) product
    right: NDArray[np.int64]  # (r,) product, a higher number
    left_photo: NDArray[np.int64]  # (r,) of the left product
    right_photo: NDArray[np.int64]  # (r,)
    match: NDArray[np.int64]  # (r,)
    is_turned: NDArray[np.bool_]  # (r,)


def _join(
    index: ProductIndex,
    left_photo: NDArray[np.int64],
    right_photo: NDArray[np.int64],
    score: NDArray[np.float64],
) -> _Rows:
    blocks = list(index.pair_products(left_photo, right_photo))
    match, one, other = (
        np.concatenate([np.empty(0, np.int64), *(getattr(block, name) for block in blocks)])
        for name in ("pair", "left", "right")
    )
    is_turned = one > other
    columns = (
        np.minimum(one, other),
        np.maximum(one, other),
        np.where(is_turned, right_photo[match], left_photo[match]),
        np.where(is_turned, left_photo[match], right_photo[match]),
    )
    # Of two matches of the same photos the surer one.
    order = np.lexsort((match, -score[match], *reversed(columns)))
    is_new = np.ones(len(order), np.bool_)
    is_new[1:] = np.any([column[order][1:] != column[order][:-1] for column in columns], axis=0)
    order = order[is_new]
    left, right, *photos = (column[order] for column in columns)
    by_score = np.lexsort((*reversed(photos), -score[match[order]], right, left))
    return _Rows(
        left=left[by_score],
        right=right[by_score],
        left_photo=photos[0][by_score],
        right_photo=photos[1][by_score],
        match=match[order][by_score],
        is_turned=is_turned[order][by_score],
    )


def _cut(
    left: NDArray[np.int64], right: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Return where sorted pairs begin, with their end, and each pair once."""
    is_new = np.ones(len(left), np.bool_)
    is_new[1:] = (left[1:] != left[:-1]) | (right[1:] != right[:-1])
    begins = np.flatnonzero(is_new)
    return np.append(begins, len(left)), left[begins], right[begins]


def _count_distinct(
    pair: NDArray[np.int64], photo: NDArray[np.int64], pairs: int
) -> NDArray[np.int64]:
    """Count the different photos of each pair: (pairs,)."""
    order = np.lexsort((photo, pair))
    is_new = np.ones(len(order), np.bool_)
    pair, photo = pair[order], photo[order]
    is_new[1:] = (pair[1:] != pair[:-1]) | (photo[1:] != photo[:-1])
    return np.bincount(pair[is_new], minlength=pairs)
