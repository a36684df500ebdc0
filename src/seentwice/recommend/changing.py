"""A listing added while an index is asked: what the next state is."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from seentwice.errors import UserError
from seentwice.recommend.listings import (
    ListingRecord,
    drop_listings,
    put_records,
    renumber_photos,
)
from seentwice.recommend.photo_table import (
    append_photos,
    describe_photos,
    no_photos,
    remove_photos,
)
from seentwice.recommend.state import State


@dataclass(frozen=True, slots=True, eq=False)
class NewPhotos:
    """Photos that the store of photos keeps already, n of them."""

    keys: tuple[str, ...]  # n different ones
    digests: NDArray[np.uint8]  # (n, 32) sha256 of the files
    values: NDArray[np.float32]  # (n, t + e) probabilities of labels, then the embedding


def prepare_state(state: State) -> State:
    """Return the same state with all that the first change would wait for: about a second.

    That is at a million listings, and what a service does before it is asked.
    """
    return state.change(
        append_photos(state.photos, no_photos(state.tags)),
        state.near,
        put_records(state.listings, np.empty(0, np.int64), (), {}),
        state.photo_numbers,
        state.listing_numbers,
        frozenset(),
    )


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
    gone = replaced[is_old]
    table = append_photos(remove_photos(state.photos, gone), added)
    photo_numbers = known.put(dict(zip(photos.keys, numbers.tolist(), strict=True)))
    place = state.listing_numbers.place(record.id)
    place = len(state.listings) if place is None else place
    listings = put_records(
        renumber_photos(state.listings, gone, numbers[is_old]),
        np.array([place]),
        [record],
        photo_numbers,
    )
    near = state.near.copy()
    near.add(numbers, rows)
    near.remove(gone)
    return state.change(
        table,
        near,
        listings,
        photo_numbers,
        state.listing_numbers.put({record.id: place}),
        {place, *(other for photo in gone for other in state.listings.showing(photo).tolist())},
    )


def drop_listing_from(state: State, number: int) -> State:
    """Return the state without a listing; its photos stay."""
    listings = drop_listings(state.listings, np.array([number]))
    listing_numbers = state.listing_numbers.drop(state.listings.ids[number])
    return state.change(
        state.photos, state.near, listings, state.photo_numbers, listing_numbers, {number}
    )
