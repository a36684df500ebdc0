"""Files that gave no photo: the first on the terminal, all of them in a table of the run."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console

from seentwice.commands.progress import describe_unreadable, print_plainly
from seentwice.data.variants.tables import open_table
from seentwice.errors import UserError
from seentwice.photos.decoding import read_photo
from seentwice.photos.problems import PhotoError
from seentwice.records import Photo, Unreadable

TABLE = "unreadable.csv"
MOST_LISTED = 20


class UnreadableFiles:
    """Writes each file into the table as it comes; memory holds the first `MOST_LISTED` alone."""

    def __init__(
        self, table: Path, root: Path | None, write_row: Callable[[Sequence[object]], None]
    ) -> None:
        """Begin with none; see `open_unreadable`."""
        self._table = table
        self._root = root
        self._write_row = write_row
        self._first: list[Unreadable] = []
        self._count = 0

    def add(self, file: Unreadable) -> None:
        """Write its row.

        Raises:
            OSError: the disk is full.
        """
        inside = None if self._root is None else file.path.relative_to(self._root).as_posix()
        self._write_row((inside or file.name, file.reason.value, file.detail))
        self._count += 1
        if len(self._first) < MOST_LISTED:
            self._first.append(file)

    def describe(self) -> list[str]:
        """Return a line for each of the first, and one that names the table of all."""
        lines = [describe_unreadable(file) for file in self._first]
        if self._count > len(self._first):
            lines.append(f"  and {self._count - len(self._first):,} more, in {self._table}")
        return lines


@contextmanager
def open_unreadable(table: Path, root: Path | None) -> Iterator[UnreadableFiles]:
    """Write a table of files that gave no photo, which appears whole when the block ends.

    Args:
        table: its path.
        root: the folder below which the table names the files; None for whole paths.

    Raises:
        OSError: the folder cannot be written.
    """
    with open_table(table, ("file", "reason", "detail")) as write_row:
        yield UnreadableFiles(table, root, write_row)


def require_readable(photos: Sequence[Photo], max_pixels: int) -> None:
    """Decode photos until one is readable: what else is wrong does not matter before.

    Raises:
        UserError: not one can be read.
    """
    first = None
    for photo in photos:
        try:
            read_photo(photo.path, max_pixels)
        except PhotoError as error:
            first = first or error.unreadable
        else:
            return
    assert first is not None
    raise UserError(
        f"none of {len(photos):,} photos could be read; the first: {first.name}: {first.reason}"
    )


@contextmanager
def listing_unreadable(files: Sequence[Unreadable], console: Console) -> Iterator[None]:
    """Where the block ends with an error that the user can mend, list the files that gave no photo.

    They may be why there is too little left; a run that fails writes no table of them.
    """
    try:
        yield
    except UserError:
        for file in files[:MOST_LISTED]:
            print_plainly(describe_unreadable(file), console)
        if len(files) > MOST_LISTED:
            print_plainly(f"  and {len(files) - MOST_LISTED:,} more", console)
        raise


def report_unreadable(files: Sequence[Unreadable], folder: Path) -> list[str]:
    """Write `TABLE` into the run's folder where there is something to list; return the lines.

    Raises:
        OSError: the folder cannot be written.
    """
    if not files:
        return []
    with open_unreadable(folder / TABLE, None) as listed:
        for file in files:
            listed.add(file)
    return listed.describe()
