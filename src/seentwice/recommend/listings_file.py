"""`listings.csv`: which photos a listing has, and what it can be filtered by."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from seentwice.data.source import Progress
from seentwice.data.tabular.photo_references import locate_photo, read_references
from seentwice.data.tabular.rejects import Rejects, RowError
from seentwice.data.tabular.rows import Row, read_rows
from seentwice.data.tabular.spelling import TableSpelling
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
    path: Path,
    root: Path,
    delimiter: str | None,
    rejects: Rejects,
    on_progress: Progress,
    spelling: TableSpelling,
) -> tuple[ListingRecord, ...]:
    """Read a table: a listing a row, or a photo a row, where rows of one id are one listing.

    Columns are `id`, `photos` (or `photo`: paths below the folder of the photos, joined by "|",
    the title photo first); every other column is a fact to filter by. CSV, TSV, JSON or JSON
    Lines, see `read_rows`.

    Args:
        path: the table.
        root: the folder that paths of photos start from.
        delimiter: between cells of CSV; None is that of its extension.
        rejects: told of every row that gives none, among them those that contradict one before.
        on_progress: told of the bytes that are read.
        spelling: of the settings that errors advise.

    Returns:
        The listings in the order of their ids' first rows.

    Raises:
        UserError: the table cannot be read, lacks a column, or has no row that gives a listing.
    """
    found: dict[str, _Listing] = {}
    for number, row in enumerate(read_rows(path, delimiter, rejects, on_progress, spelling)):
        try:
            _take(found, row, root, _find_columns(row))
        except _ColumnError as error:
            if number == 0:
                raise UserError(f"{show_text(str(path))}: {error}") from error
            rejects.add(path, row.line, str(error), row.text)
        except RowError as error:
            rejects.add(path, row.line, str(error), row.text)
    rejects.end_file(path, len(found))
    return tuple(
        ListingRecord(key, tuple(dict.fromkeys(listing.photos)), listing.facts)
        for key, listing in found.items()
    )


def find_bare(records: Iterable[ListingRecord], known: Iterable[str]) -> list[str]:
    """Return the ids of listings of whose photos not one is known."""
    there = set(known)
    return [record.id for record in records if there.isdisjoint(record.photos)]


def find_missing(records: Iterable[ListingRecord], known: Iterable[str]) -> list[str]:
    """Return the photos of listings that are not among those known, each once."""
    there = set(known)
    missing = (key for record in records for key in record.photos if key not in there)
    return list(dict.fromkeys(missing))


class _ColumnError(RowError):
    """The row lacks a column; the first one of a table speaks for all."""


def _find_columns(row: Row) -> str:
    """Return the name of the column of photos.

    Raises:
        _ColumnError: there is none, or no id.
    """
    photos = [name for name in PHOTOS if name in row.cells]
    if ID not in row.cells or len(photos) != 1:
        raise _ColumnError(
            f"columns {name_first(list(row.cells))}; give {ID!r} and one of "
            f"{' and '.join(map(repr, PHOTOS))}"
        )
    return photos[0]


def _take(found: dict[str, _Listing], row: Row, root: Path, photos: str) -> None:
    """Add a row to its listing, all of it or nothing.

    Raises:
        RowError: it gives no listing, or contradicts one before.
    """
    key = _to_text(ID, row.cells[ID])
    if not key:
        raise RowError("no id; give each listing one")
    listing = found.get(key) or _Listing(row.line)
    references = read_references(photos, row.cells[photos], SEPARATOR)
    keys = [locate_photo(root, one).relative_to(root).as_posix() for one in references]
    texts = {
        name: _to_text(name, cell) for name, cell in row.cells.items() if name not in (ID, photos)
    }
    for name, text in texts.items():
        if text and listing.facts.get(name, text) != text:
            raise RowError(
                f"{name} of {key!r} is {text!r}, and {listing.facts[name]!r} from line "
                f"{listing.line} on; give one value a listing"
            )
    listing.photos += keys
    listing.facts.update({name: text for name, text in texts.items() if text})
    found[key] = listing


def _to_text(name: str, cell: object) -> str:
    if cell is None:
        return ""
    if not isinstance(cell, str | int | float):
        raise RowError(f"{name}: neither a text nor a number")
    return str(cell).strip()
