"""The listings of an index, kept so that each is there or not, whatever ends a process."""

import json
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Literal
from urllib.parse import quote

from seentwice.display import one_line, show_text
from seentwice.errors import UserError
from seentwice.files import UnwritableError
from seentwice.recommend.listings import ListingRecord

_SCHEMA = 1
_WAIT_SECONDS = 60
_TABLE = (
    "CREATE TABLE IF NOT EXISTS listing (id TEXT PRIMARY KEY, photos TEXT NOT NULL, "
    "facts TEXT NOT NULL) WITHOUT ROWID"
)
_PUT = "INSERT OR REPLACE INTO listing VALUES (?, ?, ?)"


def replace_listings(path: Path, records: Sequence[ListingRecord]) -> None:
    """Keep these listings and no others, all or nothing.

    Args:
        path: of the table, which is made where it is missing.
        records: of different ids.

    Raises:
        UserError: the table cannot be written.
    """
    with _writing(path, "rwc") as connection:
        connection.execute("DELETE FROM listing")
        connection.executemany(_PUT, map(_to_row, records))


def put_listing(path: Path, record: ListingRecord) -> None:
    """Add a listing, or replace the one of its id.

    Raises:
        UserError: the table cannot be written.
    """
    with _writing(path, "rw") as connection:
        connection.execute(_PUT, _to_row(record))


def remove_listing(path: Path, key: str) -> bool:
    """Forget the listing of an id, and say whether there was one.

    Raises:
        UserError: the table cannot be written.
    """
    with _writing(path, "rw") as connection:
        return connection.execute("DELETE FROM listing WHERE id = ?", (key,)).rowcount > 0


def has_listing(path: Path, key: str) -> bool:
    """Say whether there is a listing of an id.

    Raises:
        UserError: there is no table, or it is damaged, of another version or cannot be read.
    """
    with _explaining(path), _connect(path, "rw") as connection:
        _refuse_version(path, connection)
        found = connection.execute("SELECT 1 FROM listing WHERE id = ?", (key,)).fetchone()
        return found is not None


def load_listings(path: Path) -> tuple[ListingRecord, ...]:
    """Return all listings in the order of their ids.

    Raises:
        UserError: there are none, or the table is damaged, of another version or cannot be read.
    """
    with _explaining(path), _connect(path, "rw") as connection:
        _refuse_version(path, connection)
        rows = connection.execute("SELECT id, photos, facts FROM listing ORDER BY id")
        return tuple(
            ListingRecord(key, tuple(json.loads(photos)), json.loads(facts))
            for key, photos, facts in rows
        )


def _to_row(record: ListingRecord) -> tuple[str, str, str]:
    # Escaped to ASCII: keys of photos may hold bytes that are not UTF-8.
    return record.id, json.dumps(record.photos), json.dumps(dict(record.facts))


@contextmanager
def _writing(path: Path, mode: Literal["rw", "rwc"]) -> Iterator[sqlite3.Connection]:
    """Let the block write; all of it counts at its end, or nothing does."""
    with _explaining(path), _connect(path, mode) as connection:
        connection.execute("BEGIN IMMEDIATE")
        _refuse_version(path, connection)
        if mode == "rwc":
            connection.execute(_TABLE)
            connection.execute(f"PRAGMA user_version={_SCHEMA}")
        yield connection
        connection.commit()


def _connect(path: Path, mode: Literal["rw", "rwc"]) -> closing[sqlite3.Connection]:
    # To be read, too, it is opened "rw": whatever ended a process that wrote may have left a
    # journal, which the next one has to undo. SQLite reads where this account cannot write.
    if mode == "rw" and not path.is_file():
        raise UserError(
            f"{show_text(str(path.parent))} holds no {path.name}; run seentwice index --listings "
            "again"
        )
    address = f"file:{quote(bytes(path.absolute()))}?mode={mode}"
    return closing(sqlite3.connect(address, _WAIT_SECONDS, isolation_level=None, uri=True))


def _refuse_version(path: Path, connection: sqlite3.Connection) -> None:
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    is_new = not version and not connection.execute("SELECT 1 FROM sqlite_master").fetchone()
    if version != _SCHEMA and not is_new:
        raise UserError(
            f"{show_text(str(path))} is of another version of seentwice (its table is {version}, "
            f"this one reads {_SCHEMA}); use that version"
        )


@contextmanager
def _explaining(path: Path) -> Iterator[None]:
    try:
        yield
    except (sqlite3.Error, KeyError, TypeError, ValueError) as error:
        raise _explain(path, error) from error


def _explain(path: Path, error: Exception) -> UserError:
    code = getattr(error, "sqlite_errorcode", -1)
    name, told = show_text(str(path)), one_line(error)
    primary = code & 0xFF if code >= 0 else -1
    if code == sqlite3.SQLITE_READONLY_ROLLBACK:
        return UnwritableError(
            f"{name}: a run that wrote it was ended; open it once with an account that can write "
            "there, which undoes what was half done"
        )
    if primary in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM):
        return UnwritableError(f"{name}: {told}; let your account write there")
    if primary in (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR):
        return UnwritableError(f"{name}: {told}; make room there and try again")
    if primary in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return UnwritableError(f"{name}: another process writes it ({told}); try again")
    return UserError(
        f"{name} is damaged ({told}); run seentwice index --listings again, which writes another"
    )
