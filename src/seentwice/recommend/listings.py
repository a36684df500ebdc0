"""Listings and their photos: those of a table, or one a photo, or one a folder."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import PurePosixPath
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from seentwice.recommend.filters import FactColumn, Filter

Grouping = Literal["photo", "folder", "table"]
"""What a listing is: each photo, each folder, or what a table says."""


@dataclass(frozen=True, slots=True)
class ListingRecord:
    """One listing as a table tells of it."""

    id: str
    photos: tuple[str, ...]  # keys of photos, the title photo first
    facts: Mapping[str, str] = field(default_factory=dict)  # column -> value, to filter by


@dataclass(frozen=True, slots=True, eq=False)
class Listings:
    """n listings and the m photos that they show; one may show none."""

    ids: Sequence[str]  # n
    starts: NDArray[np.int64]  # (n + 1,) where in `photos` those of each begin
    photos: NDArray[np.int64]  # (m,) numbers of photos; several listings may show one
    columns: Mapping[str, FactColumn]

    def __len__(self) -> int:
        return len(self.ids)

    def photos_of(self, listing: int) -> NDArray[np.int64]:
        """Return the numbers of a listing's photos, the title photo first."""
        return self.photos[self.starts[listing] : self.starts[listing + 1]]

    def owners(self) -> NDArray[np.int64]:
        """Return the listing of each place of `photos`, (m,)."""
        return np.repeat(np.arange(len(self)), np.diff(self.starts))

    def passing(self, filters: Sequence[Filter]) -> NDArray[np.bool_]:
        """Say which listings pass all filters, (n,); their columns are there."""
        passed = np.ones(len(self), np.bool_)
        for wanted in filters:
            passed &= self.columns[wanted.column].passes(wanted)
        return passed


def list_photos(keys: Sequence[str], is_there: NDArray[np.bool_]) -> Listings:
    """Take each photo for a listing, whose id is its key.

    Args:
        keys: n of them.
        is_there: (n,) whether the photo can be shown.
    """
    starts = np.concatenate([[0], np.cumsum(is_there)]).astype(np.int64)
    return Listings(keys, starts, np.flatnonzero(is_there), {})


def list_folders(keys: Sequence[str], is_there: NDArray[np.bool_]) -> Listings:
    """Take the photos of each folder for a listing, in the order of their names.

    The id is the path of the folder below the root, "." for the root itself.
    """
    photos: dict[str, list[tuple[str, int]]] = {}
    for number in np.flatnonzero(is_there).tolist():
        key = keys[number]
        photos.setdefault(str(PurePosixPath(key).parent), []).append((key, number))
    ids = sorted(photos)
    return _gather(ids, [[number for _, number in sorted(photos[id])] for id in ids], {})


def list_records(records: Sequence[ListingRecord], numbers: Mapping[str, int]) -> Listings:
    """Return the listings of a table; photos without a number are left out.

    Args:
        records: of different ids.
        numbers: of photos that can be shown, by key.
    """
    names = sorted({name for record in records for name in record.facts})
    columns = {name: FactColumn([r.facts.get(name, "") for r in records]) for name in names}
    photos = [[numbers[key] for key in record.photos if key in numbers] for record in records]
    return _gather([record.id for record in records], photos, columns)


def put_record(listings: Listings, record: ListingRecord, numbers: Mapping[str, int]) -> Listings:
    """Return the listings with one more at the end; drop what it replaces first."""
    photos = [numbers[key] for key in record.photos if key in numbers]
    empty = FactColumn([""] * len(listings))
    names = sorted({*listings.columns, *record.facts})
    return Listings(
        [*listings.ids, record.id],
        np.append(listings.starts, listings.starts[-1] + len(photos)),
        np.concatenate([listings.photos, np.array(photos, np.int64)]),
        {
            name: FactColumn([*listings.columns.get(name, empty).texts, record.facts.get(name, "")])
            for name in names
        },
    )


def drop_listing(listings: Listings, listing: int) -> Listings:
    """Return the listings with one that shows nothing any more, so it is no result."""
    low, high = listings.starts[listing], listings.starts[listing + 1]
    starts = listings.starts.copy()
    starts[listing + 1 :] -= high - low
    return replace(listings, starts=starts, photos=np.delete(listings.photos, np.s_[low:high]))


def _gather(
    ids: Sequence[str], photos: Sequence[Sequence[int]], columns: Mapping[str, FactColumn]
) -> Listings:
    starts = np.cumsum([0, *map(len, photos)]).astype(np.int64)
    every = np.array([number for some in photos for number in some], np.int64)
    return Listings(ids, starts, every, columns)
