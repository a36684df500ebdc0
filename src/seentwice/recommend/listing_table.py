"""The listings of an index, kept so that each is there or not, whatever ends a process."""

import json
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

from seentwice.display import one_line, show_text
from seentwice.errors import UserError
from seentwice.recommend.listings import ListingRecord

FILE = "listings.sqlite"
_SCHEMA = 1
_WAIT_SECONDS = 60
_TABLE = (
    "CREATE TABLE IF NOT EXISTS listing (id TEXT PRIMARY KEY, photos TEXT NOT NULL, "
    "facts TEXT NOT NULL) WITHOUT ROWID"
)
_PUT = "INSERT OR REPLACE INTO listing VALUES (?, ?, ?)"


def replace_listings(folder: Path, records: Sequence[ListingRecord]) -> None:
    """Keep these listings and no others, all or nothing.

    Args:
        folder: of the index.
        records: of different ids.

    Raises:
        UserError: the table cannot be written.
    """
    with _open(folder) as connection:
        connection.execute("DELETE FROM listing")
        connection.executemany(_PUT, map(_to_row, records))


def put_listing(folder: Path, record: ListingRecord) -> None:
    """Add a listing, or replace the one of its id.

    Raises:
        UserError: the table cannot be written.
    """
    with _open(folder) as connection:
        connection.execute(_PUT, _to_row(record))


def remove_listing(folder: Path, key: str) -> None:
    """Forget the listing of an id, if there is one.

    Raises:
        UserError: the table cannot be written.
    """
    with _open(folder) as connection:
        connection.execute("DELETE FROM listing WHERE id = ?", (key,))


def load_listings(folder: Path) -> tuple[ListingRecord, ...]:
    """Return all listings in the order of their ids.

    Raises:
        UserError: there are none, or the table is damaged.
    """
    if not (folder / FILE).is_file():
        raise UserError(
            f"{show_text(str(folder))} holds no {FILE}; run seentwice index --listings again"
        )
    address = f"{(folder / FILE).absolute().as_uri()}?mode=ro"
    with (
        _explaining(folder),
        closing(sqlite3.connect(address, _WAIT_SECONDS, uri=True)) as connection,
    ):
        rows = connection.execute("SELECT id, photos, facts FROM listing ORDER BY id")
        return tuple(
            ListingRecord(key, tuple(json.loads(photos)), json.loads(facts))
            for key, photos, facts in rows
        )


def _to_row(record: ListingRecord) -> tuple[str, str, str]:
    # Escaped to ASCII: keys of photos may hold bytes that are not UTF-8.
    return record.id, json.dumps(record.photos), json.dumps(dict(record.facts))


@contextmanager
def _open(folder: Path) -> Iterator[sqlite3.Connection]:
    """Let the block write; all of it counts at its end, or nothing does."""
    with (
        _explaining(folder),
        closing(sqlite3.connect(folder / FILE, _WAIT_SECONDS)) as connection,
        connection,
    ):
        connection.execute(_TABLE)
        connection.execute(f"PRAGMA user_version={_SCHEMA}")
        yield connection


@contextmanager
def _explaining(folder: Path) -> Iterator[None]:
    try:
        yield
    except (sqlite3.Error, ValueError) as error:
        raise UserError(
            f"{show_text(str(folder / FILE))}: {one_line(error)}; let your account write there, "
            "or delete this file and run seentwice index --listings again"
        ) from error
