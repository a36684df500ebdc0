"""The index of a folder on this machine, as `seentwice index` writes it."""

import os
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

from seentwice.dedupe.checking import CheckSettings, PhotoChecker
from seentwice.dedupe.findings import Match
from seentwice.display import show_text
from seentwice.errors import UserError
from seentwice.index.store import PhotoStore
from seentwice.recommend.photo_reader import PhotoReader
from seentwice.recommend.readers import open_reader
from seentwice.recommend.recommender import Recommender
from seentwice.recommend.snapshot import About, mark_snapshot
from seentwice.web.photo_writer import mark_table


@dataclass(frozen=True, slots=True)
class FolderSource:
    """An index in a folder."""

    folder: Path
    max_pixels: int  # of a photo that is looked at
    workers: int  # threads that look at photos

    def open(self) -> Recommender:
        """Open it as it is now.

        Raises:
            UserError: there is none, or it is damaged.
        """
        recommender = Recommender.open(self.folder)
        recommender.prepare()
        return recommender

    def open_reader(self, about: About) -> PhotoReader:
        """Open what its photos were looked at with.

        Raises:
            UserError: the checkpoint is gone, or another one by now.
        """
        choice = replace(about.reader, max_pixels=min(self.max_pixels, about.reader.max_pixels))
        reader = open_reader(choice, self.workers)
        if reader.fingerprint != about.fingerprint:
            raise UserError(
                f"{show_text(choice.checkpoint)} is not what the index was made with, or passes "
                f"photos otherwise here; name it again: seentwice index PHOTOS --{choice.kind}"
            )
        return reader

    def mark(self) -> object:
        """Return what changes when another index is there to be opened."""
        return mark_snapshot(self.folder)


class CopyChecker:
    """Asks an index for copies, in the one thread that its table is open in.

    Another table that took the place of this one is opened instead; one that is gone is asked on.
    """

    def __init__(self, folder: Path, max_pixels: int) -> None:
        """Open the table of photos.

        Args:
            folder: of the index.
            max_pixels: a photo with more is not decoded.

        Raises:
            UserError: there is none, or it is damaged.
        """
        self._folder = folder
        self._settings = CheckSettings(10, 0.5, True, max_pixels, os.cpu_count() or 1)
        self._thread = ThreadPoolExecutor(1, "check")
        self._mark = mark_table(folder)
        self._checker = self._thread.submit(self._open).result()

    def submit(self, photo: Path) -> Future[list[Match]]:
        """Ask for the photos that a file is a copy of; see `PhotoChecker.check`."""
        return self._thread.submit(self._check, photo)

    def close(self) -> None:
        """Finish what runs."""
        self._thread.submit(self._checker.store.close)
        self._thread.shutdown()

    def _open(self) -> PhotoChecker:
        return PhotoChecker(PhotoStore.open_to_read(self._folder, _wait), self._settings)

    def _check(self, photo: Path) -> list[Match]:
        mark = mark_table(self._folder)
        if mark not in (None, self._mark):
            before, self._checker = self._checker, self._open()
            before.store.close()
            self._mark = mark
        return self._checker.check(photo)


def _wait() -> None:
    """Wait while another process writes."""


CheckCopies = Callable[[Path], "Future[list[Match]]"]
"""Finds the photos of an index that a file is a copy of."""
