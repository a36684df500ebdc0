"""What every data set is: a source that prepares itself and gives its photos."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from seentwice.records import Photo, Unreadable

Progress = Callable[[int, int], None]
"""Called with (done, total); a total of 0 is one that is not known."""


@dataclass(frozen=True, slots=True)
class PhotoSet:
    """The photos of one data set, sorted by key, not yet opened."""

    name: str
    photos: tuple[Photo, ...]
    unreadable: tuple[Unreadable, ...] = ()


class Source(Protocol):
    """A data set; its config names the class and its arguments."""

    def prepare(self, on_progress: Progress) -> None:
        """Make or fetch what is missing; do nothing the second time."""
        ...

    def read(self) -> PhotoSet:
        """Find the photos.

        Raises:
            UserError: the photos are not there or not as the data set names them.
        """
        ...
