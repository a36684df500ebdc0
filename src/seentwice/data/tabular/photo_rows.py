"""Listings of a table with a row for each photo: the rows of one id are one listing.

They may stand anywhere in the table. So all of it is read before the first listing comes, and is
kept in a temporary database and not in memory.
"""

import json
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, replace
from pathlib import Path

from seentwice.data.source import Progress
from seentwice.data.tabular.listing_rows import MakeListing, read_records, tell_odd
from seentwice.data.tabular.rejects import Rejects, RowError
from seentwice.data.tabular.rows import Row
from seentwice.data.tabular.temporary_database import open_temporary_database
from seentwice.records import Listing

_LABELS = ("category", "family", "seller")
"""Fields that decide which pairs are duplicates or how they are counted: rows must agree."""


def read_photo_rows(
    file: Path,
    delimiter: str | None,
    choose: Callable[[Row], MakeListing],
    rejects: Rejects,
    on_progress: Progress,
) -> Iterator[Listing]:
    """Yield the listings of a table in the order of their first rows.

    The first row of an id tells all but the photos, to which each row adds its own.

    Args:
        file: see `read_rows`.
        delimiter: see `read_rows`.
        choose: looks at the first row and returns what makes a listing of each.
        rejects: told of every row that gives none, among them those with another category, family
            or seller than the first of their id, or with no photo that is new; and of what is odd
            in the others.
        on_progress: told of the bytes that are read.

    Raises:
        UserError: see `read_rows`; or no row can be read.
    """
    with open_temporary_database() as database:
        merged = _Merged(database)

        def choose_merged(first: Row) -> Callable[[Row], None]:
            make = choose(first)

            def merge(row: Row) -> None:
                made = make(row)
                merged.add(made.listing, row.line)
                tell_odd(made, file, row, rejects)

            return merge

        for _ in read_records(file, delimiter, choose_merged, rejects, on_progress):
            pass
        yield from merged.listings()


class _Merged:
    """Listings as far as their rows were read."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database
        self._database.execute(
            "CREATE TABLE listing "
            "(number INTEGER PRIMARY KEY, key TEXT UNIQUE, line INTEGER, fields TEXT)"
        )
        self._database.execute(
            "CREATE TABLE photo (listing INTEGER, reference TEXT, UNIQUE (listing, reference))"
        )

    def add(self, listing: Listing, line: int) -> None:
        """Add a row.

        Raises:
            RowError: it does not go with the first row of its id, or adds nothing to it.
        """
        execute = self._database.execute
        select = "SELECT number, line, fields FROM listing WHERE key = ?"
        known = execute(select, (listing.key,)).fetchone()
        if known is None:
            fields = asdict(replace(listing, photos=()))
            insert = "INSERT INTO listing (key, line, fields) VALUES (?, ?, ?)"
            number = execute(insert, (listing.key, line, json.dumps(fields))).lastrowid
        else:
            number = known[0]
            _check_labels(listing, known[1], json.loads(known[2]))
        insert = "INSERT OR IGNORE INTO photo VALUES (?, ?)"
        photos = ((number, reference) for reference in listing.photos)
        added = self._database.executemany(insert, photos).rowcount
        if known is not None and added < 1:
            raise RowError(
                f"the id {listing.key[:80]!r} again without a new photo; it is on line {known[1]}"
            )

    def listings(self) -> Iterator[Listing]:
        """Yield what the rows gave, in the order of their first rows."""
        listings = self._database.execute("SELECT number, fields FROM listing ORDER BY number")
        select = "SELECT reference FROM photo WHERE listing = ? ORDER BY rowid"
        for number, text in listings:
            fields = json.loads(text)
            attributes = tuple((name, value) for name, value in fields["attributes"])
            photos = tuple(photo for (photo,) in self._database.execute(select, (number,)))
            yield Listing(**{**fields, "attributes": attributes, "photos": photos})


def _check_labels(listing: Listing, first_line: int, first: Mapping[str, str | None]) -> None:
    """Refuse a row that contradicts the first one of its id.

    Raises:
        RowError: it has another one of `_LABELS`, or one where the first has none.
    """
    for field in _LABELS:
        value, told = getattr(listing, field), first[field]
        if value is not None and value != told:
            raise RowError(
                f"the id {listing.key[:80]!r} with the {field} {value[:40]!r}; on line "
                f"{first_line} it is {'not told' if told is None else repr(told[:40])}"
            )
