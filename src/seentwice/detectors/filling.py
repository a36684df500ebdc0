"""Fill the bank: decode each photo once, edit it, and describe what is missing of its views."""

from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seentwice.bank.segment import SegmentWriter
from seentwice.data.source import Progress
from seentwice.detectors.descriptor import Descriptor
from seentwice.edits import apply_edit
from seentwice.files import digest_file
from seentwice.photos import PhotoError, read_photo
from seentwice.records import Reason, Unreadable, View

BATCH = 64
"""Views at once through the second step of a descriptor."""

Looks = list[tuple[int, dict[int, NDArray[Any]]]]
"""Number of a view, and its looks by the number of the descriptor."""


@dataclass(frozen=True, slots=True)
class Filled:
    """How filling went."""

    decoded: int  # photos
    unreadable: tuple[Unreadable, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Filling:
    """Computes the rows that are missing, and writes them as they come."""

    views: Sequence[View]
    contents: Sequence[bytes]
    keys: NDArray[np.bytes_]
    missing: NDArray[np.bool_]  # (v, descriptors)
    descriptors: Sequence[Descriptor]
    writers: Sequence[SegmentWriter]
    at_least: tuple[int, int] | None  # see `read_photo`

    def run(self, workers: int, max_pixels: int, on_progress: Progress) -> Filled:
        """Write the rows of every photo that lacks some; return how many, and which gave none."""
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
        return Filled(len(lacking) - len(unreadable), tuple(unreadable))

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
            image = read_photo(path, max_pixels, self.at_least)
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
