"""What is measured: triplets of photos of homes, and which folds may learn from which homes.

A triplet is a photo, another photo of its place, and a stranger: one of the same room type in
another home. In a triplet of copies the second photo is an edited copy of the first.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from seentwice.data.folds import fold_photos
from seentwice.data.pairs import KINDS, PairTable, make_pairs
from seentwice.data.sampling.items import codes_of
from seentwice.data.sampling.mix import MixedPolicy, NegativeMix, PositiveMix
from seentwice.data.splits import Assign, Split, SplitBy, SplitRule
from seentwice.data.triplets import make_triplets
from seentwice.edits import STRENGTHS, draw_edits
from seentwice.records import Kind, Photo, View

FOLDS = 5  # parts of two homes; ten folds test the triplets across every two of them
RULE = SplitRule(SplitBy.PROPERTY, Assign.BALANCED, 0)
EVERY = MixedPolicy(
    2**40,
    2**40,
    PositiveMix(edited=1.0, same_place=1.0, exact_copy=1.0),
    NegativeMix(uniform=1.0, hash_weighted=0.0, same_property=0.0, same_room_type=0.0, hard=0.0),
)


@dataclass(frozen=True, slots=True, eq=False)
class Triplets:
    """The t triplets, as pairs: the query with its duplicate, and with a stranger."""

    pairs: PairTable
    positive: NDArray[np.int64]  # (t,) index into the pairs
    negative: NDArray[np.int64]  # (t,) likewise
    strength: NDArray[np.str_]  # (t,) of the copy's edit; "" where it is another photo
    query_home: NDArray[np.int64]  # (t,) number of the query's home
    negative_home: NDArray[np.int64]  # (t,) likewise
    fold: NDArray[np.int64]  # (t,) the fold that tests it


@dataclass(frozen=True, slots=True, eq=False)
class Fold:
    """What may be learned from where a fold is tested: pairs of other homes."""

    train: PairTable
    validation: PairTable


def plan_copies(photos: Sequence[Photo], seed: int) -> tuple[tuple[View, ...], NDArray[np.str_]]:
    """Give each photo one edited copy a strength, of which every edit has its turn.

    Returns:
        The views, those of one photo side by side and the photo as it is first; and the strength
        of each, "" of the photo as it is.
    """
    views: list[View] = []
    strengths: list[str] = []
    for number, photo in enumerate(photos):
        names = [edits[number % len(edits)] for edits in STRENGTHS.values()]
        views += [View(photo, text) for text in ("", *draw_edits(photo.key, names, seed))]
        strengths += ["", *STRENGTHS]
    return tuple(views), np.array(strengths)


def list_triplets(
    views: tuple[View, ...],
    strengths: NDArray[np.str_],
    contents: NDArray[np.uint64],
    splits: Sequence[Split],
) -> Triplets:
    """Return every triplet of the views.

    Args:
        views: v views, as `plan_copies` gives them.
        strengths: (v,) of their edits.
        contents: (v,) digest of each view's photo; photos of the same pixels make no pair.
        splits: folds that test all pairs of the photos.
    """
    photo = np.cumsum(strengths == "") - 1  # (v,) number of each view's photo
    unedited = np.flatnonzero(strengths == "")
    pairs = _pair_views(views, unedited, photo, strengths, contents)
    chosen = []
    for kind in (Kind.SAME_PLACE, Kind.EDITED):
        kept = np.flatnonzero(~pairs.label | (pairs.kind == KINDS.index(kind)))
        # All negatives of each query, whose order does not matter.
        found = make_triplets(pairs.take(kept), len(pairs), np.random.default_rng(0))
        views_of = found.query, found.positive, found.negative
        chosen.append((*views_of, kept[found.positive_pair], kept[found.negative_pair]))
    query, other, negative, positive_pair, negative_pair = map(
        np.concatenate, zip(*chosen, strict=True)
    )
    home = codes_of([view.photo.property for view in views])
    return Triplets(
        pairs,
        positive_pair,
        negative_pair,
        strengths[other],
        home[query],
        home[negative],
        _assign_folds(splits, photo[query], photo[negative]),
    )


def split_homes(photos: Sequence[Photo]) -> tuple[Split, ...]:
    """Return the folds: for every two of five parts one that learns from neither."""
    return fold_photos(photos, FOLDS, RULE, all_pairs=True)


def make_folds(
    views: tuple[View, ...],
    strengths: NDArray[np.str_],
    contents: NDArray[np.uint64],
    splits: Sequence[Split],
) -> list[Fold]:
    """Return what each fold may learn from: every pair of unedited photos, see `list_triplets`."""
    unedited = np.flatnonzero(strengths == "")

    def pair(photos: NDArray[np.int64]) -> PairTable:
        return make_pairs(views, unedited[photos], contents, contents, EVERY, None, 1, [0])

    return [Fold(pair(split.train), pair(split.validation)) for split in splits]


def _pair_views(
    views: tuple[View, ...],
    unedited: NDArray[np.int64],
    photo: NDArray[np.int64],
    strengths: NDArray[np.str_],
    contents: NDArray[np.uint64],
) -> PairTable:
    """Pair each photo with others of its place, with its copies, and with its strangers."""
    place, room_type, home = (
        codes_of([getattr(views[index].photo, name) for index in unedited])
        for name in ("place", "room_type", "property")
    )
    left, right = np.triu_indices(len(unedited), k=1)
    differ = contents[unedited[left]] != contents[unedited[right]]
    same_place = differ & (place[left] == place[right])
    strange = differ & (home[left] != home[right]) & (room_type[left] == room_type[right])
    copies = np.flatnonzero(strengths != "")
    sides = [
        (unedited[left[same_place]], unedited[right[same_place]], Kind.SAME_PLACE),
        (unedited[photo[copies]], copies, Kind.EDITED),
        (unedited[left[strange]], unedited[right[strange]], Kind.SAME_ROOM_TYPE),
    ]
    kind = np.concatenate([np.full(len(one), KINDS.index(kind)) for one, _, kind in sides])
    return PairTable(
        views,
        np.concatenate([one for one, _, _ in sides]),
        np.concatenate([other for _, other, _ in sides]),
        kind != KINDS.index(Kind.SAME_ROOM_TYPE),
        kind.astype(np.int8),
        contents,
    )


def _assign_folds(
    splits: Sequence[Split], query: NDArray[np.int64], negative: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Return the fold (t,) that learns from neither home, of photos by number (t,)."""
    fold = np.full(len(query), -1)
    for number, split in enumerate(splits):
        across = split.across
        assert across is not None
        one, other = np.isin(query, across.first), np.isin(negative, across.first)
        tested = np.isin(query, split.test) & np.isin(negative, split.test)
        here = tested & ((one != other) | (one & other & across.tests_inside))
        fold[here] = number
    assert (fold >= 0).all()
    return fold
