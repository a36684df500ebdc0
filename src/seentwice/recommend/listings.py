"""Listings and their photos: those of a table, or one a photo, or one a folder."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import PurePosixPath
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from seentwice.recommend.fact_columns import FactColumn, Words
from seentwice.recommend.filters import Filter
from seentwice.recommend.growing import Room, Texts, append_rows, hold_texts

Grouping = Literal["photo", "folder", "table"]
"""What a listing is: each photo, each folder, or what a table says."""
_MOST_LEFT = 1 << 16  # places that no listing names any more, where fewer are named


@dataclass(frozen=True, slots=True)
class ListingRecord:
    """One listing as a table tells of it."""

    id: str
    photos: tuple[str, ...]  # keys of photos, the title photo first
    facts: Mapping[str, str] = field(default_factory=dict)  # column -> value, to filter by


@dataclass(frozen=True, slots=True, eq=False)
class Listings:
    """n listings and the photos that they show; one may show none."""

    ids: Texts  # (n,)
    starts: NDArray[np.int64]  # (n,) where in `photos` those of each begin
    counts: NDArray[np.int64]  # (n,) how many it has
    photos: NDArray[np.int64]  # (m,) numbers of photos; several listings may show one
    columns: Mapping[str, FactColumn]
    id_room: Room | None = None  # that the ids are in
    photo_room: Room | None = None

    def __len__(self) -> int:
        return len(self.ids)

    def photos_of(self, listing: int) -> NDArray[np.int64]:
        """Return the numbers of a listing's photos, the title photo first."""
        start = self.starts[listing]
        return self.photos[start : start + self.counts[listing]]

    def owners(self) -> NDArray[np.int64]:
        """Return the listing of each photo that one shows, rising; see `shown`."""
        return np.repeat(np.arange(len(self)), self.counts)

    def shown(self) -> NDArray[np.int64]:
        """Return the photos that listings show, those of one after those of another."""
        before = np.cumsum(self.counts) - self.counts
        places = np.arange(self.counts.sum()) + np.repeat(self.starts - before, self.counts)
        photos: NDArray[np.int64] = self.photos[places]
        return photos

    def showing(self, photo: int) -> NDArray[np.int64]:
        """Return the listings that show a photo, rising."""
        places = np.flatnonzero(self.photos == photo)
        ends = self.starts + self.counts
        owners = [np.flatnonzero((self.starts <= at) & (at < ends)) for at in places.tolist()]
        return np.unique(np.concatenate([np.empty(0, np.int64), *owners]))

    def passing(self, filters: Sequence[Filter]) -> NDArray[np.bool_]:
        """Say which listings pass all filters, (n,); their columns are there."""
        passed = np.ones(len(self), np.bool_)
        for wanted in filters:
            passed &= self.columns[wanted.column].passes(wanted)
        return passed


def list_photos(keys: Texts, is_there: NDArray[np.bool_]) -> Listings:
    """Take each photo for a listing, whose id is its key.

    Args:
        keys: (n,).
        is_there: (n,) whether the photo can be shown.
    """
    counts = is_there.astype(np.int64)
    return Listings(keys, np.cumsum(counts) - counts, counts, np.flatnonzero(is_there), {})


def list_folders(keys: Sequence[str] | Texts, is_there: NDArray[np.bool_]) -> Listings:
    """Take the photos of each folder for a listing, in the order of their names.

    The id is the path of the folder below the root, "." for the root itself.
    """
    photos: dict[str, list[tuple[str, int]]] = {}
    for number in np.flatnonzero(is_there).tolist():
        key = keys[number]
        photos.setdefault(str(PurePosixPath(key).parent), []).append((key, number))
    ids = sorted(photos)
    every = [number for id in ids for _, number in sorted(photos[id])]
    counts = np.array([len(photos[id]) for id in ids], np.int64)
    return Listings(
        hold_texts(ids), np.cumsum(counts) - counts, counts, np.array(every, np.int64), {}
    )


def put_records(
    listings: Listings,
    places: NDArray[np.int64],
    records: Sequence[ListingRecord],
    numbers: Mapping[str, int],
) -> Listings:
    """Return the listings with some more, or with others in their places.

    Args:
        listings: n of them.
        places: (r,) of the records; those from n on are new, without a gap.
        records: of different ids.
        numbers: of photos that can be shown, by key; others are left out.
    """
    more = [
        record.id for place, record in zip(places, records, strict=True) if place >= len(listings)
    ]
    total = len(listings) + len(more)
    photos = [[numbers[key] for key in one.photos if key in numbers] for one in records]
    sizes = np.array([len(some) for some in photos], np.int64)
    every = np.array([number for some in photos for number in some], np.int64)
    id_room, (ids,) = append_rows(listings.id_room, (listings.ids,), (hold_texts(more),))
    photo_room, (shown,) = append_rows(listings.photo_room, (listings.photos,), (every,))
    starts, counts = _extend(listings.starts, total), _extend(listings.counts, total)
    starts[places] = len(listings.photos) + np.cumsum(sizes) - sizes
    counts[places] = sizes
    missing = FactColumn(Words([""]), np.zeros(len(listings), np.int32))
    columns = {
        name: listings.columns.get(name, missing).put(
            places, [record.facts.get(name, "") for record in records], total
        )
        for name in sorted({*listings.columns, *(name for one in records for name in one.facts)})
    }
    return _tidy(Listings(ids, starts, counts, shown, columns, id_room, photo_room))


def drop_listings(listings: Listings, places: NDArray[np.int64]) -> Listings:
    """Return the listings with some that show nothing any more, so they are no results."""
    counts = listings.counts.copy()
    counts[places] = 0
    return replace(listings, counts=counts)


def renumber_photos(listings: Listings, old: NDArray[np.int64], new: NDArray[np.int64]) -> Listings:
    """Return the listings with other numbers of some photos."""
    if not len(old):
        return listings
    photos = listings.photos.copy()
    for before, now in zip(old.tolist(), new.tolist(), strict=True):
        photos[listings.photos == before] = now
    return replace(listings, photos=photos, photo_room=None)


def _extend(values: NDArray[np.int64], total: int) -> NDArray[np.int64]:
    extended = np.zeros(total, np.int64)
    extended[: len(values)] = values
    return extended


def _tidy(listings: Listings) -> Listings:
    """Return the listings without places that none names, once there are many."""
    used = int(listings.counts.sum())
    if len(listings.photos) - used <= max(used, _MOST_LEFT):
        return listings
    starts = np.cumsum(listings.counts) - listings.counts
    return replace(listings, starts=starts, photos=listings.shown(), photo_room=None)
