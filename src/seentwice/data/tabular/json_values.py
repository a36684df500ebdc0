"""The values of a JSON array one at a time, each with its line.

The standard library parses whole texts alone, and parsers of streams do not tell lines. This one
shifts a window over the text and lets the standard library parse each value within it.
"""

import codecs
import json
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from seentwice.data.source import Progress
from seentwice.data.tabular.lines import size_of
from seentwice.errors import UserError

LONGEST_VALUE = 2**24
"""Characters of one value."""
ARRAY_KEY = "value"
"""The array's key where the text is an object: OData's, and so that of RESO's web API."""
NEXT_PAGE_KEYS = ("@odata.nextLink", "@nextLink")
"""What holds the address of the next page in such an object: OData 4.0 and 4.01."""
_CHUNK_BYTES = 2**16
_WHITESPACE = " \t\r\n"


def read_values(
    path: Path, stream: BinaryIO, on_progress: Progress
) -> Iterator[tuple[int, object, str]]:
    """Yield line, value and text of each element of the array.

    Args:
        path: the file's name, for errors.
        stream: UTF-8 text: an array, or an object with an array under `ARRAY_KEY`.
        on_progress: told of the bytes of a regular file.

    Raises:
        UserError: the text is no such JSON, breaks off, goes on after its end, or is one page of
            several: what follows an error is lost.
    """
    window = _Window(path, stream, on_progress)
    is_object = window.peek() == "{"
    if is_object:
        _enter_object(window)
    if window.peek() != "[":
        raise window.error(
            f'holds neither an array nor {{"{ARRAY_KEY}": [...]}}; name a file that holds one '
            "object a line .jsonl"
        )
    window.skip("[")
    if window.peek() != "]":
        yield window.take()
    while window.peek() != "]":
        window.skip(",")
        yield window.take()
    window.skip("]")
    if is_object:
        _leave_object(window)
    if window.peek():
        raise window.error("the JSON goes on after its end; give one array, or join several")


def _enter_object(window: "_Window") -> None:
    """Move on to the value of the key `ARRAY_KEY`."""
    window.skip("{")
    while window.peek() != "}":
        _, key, _ = window.take()
        window.skip(":")
        if key == ARRAY_KEY:
            return
        _check_page(window, key, window.take()[1])
        if window.peek() != "}":
            window.skip(",")


def _leave_object(window: "_Window") -> None:
    """Move on from the array to the end of the object."""
    while window.peek() != "}":
        window.skip(",")
        _, key, _ = window.take()
        window.skip(":")
        if key == ARRAY_KEY:
            raise window.error(f'"{ARRAY_KEY}" stands there twice; join the arrays')
        _check_page(window, key, window.take()[1])
    window.skip("}")


def _check_page(window: "_Window", key: object, value: object) -> None:
    if key in NEXT_PAGE_KEYS and value is not None:
        raise window.error(
            f"{key!r}: this is one page of several; fetch them all and join them as one array"
        )


class _Window:
    """A part of a text that moves on as values are taken from it."""

    def __init__(self, path: Path, stream: BinaryIO, on_progress: Progress) -> None:
        self._path = path
        self._stream = stream
        self._on_progress = on_progress
        self._size, self._done = size_of(stream), 0
        self._decode = codecs.getincrementaldecoder("utf-8-sig")()
        self._parse = json.JSONDecoder().raw_decode
        self._text, self._at, self._line = "", 0, 1

    def error(self, what: str) -> UserError:
        return UserError(f"{self._path}, line {self._line}: {what}")

    def peek(self) -> str:
        """Pass over white space and return the next character; "" at the end."""
        while True:
            while self._at < len(self._text) and self._text[self._at] in _WHITESPACE:
                self._move(self._at + 1)
            if self._at < len(self._text) or not self._fill():
                return self._text[self._at : self._at + 1]

    def skip(self, mark: str) -> None:
        """Pass over a character that must come next."""
        if self.peek() != mark:
            raise self.error(f"not JSON, or cut off: {mark!r} is missing; see to the file")
        self._move(self._at + 1)

    def take(self) -> tuple[int, object, str]:
        """Pass over a value and return its first line, itself and its text."""
        self.peek()
        while True:
            try:
                value, end = self._parse(self._text, self._at)
            except (ValueError, RecursionError) as error:
                if isinstance(error, RecursionError) or not self._fill():
                    raise self.error(f"not JSON, or cut off ({error}); see to the file") from error
                continue
            # A number that ends with the window may go on after it.
            may_go_on = isinstance(value, int | float) and end == len(self._text)
            if not (may_go_on and self._fill()):
                line, text = self._line, self._text[self._at : end]
                self._move(end)
                return line, value, text

    def _move(self, end: int) -> None:
        self._line += self._text.count("\n", self._at, end)
        self._at = end

    def _fill(self) -> bool:
        """Let go of what was taken and read on, ever more for a value that does not end."""
        rest = self._text[self._at :]
        if len(rest) > LONGEST_VALUE:
            raise self.error(f"not JSON, or a value longer than {LONGEST_VALUE:,} characters")
        # One read of what there is: a FIFO gives a row before the next one is written.
        raw = self._stream.read1(max(_CHUNK_BYTES, len(rest)))  # type: ignore[attr-defined]
        self._done += len(raw)
        if self._size:
            self._on_progress(self._done, self._size)
        try:
            added = self._decode.decode(raw, final=not raw)
        except UnicodeDecodeError as error:
            line = self._line + rest.count("\n") + error.object[: error.start].count(b"\n")
            raise UserError(f"{self._path}, line {line}: not UTF-8; save it in UTF-8") from error
        self._text, self._at = rest + added, 0
        return bool(raw)
