"""Rows in a file, and their keys in another, which says how many of the rows are whole.

Rows reach the disk before their keys do. So of a fill that was killed, or of a computer that lost
its power, just those rows count that are whole; the next fill computes the rest.
"""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import FileIO
from pathlib import Path
from time import gmtime, strftime
from types import TracebackType

import numpy as np
from numpy.typing import NDArray

from seentwice.bank.recipe import KEY, Recipe
from seentwice.display import show_text
from seentwice.files import UnwritableError, write_atomically

ROWS, KEYS, ABOUT = ".rows", ".keys", ".json"


@dataclass(frozen=True, slots=True, eq=False)
class Segment:
    """The rows that one fill added."""

    path: Path  # of its files, without their extensions
    keys: NDArray[np.bytes_]  # (n,)
    rows: NDArray[np.generic]  # (n, ...) memory-mapped; what is written to it stays in memory


def read_segment(path: Path, recipe: Recipe) -> Segment:
    """Map what is whole of a segment.

    Args:
        path: of its files, without their extensions.
        recipe: of its rows.

    Raises:
        OSError: a file is gone, or cannot be read.
    """
    with path.with_suffix(KEYS).open("rb") as file:
        data = file.read()
    rows_file = path.with_suffix(ROWS)
    whole = min(len(data) // KEY.itemsize, rows_file.stat().st_size // recipe.row_bytes)
    keys = np.frombuffer(data, KEY, whole)
    shape = (whole, *recipe.shape)
    if whole == 0:
        return Segment(path, keys, np.empty(shape, recipe.dtype))
    # Copy on write: torch wants arrays that could be written to.
    return Segment(path, keys, np.memmap(rows_file, recipe.dtype, "c", shape=shape))


class SegmentWriter:
    """Appends rows to a new segment, whose files are made with the first; a context manager."""

    def __init__(self, path: Path, recipe: Recipe, data: str) -> None:
        """Begin a segment.

        Args:
            path: of its files, without their extensions; they must not be there.
            recipe: of its rows.
            data: name of the data set, for people.
        """
        self.path = path
        self.recipe = recipe
        self.data = data
        self._files: tuple[FileIO, FileIO] | None = None  # of rows and keys
        self._is_whole = True

    def append(self, keys: NDArray[np.bytes_], rows: NDArray[np.generic]) -> None:
        """Write rows (n, ...) to the disk, and then their keys (n,).

        Raises:
            UnwritableError: the folder cannot be written, or the disk is full.
            ValueError: other rows than the recipe's, or after an error of the disk: a part of a
                row may stand at the end, so that no row after it would be at its place.
        """
        if rows.shape != (len(keys), *self.recipe.shape):
            raise ValueError(f"{len(keys)} keys, {self.recipe.shape} a row: got {rows.shape}")
        if not self._is_whole:
            raise ValueError(f"{self.path}: ends with what could not be written")
        self._is_whole = False
        with explain_unwritable(self.path.parent):
            if self._files is None:
                self._files = self._make_files()
            for file, values in zip(
                self._files,
                (np.ascontiguousarray(rows, self.recipe.dtype), np.ascontiguousarray(keys, KEY)),
                strict=True,
            ):
                _write_whole(file.fileno(), values.tobytes())
                os.fsync(file.fileno())
        self._is_whole = True

    def _make_files(self) -> tuple[FileIO, FileIO]:
        about = {"data": self.data, "begun": strftime("%Y-%m-%dT%H:%M:%SZ", gmtime())}
        write_atomically(self.path.with_suffix(ABOUT), json.dumps(about))
        rows, keys = (FileIO(self.path.with_suffix(suffix), "x") for suffix in (ROWS, KEYS))
        return rows, keys

    def __enter__(self) -> "SegmentWriter":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for file in self._files or ():
            file.close()


@contextmanager
def explain_unwritable(folder: Path) -> Iterator[None]:
    """Tell of what goes wrong in the block with a bank's files in one line.

    Args:
        folder: in which the block writes.

    Raises:
        UnwritableError: the block raised an OSError.
    """
    try:
        yield
    except UnwritableError:
        raise
    except OSError as error:
        raise UnwritableError(
            f"rows cannot be written in {show_text(str(folder.absolute()))} "
            f"({error.strerror or error}); make room there, or choose another bank.folder"
        ) from error


def _write_whole(descriptor: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]
