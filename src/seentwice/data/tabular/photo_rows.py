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
from seentwice.data.tabular.labels import fold_label
from seentwice.data.tabular.listing_rows import MakeListing, read_records, tell_odd
from seentwice.data.tabular.rejects import Rejects, RowError
from seentwice.data.tabular.rows import Row
from seentwice.data.tabular.spelling import CONFIG, TableSpelling
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
    spelling: TableSpelling = CONFIG,
) -> Iterator[Listing]:
    """Yield the listings of a table in the order of their first rows.

    The first row of an id tells all but the photos, to which each row adds its own, and of
    category, family and seller the first that has one.

    Args:
        file: see `read_rows`.
        delimiter: see `read_rows`.
        choose: looks at the first row and returns what makes a listing of each.
        rejects: told of every row that gives none, among them those with another category, family
            or seller than one before of their id, or with nothing that is new; and of what is odd
            in the others.
        on_progress: told of the bytes that are read.
        spelling: see `read_rows`.

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

        for _ in read_records(file, delimiter, choose_merged, rejects, on_progress, spelling):
            pass
        yield from merged.listings()


class _Merged:
    """Listings as far as their rows were read."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database
        self._database.execute(
            "CREATE TABLE listing "
            "(number INTEGER PRIMARY KEY, key TEXT UNIQUE, line INTEGER, fields TEXT, labels TEXT)"
        )
        self._database.execute(
            "CREATE TABLE photo (listing INTEGER, reference TEXT, UNIQUE (listing, reference))"
        )

    def add(self, listing: Listing, line: int) -> None:
        """Add a row.

        Raises:
            RowError: it does not go with the rows of its id before, or adds nothing to it.
        """
        execute = self._database.execute
        labels = {
            field: (value, line)
            for field in _LABELS
            if (value := getattr(listing, field)) is not None
        }
        select = "SELECT number, line, labels FROM listing WHERE key = ?"
        known = execute(select, (listing.key,)).fetchone()
        if known is None:
            fields = asdict(replace(listing, photos=()))
            insert = "INSERT INTO listing (key, line, fields, labels) VALUES (?, ?, ?, ?)"
            values = (listing.key, line, json.dumps(fields), json.dumps(labels))
            number, told = execute(insert, values).lastrowid, {}
        else:
            number, _, text = known
            told = json.loads(text)
            _check_labels(listing.key, labels, told)
            if labels.keys() - told.keys():
                update = "UPDATE listing SET labels = ? WHERE number = ?"
                execute(update, (json.dumps({**labels, **told}), number))
        insert = "INSERT OR IGNORE INTO photo VALUES (?, ?)"
        photos = ((number, reference) for reference in listing.photos)
        added = self._database.executemany(insert, photos).rowcount
        if known is not None and added < 1 and not labels.keys() - told.keys():
            raise RowError(
                f"the id {listing.key[:80]!r} again without a new photo; it is on line {known[1]}"
            )

    def listings(self) -> Iterator[Listing]:
        """Yield what the rows gave, in the order of their first rows."""
        listings = self._database.execute(
            "SELECT number, fields, labels FROM listing ORDER BY number"
        )
        select = "SELECT reference FROM photo WHERE listing = ? ORDER BY rowid"
        for number, text, told in listings:
            labels = {field: value for field, (value, _) in json.loads(told).items()}
            fields = {**json.loads(text), **labels}
            attributes = tuple((name, value) for name, value in fields["attributes"])
            photos = tuple(photo for (photo,) in self._database.execute(select, (number,)))
            yield Listing(**{**fields, "attributes": attributes, "photos": photos})


def _check_labels(
    key: str, labels: Mapping[str, tuple[str, int]], told: Mapping[str, tuple[str, int]]
) -> None:
    """Refuse a row that contradicts one before of its id.

    Args:
        key: the id.
        labels: those of `_LABELS` that the row has, and its line.
        told: those of the rows before, and the line that told each.

    Raises:
        RowError: one differs.
    """
    for field, (value, _) in labels.items():
        first, line = told.get(field, (value, 0))
        if fold_label(first) != fold_label(value):
            raise RowError(
                f"the id {key[:80]!r} with the {field} {value[:40]!r}; on line {line} it is "
                f"{first[:40]!r}"
            )
