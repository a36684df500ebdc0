"""Rows that gave no record: counted, and written with their line and the reason."""

import csv
import io
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from seentwice.display import show_text
from seentwice.errors import UserError
from seentwice.files import open_atomically

COLUMNS = ("file", "line", "reason", "row")
KEPT = 3
"""So many of the first rejects are kept to be shown."""
_LONGEST_ROW = 2_000
"""Characters of a row that are written."""


class RowError(Exception):
    """Why a row gives no record; the message is the reason."""


@dataclass(frozen=True, slots=True)
class Reject:
    """One row that gave no record."""

    file: Path
    line: int  # of the row's first line, from 1
    reason: str

    def __str__(self) -> str:
        return f"line {self.line}: {self.reason}"


@dataclass(frozen=True, slots=True)
class RejectSummary:
    """How many rows gave no record."""

    count: int
    first: tuple[Reject, ...]  # at most `KEPT`
    path: Path | None  # lists all of them; None where they were only counted


@dataclass(slots=True)
class Rejects:
    """Takes the rejects of one reading; made by `collect_rejects`."""

    path: Path | None
    _stack: ExitStack
    count: int = 0
    _first: list[Reject] = field(default_factory=list)
    _first_of: dict[Path, Reject] = field(default_factory=dict)
    _count_of: Counter[Path] = field(default_factory=Counter)
    _file: BinaryIO | None = None

    def add(self, file: Path, line: int, reason: str, row: str) -> None:
        """Count a row that gave no record, and write it down.

        Args:
            file: where it stands.
            line: the row's first, from 1.
            reason: one line.
            row: as it stands in the file.

        Raises:
            OSError: the file of the rejects cannot be written.
        """
        reject = Reject(file, line, reason)
        if len(self._first) < KEPT:
            self._first.append(reject)
        self._first_of.setdefault(file, reject)
        self._count_of[file] += 1
        self.count += 1
        if self.path is not None:
            self._write(self.path, (str(file), line, reason, row[:_LONGEST_ROW]))

    def summary(self) -> RejectSummary:
        """Return what there was so far."""
        return RejectSummary(self.count, tuple(self._first), self.path)

    def check_any_read(self, file: Path, records: int) -> None:
        """End the reading of a file that gave not one record.

        Raises:
            UserError: it gave none; the first reason is quoted.
        """
        if records:
            return
        if file in self._first_of:
            rows = f"none of its {self._count_of[file]:,} rows can be read; the first"
            raise UserError(f"{file}: {rows}: {show_text(str(self._first_of[file]))}")
        raise UserError(f"{file}: holds no row; give a file with one row a record")

    def _write(self, path: Path, cells: tuple[str | int, ...]) -> None:
        if self._file is None:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = self._stack.enter_context(open_atomically(path))
            self._file.write(_csv_line(COLUMNS))
        self._file.write(_csv_line(cells))


@contextmanager
def collect_rejects(path: Path | None) -> Iterator[Rejects]:
    """Collect the rejects of a block in a CSV file with the columns `COLUMNS`.

    They are written as they come, and the file takes its name when the block has ended, be it with
    a UserError, whose message then names the file. Where there were none, a file that an earlier
    reading left is removed.

    Args:
        path: the file; None only counts.

    Raises:
        UserError: `path` holds something else, which is left as it is.
    """
    if path is not None:
        _check_replaceable(path)
    stopped: UserError | None = None
    with ExitStack() as stack:
        rejects = Rejects(path, stack)
        try:
            yield rejects
        except UserError as error:
            stopped = error
    if path is not None and not rejects.count:
        path.unlink(missing_ok=True)
    if stopped is not None and path is not None and rejects.count:
        raise UserError(f"{stopped}; the rejected rows are in {path}") from stopped
    if stopped is not None:
        raise stopped


def _check_replaceable(path: Path) -> None:
    """Let nothing be overwritten but what an earlier reading left.

    Raises:
        UserError: there is something else.
    """
    if not path.exists():
        return
    header = _csv_line(COLUMNS)
    try:
        # Not opened where it is no file: a FIFO would hang.
        begin = b"" if not path.is_file() else _read_begin(path, len(header))
    except OSError as error:
        raise UserError(
            f"data.rejects={path}: cannot be read ({error.strerror}); name another file"
        ) from error
    if begin != header:
        raise UserError(
            f"data.rejects={path}: holds no rejected rows, and is not overwritten; name another "
            "file"
        )


def _read_begin(path: Path, count: int) -> bytes:
    with path.open("rb") as file:
        return file.read(count)


def _csv_line(cells: tuple[str | int, ...]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerow(cells)
    # Halves of surrogate pairs, which JSON can name, and bytes that were no UTF-8.
    return text.getvalue().encode("utf-8", "backslashreplace")
