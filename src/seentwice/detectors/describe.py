"""Rows for detectors: each photo is decoded once, whatever the number of edits and detectors.

Rows that the bank has are not computed again, and a photo all of whose rows are there is not
decoded.
"""

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from itertools import count
from typing import Any

import numpy as np
import PIL
from numpy.typing import NDArray

from seentwice.bank.bank import Bank
from seentwice.bank.entries import Entry
from seentwice.bank.recipe import Recipe, row_keys
from seentwice.bank.shelf import Shelf
from seentwice.data.source import Progress
from seentwice.detectors.descriptor import Descriptor, Rows, SplittingDescriptor
from seentwice.detectors.filling import Filled, Filling, first_of_their_key
from seentwice.errors import UserError
from seentwice.records import Unreadable, View

DECODING = (("photos", "1"), ("pillow", PIL.__version__))
"""What decides the pixels of a view besides its file and edit; the number counts our changes."""


@dataclass(frozen=True, slots=True)
class Described:
    """The rows of all views, and which views have none."""

    rows: Rows
    readable: NDArray[np.bool_]  # (v,)
    unreadable: tuple[Unreadable, ...]
    decoded: int  # photos; the bank, or a file of the same bytes, had the rows of others


def describe_views(
    views: Sequence[View],
    contents: Sequence[bytes],
    descriptors: Sequence[Descriptor],
    bank: Bank,
    data: str,
    workers: int,
    max_pixels: int,
    on_progress: Progress,
    unedited: Sequence[Descriptor] = (),
    at_least: tuple[int, int] | None = None,
    on_wait: Callable[[], None] | None = None,
    on_damage: Callable[[int], None] | None = None,
    on_removal: Callable[[Sequence[Entry]], None] | None = None,
) -> Described:
    """Decode each photo once, apply the edits of its views, and describe every view.

    What the bank has is taken from there, and what it lacks is added to it, batch by batch: a run
    that was stopped, or killed, goes on where it was. Of processes that want the same rows, one
    computes them and the others wait.

    Args:
        views: v views; those of one photo stand next to each other.
        contents: (v,) the sha256 of each view's file; of files that cannot be read anything.
        descriptors: what to compute; names differ.
        bank: keeps the rows.
        data: name of the data set, for people who look into the bank.
        workers: decoding threads; the rows do not depend on their number.
        max_pixels: photos with more are listed as unreadable.
        on_progress: told of every photo; of (0, 0) while another process fills the bank.
        unedited: what to compute of the photos as they are alone; rows of edited views are 0.
        at_least: (width, height) to which photos may be decoded, as `read_photo` takes it, where
            that does for all descriptors and no view is edited; these rows are kept apart.
        on_wait: called once before this process waits for another one that fills the bank.
        on_damage: told of how many views the bank had rows that are not what was written there;
            they are computed again.
        on_removal: told of rows that were thrown away to make room, see `Bank.make_room`.

    Raises:
        UserError: not one photo could be read, or the bank has no room.
        ValueError: `at_least` with an edited view: edits are made of whole photos.
    """
    decoding = [*DECODING, ("max_pixels", str(max_pixels))]
    if at_least is not None:
        if any(view.edit for view in views):
            raise ValueError("edits are made of photos that are decoded in full")
        decoding.append(("reduced", f"to at least {at_least[0]} x {at_least[1]}"))
    every = (*descriptors, *unedited)
    recipes = [
        replace(descriptor.recipe, parts=(*descriptor.recipe.parts, *decoding))
        for descriptor in every
    ]
    asked = np.ones((len(views), len(every)), dtype=bool)
    asked[[bool(view.edit) for view in views], len(descriptors) :] = False
    keys = row_keys(contents, [view.edit for view in views])
    filled = Filled(0, ())
    waits = count()

    def wait() -> None:
        if on_wait is not None and next(waits) == 0:
            on_wait()
        on_progress(0, 0)

    shelves = [bank.open(recipe) for recipe in recipes]
    # The other recipes are left to other processes; what is mapped of them stays.
    is_bad = np.stack([shelf.damaged(keys) for shelf in shelves], axis=1)
    lacking = np.flatnonzero((asked & (_missing(shelves, keys) | is_bad)).any(axis=0)).tolist()
    if lacking:
        with bank.alone([recipes[column] for column in lacking], wait):
            # Once more: another process may have filled them before this one was alone.
            is_damaged = np.zeros(asked.shape, dtype=bool)
            for column in lacking:
                shelves[column], is_damaged[:, column] = _open_sound(
                    bank, recipes[column], keys, asked[:, column]
                )
            missing = asked & _missing(shelves, keys)
            damaged = int((missing & is_damaged).any(axis=1).sum())
            if damaged and on_damage is not None:
                on_damage(damaged)
            if missing.any():
                lead = first_of_their_key(keys)
                added = missing[np.unique(lead)].sum(axis=0)
                needed = {path for shelf in shelves for path in shelf.needed(keys)}
                wanted = {recipes[column]: int(added[column]) for column in lacking}
                bank.make_room(wanted, needed, on_removal)
                with ExitStack() as open_files:
                    writers = [
                        open_files.enter_context(bank.begin_segment(recipe, data))
                        for recipe in recipes
                    ]
                    filling = Filling(
                        views, contents, keys, lead, missing, every, writers, at_least
                    )
                    filled = filling.run(workers, max_pixels, on_progress)
            for column in lacking:
                shelves[column] = bank.open(recipes[column])
    readable = np.asarray((~asked | ~_missing(shelves, keys)).all(axis=1))
    lost = {view.photo.path for view, ok in zip(views, readable, strict=True) if not ok}
    # One whose bytes another file had, too, has rows.
    unreadable = tuple(file for file in filled.unreadable if file.path in lost)
    if lost - {file.path for file in unreadable}:
        raise UserError(f"{bank.folder}: rows were taken out during the run; run the command again")
    if not readable.any():
        named = [f"; the first: {file.name}: {file.reason}" for file in unreadable]
        first = named[0] if named else ""
        photos = len({view.photo for view in views})
        raise UserError(f"none of {photos} photos could be read{first}")
    rows: dict[str, NDArray[Any]] = {}
    for descriptor, shelf in zip(every, shelves, strict=True):
        taken = shelf.take(keys)
        if isinstance(descriptor, SplittingDescriptor):
            rows.update(descriptor.split(taken))
        else:
            rows[descriptor.name] = taken
    return Described(rows, readable, unreadable, filled.decoded)


def _open_sound(
    bank: Bank, recipe: Recipe, keys: NDArray[np.bytes_], asked: NDArray[np.bool_]
) -> tuple[Shelf, NDArray[np.bool_]]:
    """Map the rows of a recipe that this process is alone with, and throw damaged ones away.

    Returns:
        What is left, and which views had a row that was damaged, (v,). Where the rows' keys were,
        these are any views that are asked for and have no row, as many as were damaged.
    """
    was_damaged = np.zeros(len(keys), dtype=bool)
    shelf = bank.open(recipe)
    # Again, since another segment may have the same keys.
    while (is_bad := shelf.damaged(keys)).any() or shelf.lost:
        was_damaged |= is_bad
        if shelf.lost:
            missing = np.flatnonzero(asked & (shelf.find(keys) < 0))
            was_damaged[missing[: shelf.lost]] = True
        shelf.forget(keys[is_bad])
        shelf = bank.open(recipe)
    return shelf, was_damaged


def _missing(shelves: Sequence[Shelf], keys: NDArray[np.bytes_]) -> NDArray[np.bool_]:
    """Return which rows are not there: (v, descriptors)."""
    return np.stack([shelf.find(keys) < 0 for shelf in shelves], axis=1)
