"""Rows in a file, and their keys in another, which says how many of the rows are whole.

Rows reach the disk before their keys do. So of a fill that was killed, or of a computer that lost
its power, just those rows count that are whole; the next fill computes the rest. A key stands with
the sum of its row and a sum of its own, which tell what was damaged later.
"""

import json
import os
import zlib
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

RECORD = np.dtype([("key", KEY), ("row_sum", "<u4"), ("own_sum", "<u4")])
"""What stands in the file of keys for each row; one of zeros alone is of no row.

`row_sum` is the crc32 of the row, `own_sum` that of the record before it: FNV-1a of its words.
"""


@dataclass(frozen=True, slots=True, eq=False)
class Segment:
    """The rows that one fill added."""

    path: Path  # of its files, without their extensions
    records: NDArray[np.void]  # (n,) of RECORD
    is_sound: NDArray[np.bool_]  # (n,) whether a record's own sum is right
    rows: NDArray[np.generic]  # (n, ...) memory-mapped; what is written to it stays in memory
    lost: int  # records that are damaged, or whose row is not there any more

    def check_rows(self, numbers: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Say of rows, (k,) numbers, whether their sums are right: (k,)."""
        size = self.rows.nbytes // max(1, len(self.rows))
        data = np.asarray(self.rows).reshape(-1).view(np.uint8).data
        sums = [zlib.crc32(data[n * size : (n + 1) * size]) for n in numbers.tolist()]
        is_right: NDArray[np.bool_] = np.array(sums, np.uint32) == self.records["row_sum"][numbers]
        return is_right

    def forget(self, numbers: NDArray[np.int64]) -> None:
        """Take damaged rows out of the file of keys; all files go where it has no others.

        The caller is alone with the segment.

        Args:
            numbers: (k,) of the rows besides those whose record is damaged.

        Raises:
            OSError: the folder cannot be written.
        """
        is_kept = self.is_sound.copy()
        is_kept[numbers] = False
        if is_kept.any():
            records = self.records.copy()
            records[~is_kept] = np.zeros((), RECORD)
            write_atomically(self.path.with_suffix(KEYS), records.tobytes())
        else:
            for suffix in (KEYS, ROWS, ABOUT):
                self.path.with_suffix(suffix).unlink(missing_ok=True)


@dataclass(frozen=True, slots=True)
class Count:
    """The rows of a segment."""

    found: int  # that can be
    damaged: int  # whose record is
    cut: int  # whose record is there, and of which the file of rows holds nothing or a part


def read_segment(path: Path, recipe: Recipe) -> Segment:
    """Map what is whole of a segment.

    Args:
        path: of its files, without their extensions.
        recipe: of its rows.

    Raises:
        OSError: the keys are gone, or a file cannot be read.
    """
    records = _read_records(path)
    rows_file = path.with_suffix(ROWS)
    stored = _count_stored(path, recipe.row_bytes)
    whole = min(len(records), stored)
    is_sound = _are_sound(records)
    lost = int(_are_damaged(records, is_sound).sum() + is_sound[whole:].sum())
    if lost and not is_sound.any():  # such as of another version, whose records are shorter
        lost = max(lost, stored)
    shape = (whole, *recipe.shape)
    # Copy on write: torch wants arrays that could be written to.
    rows = (
        np.memmap(rows_file, recipe.dtype, "c", shape=shape)
        if whole
        else np.empty(shape, recipe.dtype)
    )
    return Segment(path, records[:whole], is_sound[:whole], rows, lost)


def count_rows(path: Path, row_bytes: int) -> Count:
    """Return how many rows of a segment can be found; whether they are damaged is not looked at.

    Args:
        path: of its files, without their extensions.
        row_bytes: the size of a row.

    Raises:
        OSError: a file cannot be read.
    """
    try:
        records = _read_records(path)
        stored = _count_stored(path, row_bytes)
    except FileNotFoundError:
        return Count(0, 0, 0)
    is_sound = _are_sound(records)
    found = int(is_sound[:stored].sum())
    return Count(found, int(_are_damaged(records, is_sound).sum()), int(is_sound.sum()) - found)


def holds_records(path: Path) -> bool:
    """Say whether a segment's file of keys is there and holds a record, be it a damaged one.

    Args:
        path: of its files, without their extensions.

    Raises:
        OSError: the file cannot be read.
    """
    try:
        return bool((_read_records(path) != np.zeros((), RECORD)).any())
    except FileNotFoundError:
        return False


def _read_records(path: Path) -> NDArray[np.void]:
    data = path.with_suffix(KEYS).read_bytes()
    return np.frombuffer(data, RECORD, len(data) // RECORD.itemsize)


def _count_stored(path: Path, row_bytes: int) -> int:
    """Return how many rows the file of rows has room for; 0 where only the keys are left.

    Raises:
        FileNotFoundError: the keys are gone as well, which a process that throws rows away removes
            before them.
    """
    try:
        return path.with_suffix(ROWS).stat().st_size // row_bytes
    except FileNotFoundError:
        if not path.with_suffix(KEYS).exists():
            raise
        return 0


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
            data = np.ascontiguousarray(rows, self.recipe.dtype).tobytes()
            records = _make_records(keys, data, self.recipe.row_bytes).tobytes()
            for file, values in zip(self._files, (data, records), strict=True):
                _write_whole(file.fileno(), values)
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


def _make_records(keys: NDArray[np.bytes_], rows: bytes, row_bytes: int) -> NDArray[np.void]:
    records = np.zeros(len(keys), RECORD)
    records["key"] = keys
    view = memoryview(rows)
    records["row_sum"] = [
        zlib.crc32(view[first : first + row_bytes]) for first in range(0, len(view), row_bytes)
    ]
    records["own_sum"] = _sum_records(records)
    return records


def _are_sound(records: NDArray[np.void]) -> NDArray[np.bool_]:
    is_sound: NDArray[np.bool_] = records["own_sum"] == _sum_records(records)
    return is_sound


def _are_damaged(records: NDArray[np.void], is_sound: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Say which records are of rows that cannot be found: of those that are not sound, (n,)."""
    # Zeros may also be what a computer that lost its power left of an append.
    is_none = records == np.zeros((), RECORD)
    is_damaged: NDArray[np.bool_] = ~(is_sound | is_none)
    return is_damaged


def _sum_records(records: NDArray[np.void]) -> NDArray[np.uint32]:
    """Return what `own_sum` must be, (n,); of zeros it is another number."""
    words = records.view(np.dtype("<u4")).reshape(-1, RECORD.itemsize // 4)
    sums = np.full(len(records), 0x811C9DC5, np.uint32)
    for word in words[:, :-1].T:
        sums = (sums ^ word) * np.uint32(0x01000193)
    return sums


def _write_whole(descriptor: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]
