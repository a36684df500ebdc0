"""Photos and listings at one moment, and what searches look up of them again and again."""

from collections.abc import Sequence, Set
from functools import cached_property
from threading import Lock

import numpy as np
from numpy.typing import NDArray

from seentwice.errors import UserError
from seentwice.index.near_index import NearIndex
from seentwice.recommend.candidates import Candidates, Title, choose_candidates, require_fronts
from seentwice.recommend.filters import Filter, refuse_column, refuse_label
from seentwice.recommend.listings import Grouping, Listings
from seentwice.recommend.photo_table import IndexedPhotos
from seentwice.recommend.tags import head_number
from seentwice.recommend.text_numbers import TextNumbers, number_texts
from seentwice.records import TagSet

_MOST_UNLISTED = 0.01  # of the photos: to look at all and leave those out is faster


class State:
    """Never changed once it is made: what changes is made anew."""

    def __init__(
        self,
        tags: TagSet,
        grouping: Grouping,
        photos: IndexedPhotos,
        near: NearIndex,
        listings: Listings,
    ) -> None:
        """Take what there is.

        Args:
            tags: of the photos.
            grouping: what a listing is.
            photos: by number.
            near: the rows of these photos; others do not change them.
            listings: of these photos.
        """
        self.tags = tags
        self.grouping = grouping
        self.photos = photos
        self.near = near
        self.listings = listings
        self._choosing = Lock()
        self._candidates: dict[Title, Candidates] = {}
        self._photos: dict[Title, NDArray[np.int64] | None] = {}

    @cached_property
    def photo_numbers(self) -> TextNumbers:
        """Return the number of each photo, by its key."""
        return number_texts(self.photos.keys, self.photos.is_there)

    @cached_property
    def listing_numbers(self) -> TextNumbers:
        """Return the number of each listing that shows a photo, by its id."""
        if self.grouping == "photo":
            return self.photo_numbers
        return number_texts(self.listings.ids, self.listings.counts > 0)

    def change(
        self,
        photos: IndexedPhotos,
        near: NearIndex,
        listings: Listings,
        photo_numbers: TextNumbers,
        listing_numbers: TextNumbers,
        changed: Set[int],
    ) -> "State":
        """Return the next state, which goes on with all that this one has looked up.

        Args:
            photos: with their numbers as before, but for those that are new.
            near: the rows of these photos.
            listings: the same of these.
            photo_numbers: of all photos.
            listing_numbers: of all listings.
            changed: listings that are new, or show other photos than before.
        """
        state = State(self.tags, self.grouping, photos, near, listings)
        state.photo_numbers = photo_numbers
        state.listing_numbers = listing_numbers
        with self._choosing:
            known = dict(self._candidates)
        none = np.empty(0, np.int64)
        for title, candidates in known.items():
            old = [self.titles_of(one, title) for one in changed if one < len(self.listings)]
            new = [(photo, one) for one in changed for photo in state.titles_of(one, title)]
            before = np.unique(np.concatenate([none, *old]))
            state._candidates[title] = candidates.change(changed, before, new)
        return state

    def candidates(self, title: Title) -> Candidates:
        """Return the photos that listings are compared by; see `choose_candidates`.

        Raises:
            UserError: no photo is known to be a house front.
        """
        with self._choosing:
            if title not in self._candidates:
                chosen = choose_candidates(self.listings, self.photos.front, title)
                self._candidates[title] = chosen
            return self._candidates[title]

    def choose_photos(
        self, title: Title, allowed: NDArray[np.bool_] | None
    ) -> NDArray[np.int64] | None:
        """Return the photos that may be found, rising; None for all, or nearly all, that are there.

        Args:
            title: by which photo listings are compared.
            allowed: (m,) which pairs of candidates pass; None is all.
        """
        candidates = self.candidates(title)
        if allowed is None:
            with self._choosing:
                if title not in self._photos:
                    self._photos[title] = self._choose_all(candidates)
                return self._photos[title]
        return Candidates(candidates.photo[allowed], candidates.listing[allowed]).list_photos()

    def titles_of(self, listing: int, title: Title) -> NDArray[np.int64]:
        """Return the photos that one listing is compared by.

        Raises:
            UserError: no photo is known to be a house front.
        """
        photos = self.listings.photos_of(listing)
        if title == "first":
            return photos[:1]
        if title == "front":
            require_fronts(self.photos.front)
            order = np.argsort(-self.photos.front[photos], kind="stable")
            return photos[order[:1]]
        return photos

    def owners_of(self, photos: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the listings that show any of some photos."""
        candidates = self.candidates("any")
        _, pairs = candidates.expand(photos)
        return np.unique(candidates.listing[pairs])

    def find_same(self, sha256: bytes) -> NDArray[np.int64]:
        """Return the photos whose files have these bytes."""
        words = np.ascontiguousarray(self.photos.digests).view(np.uint64)
        asked = np.frombuffer(sha256, np.uint64)
        likely = np.flatnonzero((words[:, 0] == asked[0]) & self.photos.is_there)
        same: NDArray[np.int64] = likely[(words[likely] == asked).all(axis=1)]
        return same

    def allow(
        self, candidates: Candidates, filters: Sequence[Filter], ids: Sequence[str] | None
    ) -> NDArray[np.bool_] | None:
        """Say which pairs of candidates pass, (m,); None where nothing was asked of them.

        Args:
            candidates: m pairs.
            filters: on columns of the listings, or on tags of the photos.
            ids: of the listings that may be found; None is all.

        Raises:
            UserError: a filter on no column, a label that is none, or an unknown id.
        """
        if not filters and ids is None:
            return None
        of_listings = [wanted for wanted in filters if wanted.column in self.listings.columns]
        passed = self.listings.passing(of_listings)
        if ids is not None:
            chosen = np.zeros(len(passed), np.bool_)
            chosen[[self.number_listing(key) for key in ids]] = True
            passed &= chosen
        allowed = passed[candidates.listing]
        for wanted in filters:
            if wanted not in of_listings:
                allowed &= self._pass_tag(wanted)[candidates.photo]
        return allowed

    def number_listing(self, key: str) -> int:
        """Return the number of a listing.

        Raises:
            UserError: there is none of this id.
        """
        number = self.listing_numbers.get(key)
        if number is None:
            raise UserError(f"no listing {key!r} with a photo; give the id of one that was indexed")
        return number

    def _choose_all(self, candidates: Candidates) -> NDArray[np.int64] | None:
        photos = candidates.list_photos()
        there = int(np.count_nonzero(self.photos.is_there))
        return photos if there - len(photos) > _MOST_UNLISTED * there else None

    def _pass_tag(self, wanted: Filter) -> NDArray[np.bool_]:
        """Say which photos have a label, or do not, (n,)."""
        head = head_number(self.tags, wanted.column)
        if head is None:
            names = [*self.listings.columns, *(one.name for one in self.tags.heads)]
            raise refuse_column(wanted, names)
        labels = self.tags.heads[head].labels
        if wanted.operator not in ("=", "!=") or wanted.value not in labels:
            raise refuse_label(wanted, labels)
        is_equal: NDArray[np.bool_] = self.photos.labels[:, head] == labels.index(wanted.value)
        return is_equal if wanted.operator == "=" else ~is_equal
