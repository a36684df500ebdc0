"""What is known of each photo that can be recommended, by its number in the index of rows."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from seentwice.index.columns import (
    READ,
    decode_text,
    encode_text,
    find_values,
    make_texts,
    take_values,
)
from seentwice.index.store import PhotoStore
from seentwice.recommend.growing import Columns, Room, Texts, append_rows, hold_texts
from seentwice.recommend.scores import make_rows
from seentwice.recommend.tags import Labels, choose_labels, find_front
from seentwice.records import TagSet

_BLOCK = 1 << 16  # photos whose rows are made at once


@dataclass(frozen=True, slots=True, eq=False)
class IndexedPhotos:
    """n photos by number; the number of one that is gone or has changed is not used again."""

    keys: Texts  # (n,)
    digests: NDArray[np.uint8]  # (n, 32) sha256 of the files
    labels: Labels  # (n, h)
    front: NDArray[np.float32]  # (n,) probability of a house front
    is_there: NDArray[np.bool_]  # (n,)
    room: Room | None = None  # that all but the last are in

    def __len__(self) -> int:
        return len(self.keys)

    def number(self) -> dict[str, int]:
        """Return the number of each photo that is there, by its key."""
        there = np.flatnonzero(self.is_there)
        return dict(zip(self.keys[there].tolist(), there.tolist(), strict=True))


@dataclass(frozen=True, slots=True, eq=False)
class PhotoChanges:
    """What brings a table up to date with the store of photos."""

    keys: list[str]  # of files that are new or have changed, c of them
    digests: NDArray[np.uint8]  # (c, 32)
    gone: NDArray[np.int64]  # numbers of photos that are not in the store as they were


def no_photos(tags: TagSet) -> IndexedPhotos:
    """Return the table of no photo."""
    return IndexedPhotos(
        hold_texts(()),
        np.empty((0, 32), np.uint8),
        np.empty((0, len(tags)), np.int16),
        np.empty(0, np.float32),
        np.empty(0, np.bool_),
    )


def find_changes(photos: IndexedPhotos, store: PhotoStore) -> PhotoChanges:
    """Compare a table with the photos of a store.

    Raises:
        UserError: the store is damaged.
    """
    known = store.read_columns(("sha256", READ))
    read = np.flatnonzero(known[READ])
    digests = known["sha256"][read]
    keys = take_values(known["key"], read)
    # Keys are compared as columns: this is done whenever others have written to the store.
    there = np.flatnonzero(photos.is_there)
    place = find_values(make_texts([encode_text(photos.keys[at]) for at in there.tolist()]), keys)
    is_same = place >= 0
    is_same[is_same] = (digests[place[is_same]] == photos.digests[there[is_same]]).all(axis=1)
    is_new = np.ones(len(read), np.bool_)
    is_new[place[is_same]] = False
    changed = np.flatnonzero(is_new)
    return PhotoChanges(
        [decode_text(key.as_py()) for key in take_values(keys, changed)],
        digests[changed],
        there[~is_same],
    )


def remove_photos(photos: IndexedPhotos, numbers: NDArray[np.int64]) -> IndexedPhotos:
    """Return the table without some photos."""
    is_there = photos.is_there.copy()
    is_there[numbers] = False
    return replace(photos, is_there=is_there)


def append_photos(photos: IndexedPhotos, added: IndexedPhotos) -> IndexedPhotos:
    """Return the table with photos more, whose numbers follow; those of known keys are gone."""
    room, columns = append_rows(photos.room, _list_columns(photos), _list_columns(added))
    keys, digests, labels, front = columns
    is_there = np.concatenate([photos.is_there, added.is_there])
    return IndexedPhotos(keys, digests, labels, front, is_there, room)


def describe_photos(
    keys: list[str], digests: NDArray[np.uint8], tags: TagSet, values: NDArray[np.float32]
) -> tuple[IndexedPhotos, NDArray[np.float32]]:
    """Return what is kept of photos, and their rows (n, t + e).

    Args:
        keys: of n photos.
        digests: (n, 32).
        tags: of t labels.
        values: (n, t + e) probabilities and embeddings of any length above 0.
    """
    probabilities, embeddings = values[:, : tags.width], values[:, tags.width :]
    labels = choose_labels(tags, probabilities)
    photos = IndexedPhotos(
        hold_texts(keys),
        digests,
        labels,
        find_front(tags, probabilities),
        np.ones(len(keys), np.bool_),
    )
    return photos, make_rows(tags, labels, unit_rows(embeddings))


def read_changed(
    store: PhotoStore, fingerprint: str, tags: TagSet, changes: PhotoChanges
) -> Iterator[tuple[IndexedPhotos, NDArray[np.float32]]]:
    """Yield the changed photos of which something was computed, with their rows, in blocks.

    Raises:
        UserError: the store is damaged.
    """
    for start in range(0, len(changes.keys), _BLOCK):
        digests = changes.digests[start : start + _BLOCK]
        values, is_there = store.read_embeddings(fingerprint, digests)
        kept = np.flatnonzero(is_there)
        if len(kept):
            keys = [changes.keys[start + place] for place in kept.tolist()]
            rows = np.asarray(values[kept], np.float32)
            yield describe_photos(keys, digests[kept], tags, rows)


def unit_rows(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    """Scale each row (n, e) to length 1; a row of zeros stays zero."""
    length = np.linalg.norm(rows, axis=1, keepdims=True)
    unit: NDArray[np.float32] = rows / np.maximum(length, np.finfo(np.float32).tiny)
    return unit


def _list_columns(photos: IndexedPhotos) -> Columns:
    return photos.keys, photos.digests, photos.labels, photos.front
