"""What looked at the photos of an index, opened only where it has to look at another."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from seentwice.data.source import Progress
from seentwice.display import show_text
from seentwice.errors import UserError
from seentwice.recommend.photo_reader import PhotoReader, SeenPhotos
from seentwice.recommend.snapshot import About
from seentwice.records import TagSet


@dataclass(frozen=True)
class RememberedReader:
    """A reader as an index remembers it; opened once."""

    about: About
    workers: int

    @property
    def fingerprint(self) -> str:
        """That of the index."""
        return self.about.fingerprint

    @property
    def tags(self) -> TagSet:
        """Those of the index."""
        return self.about.tags

    def read(self, files: Sequence[Path], on_progress: Progress) -> Iterator[SeenPhotos]:
        """Yield what the checkpoint sees of files, in their order.

        Raises:
            UserError: the checkpoint is gone, or another one by now.
        """
        yield from self._reader.read(files, on_progress)

    @cached_property
    def _reader(self) -> PhotoReader:
        from seentwice.recommend.readers import open_reader  # brings torch

        choice = self.about.reader
        reader = open_reader(choice, self.workers)
        if reader.fingerprint != self.fingerprint:
            raise UserError(
                f"{show_text(choice.checkpoint)} is not what the index was made with, or passes "
                f"photos otherwise here; name it again: seentwice index PHOTOS --{choice.kind}"
            )
        return reader
