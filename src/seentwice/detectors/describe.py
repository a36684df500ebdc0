"""Rows for detectors: each photo is decoded once, whatever the number of edits and detectors."""

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from seentwice.data.source import Progress
from seentwice.edits import apply_edit
from seentwice.errors import UserError
from seentwice.photos import PhotoError, read_photo
from seentwice.records import Unreadable, View

Rows = Mapping[str, NDArray[Any]]
"""Rows by descriptor name; row i of each belongs to view i."""


BATCH = 32

Looks = list[tuple[int, list[NDArray[Any]]]]
"""Numbers of views, with a look by each descriptor; those for unedited views stand last."""


class Descriptor(Protocol):
    """Turns a view into one row of numbers, in two steps."""

    name: str

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
    descriptors: Sequence[Descriptor],
    workers: int,
    max_pixels: int,
    on_progress: Progress,
    unedited: Sequence[Descriptor] = (),
) -> Described:
    """Decode each photo once, apply the edits of its views, and describe every view.

    Args:
        views: v views; those of one photo stand next to each other.
        descriptors: what to compute; names differ.
        workers: decoding threads; the rows do not depend on their number.
        max_pixels: photos with more are listed as unreadable.
        on_progress: told of every photo.
        unedited: what to compute of the photos as they are alone; rows of edited views are 0.

    Raises:
        UserError: not one photo could be read.
    """
    readable = np.zeros(len(views), dtype=bool)
    unreadable: list[Unreadable] = []
    rows: dict[str, NDArray[Any]] = {}
    waiting: Looks = []

    def flush() -> None:
        for column, descriptor in enumerate([*descriptors, *unedited]):
            looked = [(number, looks[column]) for number, looks in waiting if column < len(looks)]
            if not looked:
                continue
            numbers = [number for number, _ in looked]
            block = descriptor.finish(np.stack([look for _, look in looked]))
            if descriptor.name not in rows:
                rows[descriptor.name] = np.zeros((len(views), *block.shape[1:]), block.dtype)
            rows[descriptor.name][numbers] = block
        readable[[number for number, _ in waiting]] = True
        waiting.clear()

    photos = [list(group) for _, group in groupby(enumerate(views), lambda item: item[1].photo)]
    decoded = _decode_all(photos, descriptors, unedited, workers, max_pixels)
    for done, outcome in enumerate(decoded, 1):
        if isinstance(outcome, Unreadable):
            unreadable.append(outcome)
        else:
            waiting.extend(outcome)
        if len(waiting) >= BATCH:
            flush()
        on_progress(done, len(photos))
    if waiting:
        flush()
    if not readable.any():
        first = f"; the first: {unreadable[0].name}: {unreadable[0].reason}" if unreadable else ""
        raise UserError(f"none of {len(photos)} photos could be read{first}")
    return Described(rows, readable, tuple(unreadable))


def _decode_all(
    photos: Sequence[Sequence[tuple[int, View]]],
    descriptors: Sequence[Descriptor],
    unedited: Sequence[Descriptor],
    workers: int,
    max_pixels: int,
) -> Iterator[Looks | Unreadable]:
    """Yield the looks of each photo's views in order, a bounded number of photos ahead."""
    ahead: deque[Future[Looks | Unreadable]] = deque()
    with ThreadPoolExecutor(workers) as pool:
        for photo in photos:
            ahead.append(pool.submit(_decode_one, photo, descriptors, unedited, max_pixels))
            if len(ahead) > 4 * workers:
                yield ahead.popleft().result()
        while ahead:
            yield ahead.popleft().result()


def _decode_one(
    views: Sequence[tuple[int, View]],
    descriptors: Sequence[Descriptor],
    unedited: Sequence[Descriptor],
    max_pixels: int,
) -> Looks | Unreadable:
    try:
        image = read_photo(views[0][1].photo.path, max_pixels)
    except PhotoError as error:
        return error.unreadable
    looks: Looks = []
    for number, view in views:
        shown = apply_edit(image, view.edit) if view.edit else image
        wanted = descriptors if view.edit else [*descriptors, *unedited]
        looks.append((number, [descriptor.look(shown) for descriptor in wanted]))
    return looks
