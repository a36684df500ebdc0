"""`manifest.csv` beside photos: what their names cannot say."""

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from seentwice.errors import UserError

MANIFEST = "manifest.csv"
COLUMNS = ("file", "property", "zone_id")
_UTF_16_MARKS = (b"\xff\xfe", b"\xfe\xff")


@dataclass(frozen=True, slots=True)
class ManifestRow:
    """What a manifest knows of a photo beyond its name."""

    property: str | None
    zone: str | None


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a manifest says."""

    rows: Mapping[str, ManifestRow]  # by file
    unknown: tuple[str, ...]  # names of columns that nothing is read from


def read_manifest(path: Path) -> Manifest | None:
    """Return what a manifest says of each file; None where there is no manifest.

    Spaces around the names of columns do not count, nor do those after commas if the first line
    has such.

    Raises:
        UserError: it is empty, no table of comma-separated values in UTF-8, lacks the column
            `file`, has a row of more cells than columns, or names a file twice.
    """
    text = _read_text(path)
    if text is None:
        return None
    if not text.strip():
        raise UserError(
            f"{path}: is empty; write the columns file, property and zone_id and a row for each "
            "photo, or delete it"
        )
    header = text.splitlines()[0]
    lines = io.StringIO(text, newline="")
    reader = csv.DictReader(lines, strict=True, skipinitialspace=", " in header)
    rows: dict[str, ManifestRow] = {}
    try:
        separator = _find_separator(header)
        if separator is not None:
            raise UserError(
                f"{path}: its columns are separated by {separator}, as Excel does in some "
                "countries; save it with commas, or replace them in a text editor"
            )
        names = [name.strip() for name in reader.fieldnames or ()]
        if "file" not in names:
            raise UserError(
                f"{path}: needs a column 'file'; it has {names}: rename the one that names the "
                "photos"
            )
        reader.fieldnames = names
        for row in reader:
            if None in row:
                raise UserError(
                    f"{path}, line {reader.line_num}: has more than {len(names)} cells; put one "
                    "that holds a comma in double quotes"
                )
            file = row["file"]
            if not file:
                raise UserError(f"{path}, line {reader.line_num}: names no file; add it")
            if None in row.values():
                raise UserError(
                    f"{path}, line {reader.line_num}: has fewer cells than the header; a comma "
                    "stands for each that is empty"
                )
            if file in rows:
                raise UserError(f"{path}, line {reader.line_num}: {file!r} again; keep one row")
            rows[file] = ManifestRow(row.get("property") or None, row.get("zone_id") or None)
    except csv.Error as error:
        # The inner reader has counted the bad line; DictReader counts only those it returned.
        raise UserError(
            f"{path}, line {reader.reader.line_num}: not a table of "
            f"comma-separated values ({error}); save it as CSV"
        ) from error
    if not rows:
        raise UserError(f"{path}: has no row; add one for each photo, or delete it")
    return Manifest(rows, tuple(name for name in names if name not in COLUMNS))


def _find_separator(header: str) -> str | None:
    """Name what separates the columns, where that is no comma and one of them is `file`."""
    for separator, shown in ((";", "semicolons"), ("\t", "tabs")):
        names = next(csv.reader([header], delimiter=separator), [])
        if len(names) > 1 and "file" in names:
            return shown
    return None


def _read_text(path: Path) -> str | None:
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
            f"{path}: cannot be read ({error.strerror}); let your account read it, or delete it"
        ) from error
