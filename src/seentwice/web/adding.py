"""Listings that are added and removed while the index is asked."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from seentwice.dedupe.looking import Looking, look_at_file
from seentwice.errors import UserError
from seentwice.files import UnwritableError, sync_folder, write_atomically
from seentwice.index.photo_row import PhotoRow
from seentwice.photos import PhotoError
from seentwice.recommend.changing import NewPhotos
from seentwice.recommend.listings import ListingRecord
from seentwice.recommend.recommender import Recommender
from seentwice.recommend.state import State
from seentwice.web.failures import ApiError, invalid, later
from seentwice.web.live_index import LiveIndex, OpenedIndex
from seentwice.web.photo_writer import PhotoWriter
from seentwice.web.uploads import SentPhoto, check_photo, tell_unreadable

FOLDER = "uploads"
"""Below the folder of the photos: a later `seentwice index` reads it like all others."""


@dataclass(frozen=True, slots=True)
class ListedPhotos:
    """A listing as an index holds it."""

    id: str
    keys: tuple[str, ...]  # of its photos, the title photo first
    sha256: tuple[bytes, ...]
    facts: dict[str, str]


def add_listing(
    live: LiveIndex,
    writer: PhotoWriter,
    record: ListingRecord,
    sent: Sequence[SentPhoto],
    most_columns: int,
) -> tuple[ListedPhotos, bool]:
    """Add a listing, and those of its photos that are new.

    Once this returns all of it is on the disk; ended before, the listing is there or is not.

    Args:
        live: the index.
        writer: of its table of photos.
        record: without photos.
        sent: its photos, the title photo first.
        most_columns: that all listings may have together.

    Returns:
        The listing, and whether it is new: the same one again changes nothing.

    Raises:
        ApiError: it is there with other content, a file gives no photo, there would be too many
            columns, or it cannot be written.
    """
    for photo in sent:
        check_photo(photo)
    with live.writing:
        opened = _open_newest(live)
        recommender = opened.recommender
        distinct = {photo.sha256: photo for photo in reversed(sent)}
        order = list(dict.fromkeys(photo.sha256 for photo in sent))
        known = find_listing(recommender.state, record.id)
        if known is not None:
            if (list(known.sha256), known.facts) != (order, dict(record.facts)):
                raise ApiError(409, "listing_exists", _EXISTS, "id")
            return known, False
        if _is_kept(recommender, record.id):
            raise ApiError(409, "listing_exists", _EXISTS_UNSEEN, "id")
        _limit_columns(recommender.state, record, most_columns)
        keys = {sha256: _find_key(recommender.state, sha256) for sha256 in order}
        new = [distinct[sha256] for sha256, key in keys.items() if key is None]
        try:
            photos = _add_photos(opened, writer, new)
            keys |= {
                sha256.tobytes(): key
                for sha256, key in zip(photos.digests, photos.keys, strict=True)
            }
            names = tuple(str(keys[sha256]) for sha256 in order)
            recommender.add(replace(record, photos=names), photos)
        except UnwritableError as error:
            raise later("unwritable", "the index or its photos cannot be written now") from error
        except UserError as error:
            raise later("unusable", "the index cannot be changed now") from error
        if not live.is_newest():
            raise later("replaced", "another index took the place of this one; send it again")
    return ListedPhotos(record.id, names, tuple(order), dict(record.facts)), True


def remove_listing(live: LiveIndex, id: str) -> None:
    """Forget a listing; its photos stay, but are no results unless another listing shows them.

    Raises:
        ApiError: there is none of this id, or it cannot be written.
    """
    with live.writing:
        recommender = _open_newest(live).recommender
        if not (recommender.has_listing(id) or _is_kept(recommender, id)):
            raise ApiError(404, "not_found", "no listing of this id")
        try:
            recommender.remove(id)
        except UserError as error:
            raise later("unwritable", "the index cannot be written now") from error
        if not live.is_newest():
            raise later("replaced", "another index took the place of this one; send it again")


def find_listing(state: State, id: str) -> ListedPhotos | None:
    """Return the listing of an id; None where there is none with a photo."""
    number = state.listing_numbers.get(id)
    if number is None:
        return None
    photos = state.listings.photos_of(number)
    facts = {name: column.text(number) for name, column in state.listings.columns.items()}
    return ListedPhotos(
        id,
        tuple(state.photos.keys[photo] for photo in photos.tolist()),
        tuple(state.photos.digests[photo].tobytes() for photo in photos.tolist()),
        {name: text for name, text in facts.items() if text},
    )


def _open_newest(live: LiveIndex) -> OpenedIndex:
    """Return the index as the disk holds it now, whose listings can be changed.

    Raises:
        ApiError: they cannot.
    """
    if not live.is_newest():
        live.reload()
    if live.current.recommender.about.grouping != "table":
        raise ApiError(409, "no_listings", _NO_TABLE)
    return live.current


def _is_kept(recommender: Recommender, id: str) -> bool:
    """Say whether the table of listings has an id, also one whose photos are all missing.

    Raises:
        ApiError: it cannot be read.
    """
    try:
        return recommender.keeps_listing(id)
    except UserError as error:
        raise later("unusable", "the listings cannot be read now") from error


def _limit_columns(state: State, record: ListingRecord, most: int) -> None:
    """Refuse a listing that brings more columns than there may be.

    Raises:
        ApiError: names the first of them.
    """
    known = state.listings.columns
    others = sorted(set(record.facts).difference(known))
    if others and len(known) + len(others) > most:
        raise invalid(
            f"{others[0]!r}: listings may have {most:,} names together, and there are "
            f"{len(known):,}; use one of them",
            "fields",
        )


def _find_key(state: State, sha256: bytes) -> str | None:
    same = state.find_same(sha256)
    return state.photos.keys[int(same[0])] if len(same) else None


def _add_photos(opened: OpenedIndex, writer: PhotoWriter, new: Sequence[SentPhoto]) -> NewPhotos:
    """Look at photos, and keep them as files and as rows of the table."""
    if not new:
        none = np.empty((0, opened.recommender.dimensions), np.float32)
        return NewPhotos((), np.empty((0, 32), np.uint8), none)
    values = np.concatenate([_look_at(opened, photo) for photo in new])
    # As they are kept, so that an index opened later answers the same.
    values = values.astype(np.float16).astype(np.float32)
    looking = writer.begin()
    rows = [_keep(looking, photo) for photo in new]
    writer.write(rows, opened.reader.fingerprint, values)
    digests = np.frombuffer(b"".join(row.sha256 for row in rows), np.uint8).reshape(-1, 32)
    return NewPhotos(tuple(row.key for row in rows), digests, values)


def _look_at(opened: OpenedIndex, photo: SentPhoto) -> NDArray[np.float32]:
    try:
        return opened.look_at([photo.file])
    except PhotoError as error:
        raise tell_unreadable(error, photo.field) from error


def _keep(looking: Looking, photo: SentPhoto) -> PhotoRow:
    """Write a photo under a name of its bytes alone, and return its row of the table.

    Raises:
        ApiError: it gives no photo.
        UnwritableError: the folder of the photos cannot be written.
    """
    before = look_at_file(
        Looking(photo.file.parent, looking.decoding, looking.max_pixels), photo.file.name
    )
    if before.reason:
        raise invalid(f"no photo: {before.reason} ({before.detail})", photo.field)
    name = photo.sha256.hex()
    key = f"{FOLDER}/{name[:2]}/{name}{photo.extension}"
    path = looking.root / key
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        content = photo.file.read_bytes()
    except OSError as error:
        raise UnwritableError(f"{path.parent}: {error.strerror}") from error
    assert hashlib.sha256(content).digest() == photo.sha256
    write_atomically(path, content)
    for folder in (path.parent, path.parent.parent, looking.root):
        sync_folder(folder)
    row = look_at_file(looking, key)
    if row.reason or row.sha256 != photo.sha256:
        raise UnwritableError(f"{path}: it changed")
    return row


_NO_TABLE = (
    "listings of this index are its photos or folders, so none can be added or removed; make the "
    "index with seentwice index --listings"
)
_EXISTS = "a listing of this id is there with other photos or fields; delete it first"
_EXISTS_UNSEEN = "a listing of this id is there, but none of its photos; delete it first"
