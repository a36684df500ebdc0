"""Lines of text files one at a time, whatever bytes stand in them."""

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path
from typing import BinaryIO

from seentwice.data.source import Progress
from seentwice.data.tabular.file_kinds import check_text
from seentwice.data.tabular.rejects import NOT_UTF_8
from seentwice.errors import UserError

LONGEST_LINE = 2**24
"""Bytes; longer lines are not held in memory."""
_SHOWN_BYTES = 1_000
_PROGRESS_LINES = 1_000


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a file, with its line end."""

    number: int  # from 1
    text: str
    problem: str | None = None  # why it cannot be used; then the text is for showing alone


@contextmanager
def open_table(path: Path) -> Iterator[BufferedReader]:
    """Open a file of text for reading.

    Raises:
        UserError: it is not there, cannot be read or is a file of another kind.
    """
    try:
        stream = path.open("rb")
    except OSError as error:
        raise UserError(f"{str(path)!r}: cannot be read ({error.strerror}); see to it") from error
    with stream:
        check_text(path, stream)
        yield stream


def read_lines(stream: BinaryIO, on_progress: Progress) -> Iterator[Line]:
    """Read UTF-8 line by line; a byte order mark before the first is no part of it.

    Args:
        stream: of a file; a FIFO will do.
        on_progress: told of the bytes of a regular file every now and then.
    """
    size, done, number = size_of(stream), 0, 0
    while raw := stream.readline(LONGEST_LINE + 1):
        number, done = number + 1, done + len(raw)
        if size and number % _PROGRESS_LINES == 0:
            on_progress(done, size)
        if len(raw) > LONGEST_LINE:
            done += _skip_line(stream, raw)
            shown = raw[:_SHOWN_BYTES].decode("utf-8", "backslashreplace")
            yield Line(number, shown, f"longer than {LONGEST_LINE:,} bytes")
        else:
            yield _decode(number, raw.removeprefix(b"\xef\xbb\xbf") if number == 1 else raw)
    if size:
        on_progress(size, size)


def size_of(stream: BinaryIO) -> int:
    """Return the bytes of a regular file; 0 for what has no size, such as a FIFO."""
    status = os.fstat(stream.fileno())
    return status.st_size if stat.S_ISREG(status.st_mode) else 0


def _skip_line(stream: BinaryIO, read: bytes) -> int:
    """Read on to the end of a line that was begun, and return the bytes of that."""
    skipped = 0
    while read and not read.endswith(b"\n"):
        read = stream.readline(LONGEST_LINE)
        skipped += len(read)
    return skipped


def _decode(number: int, raw: bytes) -> Line:
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        shown = raw.decode("utf-8", "backslashreplace")
        return Line(number, shown, f"{NOT_UTF_8} at byte {error.start + 1} of line {number}")
    return Line(number, text, f"a NUL byte in line {number}" if "\0" in text else None)
