"""Rows of tables one at a time, each with its line: CSV, TSV, JSON and JSON Lines.

A malformed row is told to `Rejects`, and the rows after it are kept. Memory does not grow with the
file: it holds one row, and what was read ahead of it.
"""

import csv
import json
from collections import Counter, deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from seentwice.data.source import Progress
from seentwice.data.tabular.json_values import read_values
from seentwice.data.tabular.lines import LONGEST_LINE, Line, open_table, read_lines
from seentwice.data.tabular.rejects import NOT_UTF_8, Rejects, RowError
from seentwice.data.tabular.spelling import CONFIG, TableSpelling
from seentwice.errors import UserError

JSON_LINES = (".jsonl", ".ndjson")
JSON_SUFFIXES = (".json", *JSON_LINES)
_NAMES = {";": "semicolon", "\t": "tab", ",": "comma", "|": "vertical bar"}
"""What stands between cells, as far as it is usual."""


def read_delimiter(key: str, text: str | None) -> str | None:
    r"""Return the character between the cells of a CSV file that a setting names.

    Args:
        key: of the setting, for the error.
        text: one character, or the two characters `\t`, a tab as shells hand it on; None stays.

    Raises:
        UserError: it is none that can stand between cells.
    """
    if text is None:
        return None
    delimiter = "\t" if text == r"\t" else text
    if len(delimiter) != 1 or delimiter in '"\r\n\0 ':
        raise UserError(
            f"{key}={text!r}: give one character, such as ';', or '\\t' for a tab; none of a "
            "quote, a space and a line end"
        )
    return delimiter


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a table."""

    line: int  # its first, from 1
    cells: Mapping[str, object]  # by column: text in CSV, any value in JSON
    text: str  # as it stands in the file


def read_rows(
    path: Path,
    delimiter: str | None,
    rejects: Rejects,
    on_progress: Progress,
    spelling: TableSpelling = CONFIG,
) -> Iterator[Row]:
    """Read a table whose kind the extension tells.

    `.json` is an array of objects, or an object whose `value` is one, as web APIs answer (OData);
    `.jsonl` and `.ndjson` hold one object a line; all else is CSV with a header.

    Args:
        path: the file; a FIFO will do.
        delimiter: between cells of CSV; None is a tab in `.tsv` and a comma elsewhere.
        rejects: told of every malformed row.
        on_progress: told of the bytes that are read.
        spelling: of the settings that errors advise.

    Raises:
        UserError: no such file, no usable header, a delimiter for JSON, or a JSON array that
            breaks off.
    """
    suffix = path.suffix.lower()
    if delimiter is not None and suffix in (".json", *JSON_LINES):
        raise UserError(f"{spelling.delimiter}: {path} is JSON, which has none; leave it out")
    with open_table(path) as stream:
        if suffix == ".json":
            yield from _object_rows(path, read_values(path, stream, on_progress), rejects)
        elif suffix in JSON_LINES:
            lines = read_lines(stream, on_progress)
            yield from _object_rows(path, _parse_lines(path, lines, rejects), rejects)
        else:
            comma = "\t" if suffix == ".tsv" else ","
            lines = read_lines(stream, on_progress)
            yield from _csv_rows(path, lines, delimiter, comma, rejects, spelling)


def _object_rows(
    path: Path, values: Iterator[tuple[int, object, str]], rejects: Rejects
) -> Iterator[Row]:
    for line, value, text in values:
        if isinstance(value, dict):
            yield Row(line, value, text)
        else:
            rejects.add(path, line, "no JSON object", text)


def _parse_lines(
    path: Path, lines: Iterator[Line], rejects: Rejects
) -> Iterator[tuple[int, object, str]]:
    for line in lines:
        text = line.text.strip()
        if not text:
            continue
        try:
            if line.problem:
                raise RowError(line.problem)
            yield line.number, json.loads(text), text
        except RowError as error:
            rejects.add(path, line.number, str(error), text)
        except (ValueError, RecursionError) as error:
            rejects.add(path, line.number, f"not JSON: {error}", text)


def _csv_rows(
    path: Path,
    lines: Iterator[Line],
    asked: str | None,
    usual: str,
    rejects: Rejects,
    spelling: TableSpelling,
) -> Iterator[Row]:
    with_header = _read_records(lines, asked or usual)
    header = _read_header(path, next(with_header, None), asked, usual, spelling)
    for record in with_header:
        text = record.text.rstrip("\r\n")
        if record.problem:
            rejects.add(path, record.line, record.problem, text)
        elif len(record.cells) != len(header):
            cells = f"{len(record.cells)} cells where the header has {len(header)}"
            rejects.add(path, record.line, cells, text)
        else:
            yield Row(record.line, dict(zip(header, record.cells, strict=True)), text)


@dataclass(frozen=True, slots=True)
class _Record:
    """What stands between two row ends of a CSV file, be it well-formed or not."""

    line: int
    text: str
    cells: list[str]
    problem: str | None = None


def _read_header(
    path: Path, record: _Record | None, asked: str | None, usual: str, spelling: TableSpelling
) -> list[str]:
    delimiter = asked or usual
    if record is None:
        raise UserError(f"{path}: is empty; its first row must name the columns")
    if record.problem and record.problem.startswith(NOT_UTF_8):
        raise UserError(
            f"{path}: the header is {record.problem}, perhaps Windows-1252 or another encoding of "
            "old; save the file as CSV in UTF-8"
        )
    between = _guess_delimiter(record.text, delimiter)
    if between is not None:
        advice = spelling.ask_delimiter.format(character=between.replace("\t", r"\t"))
        # Whoever was told to ask for the one may have another table, which needs the other.
        both = "; of two tables both need the same: save one anew" if asked is not None else ""
        raise UserError(
            f"{path}: the header holds no {_NAMES.get(delimiter, repr(delimiter))} but a "
            f"{_NAMES[between]}; if that stands between cells, add {advice}{both}"
        )
    if record.problem:
        raise UserError(
            f"{path}, line {record.line}: {record.problem}; save the file as CSV in UTF-8"
        )
    header = [name.strip() for name in record.cells]
    twice = next((name for name, count in Counter(header).items() if count > 1), None)
    if twice is not None:
        raise UserError(f"{path}: two columns are named {twice!r}; name each differently")
    return header


def _guess_delimiter(header: str, delimiter: str) -> str | None:
    """Return what stands between the cells of a header that has but one as it is read, if any."""
    if delimiter in header:
        return None
    return next((other for other in _NAMES if other in header), None)


@contextmanager
def _long_cells() -> Iterator[None]:
    """Let a cell be as long as a line: the limit, 131,072 characters, is the whole process's."""
    usual = csv.field_size_limit(LONGEST_LINE)
    try:
        yield
    finally:
        csv.field_size_limit(usual)


