"""Fill the bank: decode each photo once, edit it, and describe what is missing of its views."""

from collections import deque
from collections.abc import Generator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, closing
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seentwice.bank.segment import SegmentWriter
from seentwice.data.source import Progress
from seentwice.detectors.descriptor import Descriptor, ThreadedDescriptor
from seentwice.edits import apply_edit
from seentwice.files import digest_file
from seentwice.photos import PhotoError, read_photo
from seentwice.records import Photo, Reason, Unreadable, View

BATCH = 64
"""Views at once through the second step of a descriptor; more where it has threads for more."""

Numbered = Sequence[tuple[int, View]]
"""The views of one photo with their numbers."""

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
        """Write the rows of every photo that lacks some; return how many, and which gave none.

        Of views of one key, which have the same rows, the first is looked at; another one where the
        file of the first gives none.
        """
        is_first = np.zeros(len(self.keys), dtype=bool)
        is_first[first_of_each_key(self.keys)] = True
        first = self.missing & is_first[:, None]
        with ExitStack() as threads:
            threaded = [one for one in self.descriptors if isinstance(one, ThreadedDescriptor)]
            block = max([BATCH, *(one.looks_at_once for one in threaded)])
            for one in threaded:
                threads.enter_context(one)
            decoded, lost = self._fill(first, block, workers, max_pixels, on_progress)
            gave_none = sorted(lost)
            others = self.missing & ~is_first[:, None]
            others &= np.isin(self.keys, self.keys[gave_none])[:, None]
            others[gave_none] = False
            if others.any():
                more, also_lost = self._fill(others, block, workers, max_pixels, on_progress)
                decoded, lost = decoded + more, lost | also_lost
        return Filled(decoded, tuple(dict.fromkeys(lost[number] for number in sorted(lost))))

    def _fill(
        self,
        wanted: NDArray[np.bool_],
        block: int,
        workers: int,
        max_pixels: int,
        on_progress: Progress,
    ) -> tuple[int, dict[int, Unreadable]]:
        """Write the rows that are wanted, (v, descriptors), a block of views at a time.

        Returns:
            How many photos were decoded, and by number the views of those that gave none.
        """
        lost: dict[int, Unreadable] = {}
        waiting: Looks = []
        decoded = 0
        photos = [list(group) for _, group in groupby(enumerate(self.views), _photo_of)]
        lacking = [photo for photo in photos if wanted[[n for n, _ in photo]].any()]
        with closing(self._decode_all(lacking, wanted, workers, max_pixels)) as outcomes:
            for done, (photo, outcome) in enumerate(zip(lacking, outcomes, strict=True), 1):
                if isinstance(outcome, Unreadable):
                    lost.update((number, outcome) for number, _ in photo)
                else:
                    waiting.extend(outcome)
                    decoded += 1
                while len(waiting) >= block:
                    self._write(waiting[:block])
                    del waiting[:block]
                on_progress(done, len(lacking))
        if waiting:
            self._write(waiting)
        return decoded, lost

    def _write(self, waiting: Looks) -> None:
        for column, (descriptor, writer) in enumerate(
            zip(self.descriptors, self.writers, strict=True)
        ):
            chosen = [(number, looks[column]) for number, looks in waiting if column in looks]
            if chosen:
                rows = descriptor.finish(np.stack([look for _, look in chosen]))
                writer.append(self.keys[[number for number, _ in chosen]], rows)

    def _decode_all(
        self,
        photos: Sequence[Numbered],
        wanted: NDArray[np.bool_],
        workers: int,
        max_pixels: int,
    ) -> Generator[Looks | Unreadable]:
        """Yield the looks of each photo's views in order, a bounded number of photos ahead."""
        ahead: deque[Future[Looks | Unreadable]] = deque()
        pool = ThreadPoolExecutor(workers)
        try:
            for photo in photos:
                ahead.append(pool.submit(self._decode_one, photo, wanted, max_pixels))
                if len(ahead) > 4 * workers:
                    yield ahead.popleft().result()
            while ahead:
                yield ahead.popleft().result()
        finally:
            pool.shutdown(cancel_futures=True)

    def _decode_one(
        self, views: Numbered, wanted: NDArray[np.bool_], max_pixels: int
    ) -> Looks | Unreadable:
        first, path = views[0][0], views[0][1].photo.path
        try:
            image = read_photo(path, max_pixels, self.at_least)
        except PhotoError as error:
            return error.unreadable
        # Rows outlive the run: they must not be kept under the name of other bytes.
        try:
            is_same = digest_file(path) == self.contents[first]
        except OSError:  # it is gone
            is_same = False
        if not is_same:
            return Unreadable(path, Reason.DAMAGED, "the file changed during the run")
        looks: Looks = []
        for number, view in views:
            columns = np.flatnonzero(wanted[number]).tolist()
            if columns:
                edited = apply_edit(image, view.edit) if view.edit else image
                looks.append((number, {n: self.descriptors[n].look(edited) for n in columns}))
        return looks


def first_of_each_key(keys: NDArray[np.bytes_]) -> NDArray[np.int64]:
    """Return the number of the first view of each key."""
    return np.unique(keys, return_index=True)[1]


def _photo_of(numbered: tuple[int, View]) -> Photo:
    return numbered[1].photo
