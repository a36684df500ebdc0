"""By which of its photos a listing is compared: the first, the best house front, or any."""

from collections.abc import Sequence, Set
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from seentwice.errors import UserError
from seentwice.recommend.listings import Listings

Title = Literal["first", "front", "any"]
_SIDES: tuple[Literal["left"], Literal["right"]] = ("left", "right")


@dataclass(frozen=True, slots=True, eq=False)
class Candidates:
    """Photos that stand for listings, m pairs in the order of photos, then of listings."""

    photo: NDArray[np.int64]  # (m,)
    listing: NDArray[np.int64]  # (m,)

    def list_photos(self) -> NDArray[np.int64]:
        """Return the photos, rising, each once."""
        return self.photo[np.diff(self.photo, prepend=-1) > 0]

    def expand(self, photos: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return the listings of photos: the place of each in `photos`, and the pair here."""
        low = np.searchsorted(self.photo, photos, "left")
        count = np.searchsorted(self.photo, photos, "right") - low
        place = np.repeat(np.arange(len(photos)), count)
        within = np.arange(len(place)) - np.repeat(np.cumsum(count) - count, count)
        return place, low[place] + within

    def change(
        self, gone: Set[int], photos: NDArray[np.int64], new: Sequence[tuple[int, int]]
    ) -> "Candidates":
        """Return the pairs with others for some listings; much cheaper than choosing all anew.

        Args:
            gone: listings whose pairs go.
            photos: (p,) different ones that they are paired with.
            new: photos and listings of the pairs that come.
        """
        _, pairs = self.expand(photos)
        events = [(at, True, (0, 0)) for at in pairs.tolist() if int(self.listing[at]) in gone]
        for photo, listing in sorted(new):
            low, high = (int(np.searchsorted(self.photo, photo, side)) for side in _SIDES)
            at = low + int(np.searchsorted(self.listing[low:high], listing))
            events.append((at, False, (photo, listing)))
        events.sort(key=lambda event: event[:2])
        return Candidates(_splice(self.photo, events, 0), _splice(self.listing, events, 1))


def choose_candidates(listings: Listings, front: NDArray[np.float32], title: Title) -> Candidates:
    """Choose the photos that listings are compared by; one without photos has none.

    Args:
        listings: n of them.
        front: the probability of a house front, of each photo by its number.
        title: the first photo; the likeliest house front, of equal ones the first; or any photo.

    Raises:
        UserError: no photo is known to be a house front.
    """
    owner, photo = listings.owners(), listings.shown()
    if title == "front":
        require_fronts(front)
        order = np.lexsort((np.arange(len(photo)), -front[photo], owner))
        owner, photo = owner[order], photo[order]
    if title != "any":
        is_first = np.diff(owner, prepend=-1) > 0
        owner, photo = owner[is_first], photo[is_first]
    order = np.lexsort((owner, photo))
    return Candidates(photo[order], owner[order])


def require_fronts(front: NDArray[np.float32]) -> None:
    """Refuse to choose house fronts where none can be known.

    Raises:
        UserError: no photo is known to be a house front.
    """
    if not front.any():
        raise UserError(
            "the best house front: the index knows none; choose the first photo or any, or "
            "index with a tagger that has the head front"
        )


def _splice(
    values: NDArray[np.int64], events: Sequence[tuple[int, bool, tuple[int, int]]], column: int
) -> NDArray[np.int64]:
    """Return values of which some are gone, and before some of which others came."""
    pieces, start = [], 0
    for at, is_gone, pair in events:
        pieces.append(values[start:at])
        if not is_gone:
            pieces.append(np.array([pair[column]], np.int64))
        start = at + is_gone
    return np.concatenate([*pieces, values[start:]])
