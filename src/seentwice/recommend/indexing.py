"""Bring what is recommended from up to date with the store of photos."""

from dataclasses import dataclass, replace

import numpy as np

from seentwice.errors import UserError
from seentwice.index.near_index import NearIndex
from seentwice.index.store import PhotoStore
from seentwice.recommend.photo_table import (
    append_photos,
    find_changes,
    no_photos,
    read_changed,
    remove_photos,
)
from seentwice.recommend.snapshot import About, Snapshot

_MOST_GONE = 0.5  # of the numbers; beyond, the table is made anew


@dataclass(frozen=True, slots=True, eq=False)
class Brought:
    """What came of bringing a state up to date."""

    snapshot: Snapshot
    added: int  # photos
    removed: int  # photos that are gone, or were another file


def update_snapshot(old: Snapshot | None, store: PhotoStore, about: About) -> Brought:
    """Return the state of the store: rows of new photos are added, those of others removed.

    Photos of which nothing was computed are left out. What was computed by another reader is no
    use, so the state is made anew then.

    Args:
        old: the state before; it must not be used any more, since its rows change.
        store: open to be read.
        about: what the new state is made with; its generation is filled in.

    Raises:
        UserError: the store is damaged, or nothing was computed of any photo.
    """
    if old is not None and not _is_usable(old, about):
        old = None
    photos = no_photos(about.tags) if old is None else old.photos
    near = None if old is None else old.near
    with store.snapshot():
        about = replace(about, generation=store.generation())
        changes = find_changes(photos, store)
        if near is not None and len(changes.gone):
            near.remove(changes.gone)
            photos = remove_photos(photos, changes.gone)
        added = 0
        for some, rows in read_changed(store, about.fingerprint, about.tags, changes):
            if near is None:
                near = NearIndex.create(rows.shape[1])
            near.add(np.arange(len(photos), len(photos) + len(some)), rows)
            photos = append_photos(photos, some)
            added += len(some)
    if near is None or not photos.is_there.any():
        raise UserError("no photo to recommend: nothing is known of any; run seentwice index")
    return Brought(Snapshot(about, photos, near), added, len(changes.gone))


def _is_usable(old: Snapshot, about: About) -> bool:
    is_same = (old.about.fingerprint, old.about.tags) == (about.fingerprint, about.tags)
    return is_same and bool(np.mean(old.photos.is_there) > _MOST_GONE)
