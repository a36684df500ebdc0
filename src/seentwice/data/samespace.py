"""SameSpace's own pair table: ordered pairs, self-pairs among the duplicates, eight edits a side.

Its article and code (MIT) balance the 631 photos of the Airbnb training set so: of 631² = 398,161
ordered pairs 1,559 are duplicates, 631 of them photos with themselves. Each comes 64 times, with
eight edits on either side: 99,776 rows. As many negatives are drawn without replacement with
weight 1 / e^x, x the Hamming distance of the wavelet hashes of the photos at 256 x 256 px. Kept
for comparison: 40 % of its duplicates are a photo beside itself.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from seentwice.data.pairs import KINDS, PairTable, escape_key
from seentwice.data.sampling.hash_weighted import draw_hash_weighted
from seentwice.data.sampling.items import codes_of, codes_of_known
from seentwice.data.sampling.pair_space import PairSpace
from seentwice.data.sampling.ranks import pairs_at
from seentwice.errors import UserError
from seentwice.records import Kind, View

EDITS = (
    "",
    "rotate:-5",
    "rotate:5",
    "rotate:5|rotate:-5",
    "hflip",
    "hflip|rotate:-5",
    "hflip|rotate:5",
    "hflip|rotate:5|rotate:-5",
)
"""The eight views of a photo: mirrored or not, 5° anticlockwise or not, 5° clockwise or not."""

_FLAGS: Mapping[str, str] = {
    "hflip": "hflip",
    "anticlockwise_rot": "rotate:5",
    "clockwise_rot": "rotate:-5",
}
COLUMNS = (
    "image1",
    "image2",
    "class",
    *(f"img{side}_{flag}" for flag in _FLAGS for side in (1, 2)),
)
"""The columns of its table, in its order."""


def make_samespace_pairs(
    views: tuple[View, ...],
    members: NDArray[np.int64],
    hashes: NDArray[np.uint64],
    threads: int,
    seed: Sequence[int],
) -> PairTable:
    """Make the table of one split. Its negatives are not edited.

    A view may meet itself, and both orders of a pair count. The negatives are fewer than the
    positives where there are no more.

    Args:
        views: the v views of the whole comparison.
        members: (m,) the indices of this split's views; a photo of which not all eight views are
            among them is left out.
        hashes: (v,) the wavelet hash of each view at 256 x 256 px; those of unedited ones count.
        threads: how many compute hash distances; the table does not depend on it.
        seed: of the negatives; any integers.

    Raises:
        UserError: no photo comes with all eight edits, or all are of one place.
    """
    versions = _group_versions(views, members)
    shown = [views[plain].photo for plain in versions[:, 0]]
    place = codes_of([photo.place for photo in shown])
    zone = codes_of_known([photo.zone for photo in shown])
    photos = len(versions)
    one, other = _order_pairs(place)
    edits = len(EDITS)
    positive_left = np.repeat(versions[one], edits, axis=1).ravel()
    positive_right = np.tile(versions[other], (1, edits)).ravel()
    # An ordered pair is an unordered one between two sides, each of which holds every photo.
    side = np.repeat([0, 1], photos)
    plain = np.tile(versions[:, 0], 2)
    between = PairSpace(np.zeros(2 * photos, np.int64), (side, np.tile(place, 2), np.tile(zone, 2)))
    ranks = draw_hash_weighted(
        between,
        hashes[plain],
        len(positive_left),
        np.empty(0, np.int64),
        threads,
        np.random.default_rng(seed),
    )
    if len(ranks) == 0:
        raise UserError(
            f"a split of {photos} photos has no negative pair: all show one place; add photos"
        )
    low, high = pairs_at(ranks)
    left = np.concatenate([positive_left, plain[low]])
    right = np.concatenate([positive_right, plain[high]])
    label = np.arange(len(left)) < len(positive_left)
    itself = np.repeat(one == other, edits * edits)
    kind = np.full(len(left), KINDS.index(Kind.HASH_WEIGHTED), np.int8)
    kind[label] = np.where(itself, KINDS.index(Kind.EDITED), KINDS.index(Kind.SAME_PLACE))
    return PairTable(views, left, right, label, kind)


def to_samespace_frame(pairs: PairTable) -> pd.DataFrame:
    """Return a table of `make_samespace_pairs` with the columns `COLUMNS`; photos by key."""
    key = np.array([escape_key(view.photo.key) for view in pairs.views], dtype=object)
    sides = {1: pairs.left, 2: pairs.right}
    columns = {f"image{side}": key[index] for side, index in sides.items()}
    columns["class"] = pairs.label.astype(np.int8)
    for name, edit in _FLAGS.items():
        is_on = np.array([edit in view.edit.split("|") for view in pairs.views], np.int8)
        for side, index in sides.items():
            columns[f"img{side}_{name}"] = is_on[index]
    return pd.DataFrame(columns, columns=list(COLUMNS))


def _order_pairs(place: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return both orders of all pairs of one place, and each photo with itself."""
    low, high = pairs_at(PairSpace(place).list_ranks())
    itself = np.arange(len(place))
    one, other = np.concatenate([itself, low, high]), np.concatenate([itself, high, low])
    order = np.lexsort((other, one))
    return one[order], other[order]


def _group_versions(views: tuple[View, ...], members: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the indices of the eight views of each photo that has them all: (photos, 8)."""
    found: dict[str, dict[str, int]] = {}
    for index in members:
        found.setdefault(views[index].photo.key, {})[views[index].edit] = int(index)
    whole = [versions for versions in found.values() if all(edit in versions for edit in EDITS)]
    if not whole:
        raise UserError(
            "sampling=samespace needs the eight edits of SameSpace: choose edits=samespace"
        )
    return np.array([[versions[edit] for edit in EDITS] for versions in whole])
