"""A small table of a user's own, CSV with a column that names photos: read whole, line by line."""

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from seentwice.errors import UserError

_UTF_16_MARKS = (b"\xff\xfe", b"\xfe\xff")


@dataclass(frozen=True, slots=True)
class PlainRow:
    """A row of a table."""

    line: int  # in the file, from 1; the last one of a row that takes several
    cells: Mapping[str, str]  # by column


@dataclass(frozen=True, slots=True)
class PlainTable:
    """The rows of a table."""

    columns: tuple[str, ...]
    rows: Mapping[str, PlainRow]  # by what names the photo, in the order of the file


def read_plain_table(path: Path, key: str, wanted: str, remedy: str) -> PlainTable | None:
    """Read a table; None where there is no such file.

    Spaces around the names of columns do not count, nor do those after commas if the first line
    has such.

    Args:
        path: of the table.
        key: the column that names photos.
        wanted: the columns that it should have, in words, for errors.
        remedy: what else may be done about a table that is empty, such as ", or delete it".

    Raises:
        UserError: it is empty, no table of comma-separated values in UTF-8, lacks the key's column,
            has a row of more or fewer cells than columns, or names a photo twice.
    """
    text = _read_text(path, remedy)
    if text is None:
        return None
    if not text.strip():
        raise UserError(f"{path}: is empty; write {wanted} and a row for each photo{remedy}")
    header = text.splitlines()[0]
    lines = io.StringIO(text, newline="")
    reader = csv.DictReader(lines, strict=True, skipinitialspace=", " in header)
    rows: dict[str, PlainRow] = {}
    try:
        separator = _find_separator(header, key)
        if separator is not None:
            raise UserError(
                f"{path}: its columns are separated by {separator}, as Excel does in some "
                "countries; save it with commas, or replace them in a text editor"
            )
        names = [name.strip() for name in reader.fieldnames or ()]
        if key not in names:
            raise UserError(
                f"{path}: needs a column {key!r}; it has {names}: rename the one that names the "
                "photos"
            )
        reader.fieldnames = names
        for row in reader:
            if None in row:
                raise UserError(
                    f"{path}, line {reader.line_num}: has more than {len(names)} cells; put one "
                    "that holds a comma in double quotes"
                )
            name = row[key]
            if not name:
                raise UserError(f"{path}, line {reader.line_num}: names no {key}; add it")
            if None in row.values():
                raise UserError(
                    f"{path}, line {reader.line_num}: has fewer cells than the header; a comma "
                    "stands for each that is empty"
                )
            if name in rows:
                raise UserError(f"{path}, line {reader.line_num}: {name!r} again; keep one row")
            rows[name] = PlainRow(reader.line_num, row)
    except csv.Error as error:
        # The inner reader has counted the bad line; DictReader counts only those it returned.
        raise UserError(
            f"{path}, line {reader.reader.line_num}: not a table of "
            f"comma-separated values ({error}); save it as CSV"
        ) from error
    if not rows:
        raise UserError(f"{path}: has no row; add one for each photo{remedy}")
    return PlainTable(tuple(names), rows)


def _find_separator(header: str, key: str) -> str | None:
    """Name what separates the columns, where that is no comma and one of them is the key's."""
    for separator, shown in ((";", "semicolons"), ("\t", "tabs")):
        names = next(csv.reader([header], delimiter=separator), [])
        if len(names) > 1 and key in names:
            return shown
    return None


def _read_text(path: Path, remedy: str) -> str | None:
    """Read UTF-8; the mark that Excel puts before it is no part of the first column's name."""
    try:
        if path.is_dir():
            raise UserError(f"{path}: is a folder, not a table of photos; give it another name")
        if not path.is_file():
            return None
        data = path.read_bytes()
        if data.startswith(_UTF_16_MARKS):
            raise UserError(f"{path}: is UTF-16; save it as CSV in UTF-8 ('CSV UTF-8' in Excel)")
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = len((error.object[: error.start] + b".").splitlines())
        raise UserError(
            f"{path}, line {line}: not UTF-8; save it as CSV in UTF-8 ('CSV UTF-8' in Excel)"
        ) from error
    except OSError as error:
        raise UserError(
            f"{path}: cannot be read ({error.strerror}); let your account read it{remedy}"
        ) from error
