"""A listing added while an index is asked: what the next state is."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from seentwice.errors import UserError
from seentwice.recommend.listings import ListingRecord, Listings, drop_listing, put_record
from seentwice.recommend.photo_table import append_photos, describe_photos, remove_photos
from seentwice.recommend.state import State


@dataclass(frozen=True, slots=True, eq=False)
class NewPhotos:
    """Photos that the store of photos keeps already, n of them."""

    keys: tuple[str, ...]  # n different ones
    digests: NDArray[np.uint8]  # (n, 32) sha256 of the files
    values: NDArray[np.float32]  # (n, t + e) probabilities of labels, then the embedding


def put_listing_into(state: State, record: ListingRecord, photos: NewPhotos) -> State:
    """Return the state with a listing more, or another one of its id.

    Args:
        state: before.
        record: names its photos: new ones, and any that are there.
        photos: those that are new or have changed; other listings that show one show it anew.

    Raises:
        UserError: the listing has no photo.
    """
    known = state.photo_numbers
    if not any(key in known or key in photos.keys for key in record.photos):
        raise UserError(f"listing {record.id!r} names no photo of the index; add one with it")
    added, rows = describe_photos(list(photos.keys), photos.digests, state.tags, photos.values)
    numbers = np.arange(len(state.photos), len(state.photos) + len(added))
    replaced = np.array([known.get(key, -1) for key in photos.keys], np.int64)
    is_old = replaced >= 0
    table = append_photos(remove_photos(state.photos, replaced[is_old]), added)
    listings = _renumber(state.listings, replaced[is_old], numbers[is_old], len(table))
    if record.id in state.listing_numbers:
        listings = drop_listing(listings, state.listing_numbers[record.id])
    listings = put_record(listings, record, table.number())
    near = state.near.copy()
    near.add(numbers, rows)
    near.remove(replaced[is_old])
    return State(state.tags, state.grouping, table, near, listings)


def drop_listing_from(state: State, number: int) -> State:
    """Return the state without a listing; its photos stay."""
    listings = drop_listing(state.listings, number)
    return State(state.tags, state.grouping, state.photos, state.near, listings)


def _renumber(
    listings: Listings, old: NDArray[np.int64], new: NDArray[np.int64], photos: int
) -> Listings:
    if not len(old):
        return listings
    number = np.arange(photos)
    number[old] = new
    return replace(listings, photos=number[listings.photos])
