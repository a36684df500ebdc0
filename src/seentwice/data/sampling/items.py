"""What the pair tables need to know of each view, as numbers, and which pairs follow from it."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from seentwice.data.sampling.pair_space import ALONE, Codes, PairSpace, join_codes
from seentwice.records import View


@dataclass(frozen=True, slots=True, eq=False)
class Items:
    """The m views of one split; equal codes tell what two of them share."""

    place: Codes
    zone: Codes
    property: Codes
    room_type: Codes
    content: Codes  # the pixels of the photo before its edit
    plain: Codes  # all views that are not edited share it
    hashes: NDArray[np.uint64]  # (m,) of the view

    def edited(self) -> PairSpace:
        """Two views of one photo, or of files with the same pixels, at least one of them edited."""
        return PairSpace(join_codes(self.place, self.content), (self.plain,))

    def exact_copies(self) -> PairSpace:
        """Two files of one place with the same pixels, as they are."""
        return PairSpace(join_codes(self.place, self.content, self.plain))

    def same_places(self) -> PairSpace:
        """Two photos of one place that differ."""
        return PairSpace(self.place, (self.content,))

    def negatives(self) -> PairSpace:
        """Two photos that differ and share neither place nor zone."""
        return self.negatives_within(np.zeros(len(self.place), np.int64))

    def negatives_within(self, group: Codes) -> PairSpace:
        """Return those negatives that share a group, such as the property."""
        return PairSpace(group, (self.place, self.zone, self.content))


def describe_items(
    views: Sequence[View], contents: NDArray[np.uint64], hashes: NDArray[np.uint64]
) -> Items:
    """Number what the views of one split share.

    Args:
        views: m of them.
        contents: (m,) a digest of each photo's pixels before the edit.
        hashes: (m,) one perceptual hash a view.
    """
    photos = [view.photo for view in views]
    return Items(
        place=codes_of([photo.place for photo in photos]),
        zone=codes_of_known([photo.zone for photo in photos]),
        property=codes_of_known([photo.property for photo in photos]),
        room_type=codes_of_known([photo.room_type for photo in photos]),
        content=np.unique(contents, return_inverse=True)[1],
        plain=np.array([ALONE if view.edit else 0 for view in views], np.int64),
        hashes=hashes,
    )


def codes_of(names: Sequence[str]) -> Codes:
    """Number the distinct names from 0 in their sorted order: (n,)."""
    return np.unique(np.array(names, dtype=object).astype(str), return_inverse=True)[1]


def codes_of_known(names: Sequence[str | None]) -> Codes:
    """Number the names; what has none is `ALONE`."""
    codes = np.full(len(names), ALONE)
    known = np.array([name is not None for name in names], dtype=bool)
    codes[known] = codes_of([name for name in names if name is not None])
    return codes
