"""`listings.csv`: which photos a listing has, and what it can be filtered by."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from seentwice.data.source import Progress
from seentwice.data.tabular.photo_references import locate_photo, read_references
from seentwice.data.tabular.rejects import RowError, collect_rejects
from seentwice.data.tabular.rows import Row, read_rows
from seentwice.display import name_first, show_text
from seentwice.errors import UserError
from seentwice.recommend.listings import ListingRecord

ID = "id"
PHOTOS = ("photos", "photo")
"""Columns of which a table has one."""
SEPARATOR = "|"


@dataclass(slots=True)
class _Listing:
    """What the rows of one id told so far."""

    line: int
    photos: list[str] = field(default_factory=list)
    facts: dict[str, str] = field(default_factory=dict)


def read_listings(
    path: Path, root: Path, delimiter: str | None, on_progress: Progress
) -> tuple[ListingRecord, ...]:
    """Read a table: a listing a row, or a photo a row, where rows of one id are one listing.

    Columns are `id`, `photos` (or `photo`: paths below the folder of the photos, joined by "|",
    the title photo first); every other column is a fact to filter by. CSV, TSV, JSON or JSON
    Lines, see `read_rows`.

    Args:
        path: the table.
        root: the folder that paths of photos start from.
        delimiter: between cells of CSV; None is that of its extension.
        on_progress: told of the bytes that are read.

    Returns:
        The listings in the order of their ids' first rows.

    Raises:
        UserError: names the file and the line of what cannot be used.
    """
    found: dict[str, _Listing] = {}
    with collect_rejects(None) as rejects:
        for row in read_rows(path, delimiter, rejects, on_progress):
            photos = _find_columns(path, row)
            try:
                _take(found, row, root, photos)
            except RowError as error:
                raise _refuse(path, row.line, str(error)) from error
    summary = rejects.summary()
    if summary.first:
        raise _refuse(path, summary.first[0].line, summary.first[0].reason)
    if not found:
        raise UserError(f"{_name(path)}: holds no listing; give a row a listing")
    return tuple(
        ListingRecord(key, tuple(dict.fromkeys(listing.photos)), listing.facts)
        for key, listing in found.items()
    )


def find_missing(records: Iterable[ListingRecord], known: Iterable[str]) -> list[str]:
    """Return the photos of listings that are not among those known, each once."""
    there = set(known)
    missing = (key for record in records for key in record.photos if key not in there)
    return list(dict.fromkeys(missing))


def _find_columns(path: Path, row: Row) -> str:
    """Return the name of the column of photos."""
    photos = [name for name in PHOTOS if name in row.cells]
    if ID not in row.cells or len(photos) != 1:
        raise UserError(
            f"{_name(path)}: columns {name_first(list(row.cells))}; give {ID!r} and one of "
            f"{' and '.join(map(repr, PHOTOS))}"
        )
    return photos[0]


def _take(found: dict[str, _Listing], row: Row, root: Path, photos: str) -> None:
    key = _to_text(ID, row.cells[ID])
    if not key:
        raise RowError("no id; give each listing one")
    listing = found.setdefault(key, _Listing(row.line))
    for reference in read_references(photos, row.cells[photos], SEPARATOR):
        listing.photos.append(locate_photo(root, reference).relative_to(root).as_posix())
    for name, cell in row.cells.items():
        if name in (ID, photos):
            continue
        text = _to_text(name, cell)
        if text and listing.facts.setdefault(name, text) != text:
            raise RowError(
                f"{name} of {key!r} is {text!r}, and {listing.facts[name]!r} from line "
                f"{listing.line} on; give one value a listing"
            )


def _to_text(name: str, cell: object) -> str:
    if cell is None:
        return ""
    if not isinstance(cell, str | int | float):
        raise RowError(f"{name}: neither a text nor a number")
    return str(cell).strip()


def _refuse(path: Path, line: int, reason: str) -> UserError:
    return UserError(f"{_name(path)}, line {line}: {show_text(reason)}")


def _name(path: Path) -> str:
    return show_text(str(path))
