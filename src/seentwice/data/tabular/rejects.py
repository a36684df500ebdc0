"""Rows that gave no record, and cells that gave no value: counted, and written with the reason."""

import csv
import io
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from seentwice.data.tabular.inputs import make_folder_of
from seentwice.display import show_text
from seentwice.errors import UserError
from seentwice.files import open_atomically

COLUMNS = ("file", "line", "reason", "row")
KEPT = 3
"""So many of the first rejects are kept to be shown."""
_LONGEST_ROW = 2_000
"""Characters of a row that are written."""
NOT_UTF_8 = "not UTF-8"
"""How the reason begins of a row in another encoding; one hint is given for them all."""
_NOT_UTF_8_SHARE = 0.01
"""Of the rows of a file: with fewer a few bytes are damaged, with more it was saved otherwise."""


class RowError(Exception):
    """Why a row gives no record; the message is the reason."""


@dataclass(frozen=True, slots=True)
class Reject:
    """One row that gave no record, or one that did without a cell."""

    file: Path
    line: int  # of the row's first line, from 1
    reason: str

    def __str__(self) -> str:
        return f"line {self.line}: {self.reason.removesuffix(f' of line {self.line}')}"


@dataclass(frozen=True, slots=True)
class RejectSummary:
    """How many rows gave no record, and how many cells no value."""

    count: int
    first: tuple[Reject, ...]  # at most `KEPT`
    path: Path | None  # lists all of them; None where they were only counted
    cells: int = 0  # whose rows gave a record all the same
    first_cells: tuple[Reject, ...] = ()  # at most `KEPT`
    hints: tuple[str, ...] = ()  # one line each: what many rows have in common, what to do


@dataclass(slots=True)
class Rejects:
    """Takes the rejects of one reading; made by `collect_rejects`."""

    path: Path | None
    _stack: ExitStack
    count: int = 0
    cells: int = 0
    _first: list[Reject] = field(default_factory=list)
    _first_cells: list[Reject] = field(default_factory=list)
    _hints: list[str] = field(default_factory=list)
    _first_of: dict[Path, Reject] = field(default_factory=dict)
    _count_of: Counter[Path] = field(default_factory=Counter)
    _not_utf_8_in: Counter[Path] = field(default_factory=Counter)
    _file: BinaryIO | None = None

    def add(self, file: Path, line: int, reason: str, row: str) -> None:
        """Count a row that gave no record, and write it down.

        Args:
            file: where it stands.
            line: the row's first, from 1.
            reason: one line.
            row: as it stands in the file.

        Raises:
            UserError: their folder cannot be made.
            OSError: the file of the rejects cannot be written.
        """
        reject = Reject(file, line, reason)
        if len(self._first) < KEPT:
            self._first.append(reject)
        self._first_of.setdefault(file, reject)
        self._count_of[file] += 1
        self._not_utf_8_in[file] += reason.startswith(NOT_UTF_8)
        self.count += 1
        self._write(reject, row)

    def add_cell(self, file: Path, line: int, reason: str, row: str) -> None:
        """Count a cell that gave no value to a record that is kept, and write it down.

        Args:
            file: see `add`, as for the others.
            line: the row's first, from 1.
            reason: one line, which says that the row is kept.
            row: as it stands in the file.

        Raises:
            UserError: their folder cannot be made.
            OSError: the file of the rejects cannot be written.
        """
        reject = Reject(file, line, reason)
        if len(self._first_cells) < KEPT:
            self._first_cells.append(reject)
        self.cells += 1
        self._write(reject, row)

    def add_hint(self, hint: str) -> None:
        """Note one line that is shown after the first rejects, once however often it comes."""
        if hint not in self._hints:
            self._hints.append(hint)

    def summary(self) -> RejectSummary:
        """Return what there was so far."""
        return RejectSummary(
            self.count,
            tuple(self._first),
            self.path,
            self.cells,
            tuple(self._first_cells),
            tuple(self._hints),
        )

    def end_file(self, file: Path, records: int) -> None:
        """End the reading of a file, and give a hint where it is in another encoding.

        Args:
            file: as it was told to `add`.
            records: how many it gave.

        Raises:
            UserError: it gave none; the first reason is quoted.
        """
        rejected, not_utf_8 = self._count_of[file], self._not_utf_8_in[file]
        is_otherwise = not_utf_8 > _NOT_UTF_8_SHARE * (records + rejected)
        if not records and not rejected:
            raise UserError(f"{file}: holds no row; give a file with one row a record")
        if not records:
            rows = f"none of its {rejected:,} rows can be read; the first"
            what = "; save the file in UTF-8" if is_otherwise else ""
            raise UserError(f"{file}: {rows}: {show_text(str(self._first_of[file]))}{what}")
        if is_otherwise:
            rows = f"{not_utf_8:,} of its {records + rejected:,} rows"
            self.add_hint(f"{file}: {rows} are not UTF-8; save the file in UTF-8 and read it again")

    @property
    def is_written(self) -> bool:
        """Whether the file was begun."""
        return self._file is not None

    def _write(self, reject: Reject, row: str) -> None:
        if self.path is not None:
            cells = (str(reject.file), reject.line, reject.reason, row[:_LONGEST_ROW])
            self._write_cells(self.path, cells)

    def _write_cells(self, path: Path, cells: tuple[str | int, ...]) -> None:
        if self._file is None:
            make_folder_of("data.rejects", path)
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
    if path is not None and not rejects.count and not rejects.cells and path.exists():
        path.unlink(missing_ok=True)
    if stopped is not None and rejects.is_written:
        what = "rejected rows" if rejects.count else "odd cells"
        raise UserError(f"{stopped}; the {what} are in {path}") from stopped
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
