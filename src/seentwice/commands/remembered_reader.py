"""What looked at the photos of an index, opened only where it has to look at another."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from seentwice.data.source import Progress
from seentwice.display import show_text
from seentwice.errors import UserError
from seentwice.recommend.photo_reader import SeenPhotos
from seentwice.recommend.snapshot import About
from seentwice.records import TagSet


@dataclass(frozen=True, slots=True)
class RememberedReader:
    """A reader as an index remembers it."""

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
        """Open the checkpoint, and yield what it sees of files, in their order.

        Raises:
            UserError: the checkpoint is gone, or another one by now.
        """
        from seentwice.recommend.readers import open_reader  # brings torch

        choice = self.about.reader
        reader = open_reader(choice, self.workers)
        if reader.fingerprint != self.fingerprint:
            raise UserError(
                f"{show_text(choice.checkpoint)} is not what the index was made with, or passes "
                f"photos otherwise here; name it again: seentwice index PHOTOS --{choice.kind}"
            )
        yield from reader.read(files, on_progress)
