"""By which of its photos a listing is compared: the first, the best house front, or any."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from seentwice.errors import UserError
from seentwice.recommend.listings import Listings

Title = Literal["first", "front", "any"]


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


def choose_candidates(listings: Listings, front: NDArray[np.float32], title: Title) -> Candidates:
    """Choose the photos that listings are compared by; one without photos has none.

    Args:
        listings: n of them.
        front: the probability of a house front, of each photo by its number.
        title: the first photo; the likeliest house front, of equal ones the first; or any photo.

    Raises:
        UserError: no photo is known to be a house front.
    """
    owner, photo = listings.owners(), listings.photos
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
