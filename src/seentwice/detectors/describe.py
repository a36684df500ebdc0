"""Rows for detectors: each photo is decoded once, whatever the number of edits and detectors.

Rows that the bank has are not computed again, and a photo all of whose rows are there is not
decoded.
"""

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any, Protocol

import numpy as np
import PIL
from numpy.typing import NDArray
from PIL import Image

from seentwice.bank.bank import Bank
from seentwice.bank.recipe import Recipe, row_keys
from seentwice.bank.segment import SegmentWriter
from seentwice.bank.shelf import Shelf
from seentwice.data.source import Progress
from seentwice.edits import apply_edit
from seentwice.errors import UserError
from seentwice.files import digest_file
from seentwice.photos import PhotoError, read_photo
from seentwice.records import Reason, Unreadable, View

Rows = Mapping[str, NDArray[Any]]
"""Rows by descriptor name; row i of each belongs to view i."""

BATCH = 64
"""Views at once through the second step of a descriptor."""
DECODING = (("photos", "1"), ("pillow", PIL.__version__))
"""What decides the pixels of a view besides its file and edit; the number counts our changes."""


class Descriptor(Protocol):
    """Turns a view into one row of numbers, in two steps."""

    name: str

    @property
    def recipe(self) -> Recipe:
        """Everything that decides a row besides the view's pixels."""
        ...

    def look(self, image: Image.Image) -> NDArray[Any]:
        """Reduce one RGB photo to what the second step needs; called from several threads."""
        ...

    def finish(self, looks: NDArray[Any]) -> NDArray[Any]:
        """Turn a stack of b looks into b rows, in one thread."""
        ...


@dataclass(frozen=True, slots=True)
class Described:
    """The rows of all views, and which views have none."""

    rows: Rows
    readable: NDArray[np.bool_]  # (v,)
    unreadable: tuple[Unreadable, ...]


def describe_views(
    views: Sequence[View],
    contents: Sequence[bytes],
    descriptors: Sequence[Descriptor],
    bank: Bank,
    data: str,
    workers: int,
    max_pixels: int,
    on_progress: Progress,
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

    Raises:
        UserError: not one photo could be read, or the bank has no room.
    """
    decoding = (*DECODING, ("max_pixels", str(max_pixels)))
    recipes = [
        replace(descriptor.recipe, parts=(*descriptor.recipe.parts, *decoding))
        for descriptor in descriptors
    ]
    keys = row_keys(contents, [view.edit for view in views])
    unreadable: tuple[Unreadable, ...] = ()
    shelves = [bank.open(recipe) for recipe in recipes]
    if _missing(shelves, keys).any():
        with bank.alone(recipes, lambda: on_progress(0, 0)):
            # Once more: another process may have filled them before this one was alone.
            shelves = [bank.open(recipe) for recipe in recipes]
            missing = _missing(shelves, keys)
            if missing.any():
                wanted = sum(
                    int(column.sum()) * recipe.row_bytes
                    for column, recipe in zip(missing.T, recipes, strict=True)
                )
                needed = {path for shelf in shelves for path in shelf.needed(keys)}
                bank.make_room(wanted, recipes, needed)
                with ExitStack() as open_files:
                    writers = [
                        open_files.enter_context(bank.begin_segment(recipe, data))
                        for recipe in recipes
                    ]
                    filling = _Filling(views, contents, keys, missing, descriptors, writers)
                    unreadable = filling.run(workers, max_pixels, on_progress)
            shelves = [bank.open(recipe) for recipe in recipes]
    readable = ~_missing(shelves, keys).any(axis=1)
    broken = {file.path for file in unreadable}
    if any(
        view.photo.path not in broken for view, ok in zip(views, readable, strict=True) if not ok
    ):
        raise UserError(f"{bank.folder}: rows were taken out during the run; run the command again")
    if not readable.any():
        first = f"; the first: {unreadable[0].path}: {unreadable[0].reason}" if unreadable else ""
        photos = len({view.photo for view in views})
        raise UserError(f"none of {photos} photos could be read{first}")
    rows = {
        descriptor.name: shelf.take(keys)
        for descriptor, shelf in zip(descriptors, shelves, strict=True)
    }
    return Described(rows, readable, unreadable)


def _missing(shelves: Sequence[Shelf], keys: NDArray[np.bytes_]) -> NDArray[np.bool_]:
    """Return which rows are not there: (v, descriptors)."""
    return np.stack([shelf.find(keys) < 0 for shelf in shelves], axis=1)


Looks = list[tuple[int, dict[int, NDArray[Any]]]]
"""Number of a view, and its looks by the number of the descriptor."""


@dataclass(frozen=True, slots=True, eq=False)
class _Filling:
    """Computes the rows that are missing, and writes them as they come."""

    views: Sequence[View]
    contents: Sequence[bytes]
    keys: NDArray[np.bytes_]
    missing: NDArray[np.bool_]  # (v, descriptors)
    descriptors: Sequence[Descriptor]
    writers: Sequence[SegmentWriter]

    def run(self, workers: int, max_pixels: int, on_progress: Progress) -> tuple[Unreadable, ...]:
        """Write the rows of every photo that lacks some; return those that gave none."""
        unreadable: list[Unreadable] = []
        waiting: Looks = []
        numbered = enumerate(self.views)
        photos = [list(group) for _, group in groupby(numbered, lambda item: item[1].photo)]
        lacking = [photo for photo in photos if self.missing[[n for n, _ in photo]].any()]
        for done, outcome in enumerate(self._decode_all(lacking, workers, max_pixels), 1):
            if isinstance(outcome, Unreadable):
                unreadable.append(outcome)
            else:
                waiting.extend(outcome)
            while len(waiting) >= BATCH:
                self._write(waiting[:BATCH])
                del waiting[:BATCH]
            on_progress(done, len(lacking))
        if waiting:
            self._write(waiting)
        return tuple(unreadable)

    def _write(self, waiting: Looks) -> None:
        for column, (descriptor, writer) in enumerate(
            zip(self.descriptors, self.writers, strict=True)
        ):
            chosen = [(number, looks[column]) for number, looks in waiting if column in looks]
            if chosen:
                rows = descriptor.finish(np.stack([look for _, look in chosen]))
                writer.append(self.keys[[number for number, _ in chosen]], rows)

    def _decode_all(
        self, photos: Sequence[Sequence[tuple[int, View]]], workers: int, max_pixels: int
    ) -> Iterator[Looks | Unreadable]:
        """Yield the looks of each photo's views in order, a bounded number of photos ahead."""
        ahead: deque[Future[Looks | Unreadable]] = deque()
        with ThreadPoolExecutor(workers) as pool:
            for photo in photos:
                ahead.append(pool.submit(self._decode_one, photo, max_pixels))
                if len(ahead) > 4 * workers:
                    yield ahead.popleft().result()
            while ahead:
                yield ahead.popleft().result()

    def _decode_one(self, views: Sequence[tuple[int, View]], max_pixels: int) -> Looks | Unreadable:
        path = views[0][1].photo.path
        try:
            image = read_photo(path, max_pixels)
        except PhotoError as error:
            return error.unreadable
        # Rows outlive the run: they must not be kept under the name of other bytes.
        if digest_file(path) != self.contents[views[0][0]]:
            return Unreadable(path, Reason.DAMAGED, "the file changed during the run")
        looks: Looks = []
        for number, view in views:
            wanted = np.flatnonzero(self.missing[number]).tolist()
            if wanted:
                edited = apply_edit(image, view.edit) if view.edit else image
                looks.append((number, {n: self.descriptors[n].look(edited) for n in wanted}))
        return looks