def _read_records(lines: Iterator[Line], delimiter: str) -> Iterator[_Record]:
    """Split lines into records, blank lines left out.

    A quote that is never closed swallows what follows. So of a record that is malformed only the
    first line is one, and the lines after it are read again.
    """
    again: deque[Line] = deque()
    while True:
        taken: list[Line] = []
        reader = csv.reader(_feed(again, lines, taken), delimiter=delimiter, strict=True)
        try:
            with _long_cells():
                cells = next(reader, None)
            if cells is None:
                return
        except (csv.Error, RowError) as error:
            again.extendleft(reversed(taken[1:]))
            yield _Record(taken[0].number, taken[0].text, [], str(error))
        else:
            if cells:
                yield _Record(taken[0].number, "".join(line.text for line in taken), cells)


def _feed(again: deque[Line], lines: Iterator[Line], taken: list[Line]) -> Iterator[str]:
    """Yield the text of lines, those to be read again first, and note which were taken.

    Raises:
        RowError: the line cannot be read, or those taken are longer than `LONGEST_LINE`.
    """
    length = 0
    while (line := again.popleft() if again else next(lines, None)) is not None:
        taken.append(line)
        length += len(line.text)
        if line.problem:
            raise RowError(line.problem)
        if length > LONGEST_LINE:
            raise RowError(f"longer than {LONGEST_LINE:,} characters")
        yield line.text
