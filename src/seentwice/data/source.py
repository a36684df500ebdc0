"""What every data set is: a source that prepares itself and gives its photos."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, runtime_checkable

from seentwice.data.tabular.rejects import Rejects, RejectSummary
from seentwice.records import Listing, ListingPair, Photo, Unreadable

Progress = Callable[[int, int], None]
"""Called with (done, total); a total of 0 is one that is not known."""


@dataclass(frozen=True, slots=True)
class PhotoSet:
    """The photos of one data set, sorted by key, not yet opened."""

    name: str
    photos: tuple[Photo, ...]
    unreadable: tuple[Unreadable, ...] = ()
    rejected: RejectSummary | None = None  # rows of the table that names the photos
    home: tuple[str, str] = ("home", "homes")  # what a property of the set is called, and several
    homes_hint: str = ""  # what would name the homes of photos that have none
    zones_hint: str = ""  # how a user tells that photos of two places are never a negative pair
    notes: tuple[str, ...] = ()  # what else to know of the set, one line each
    origin: str = ""  # where everybody finds it, an address or words; "" for photos of a user's own


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


@runtime_checkable
class ForgivingSource(Protocol):
    """A data set that remembers what it could not fetch, and leaves it out."""

    def forget_failures(self) -> None:
        """Let `prepare` try again what could not be fetched."""
        ...


@runtime_checkable
class ExportingSource(Protocol):
    """A data set that can write itself in another format, where its settings ask for it."""

    json: Path | None
    """The file to write; None for none."""

    def export(self, on_progress: Progress) -> None:
        """Write it; `seentwice prepare` alone calls this."""
        ...


@runtime_checkable
class ListingSource(Protocol):
    """A data set of listings with text, read one at a time: no photo is opened."""

    rejects: Path
    """Where malformed rows are written, with line and reason."""

    def prepare(self, on_progress: Progress) -> None:
        """Make or fetch what is missing; do nothing the second time."""
        ...

    def read_listings(self, rejects: Rejects, on_progress: Progress) -> Iterator[Listing]:
        """Yield each listing once.

        Args:
            rejects: told of every malformed row.
            on_progress: told of the bytes that are read.

        Raises:
            UserError: a file is missing or not what the data set needs, or no row can be read.
        """
        ...

    def read_pairs(self, rejects: Rejects, on_progress: Progress) -> Iterator[ListingPair]:
        """Yield the pairs that the data set labels, if any; see `read_listings`."""
        ...

    def photo_file(self, reference: str) -> Path | None:
        """Return where a photo of a listing should lie; None where it is not to be here."""
        ...


def tell_nobody(done: int, total: int) -> None:
    """Show no progress."""
