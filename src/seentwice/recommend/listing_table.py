"""The listings of an index, kept so that each is there or not, whatever ends a process."""

import json
import secrets
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from urllib.parse import quote

from seentwice.display import one_line, show_text
from seentwice.errors import UserError
from seentwice.files import UnwritableError
from seentwice.recommend.listings import ListingRecord

_SCHEMA = 2
_WAIT_SECONDS = 60
_TABLES = (
    "CREATE TABLE IF NOT EXISTS listing (id TEXT PRIMARY KEY, photos TEXT NOT NULL, "
    "facts TEXT NOT NULL) WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS origin (label TEXT NOT NULL)",
    "CREATE TABLE IF NOT EXISTS change (number INTEGER PRIMARY KEY, id TEXT NOT NULL)",
)
_PUT = "INSERT OR REPLACE INTO listing VALUES (?, ?, ?)"
_NOTE = "INSERT INTO change (id) VALUES (?)"


@dataclass(frozen=True, slots=True)
class TableMark:
    """A state of the table."""

    origin: str  # another one whenever all listings were replaced
    changes: int  # since then


@dataclass(frozen=True, slots=True)
class TableChanges:
    """What a table has by now that it had not, and the other way round."""

    records: tuple[ListingRecord, ...]  # that are new, or others of their ids
    gone: tuple[str, ...]  # ids


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
        connection.execute("DELETE FROM change")
        connection.execute("DELETE FROM origin")
        connection.execute("INSERT INTO origin VALUES (?)", (secrets.token_hex(8),))


def put_listing(path: Path, record: ListingRecord) -> None:
    """Add a listing, or replace the one of its id.

    Raises:
        UserError: the table cannot be written.
    """
    with _writing(path, "rw") as connection:
        connection.execute(_PUT, _to_row(record))
        connection.execute(_NOTE, (record.id,))


def remove_listing(path: Path, key: str) -> bool:
    """Forget the listing of an id, and say whether there was one.

    Raises:
        UserError: the table cannot be written.
    """
    with _writing(path, "rw") as connection:
        removed = connection.execute("DELETE FROM listing WHERE id = ?", (key,)).rowcount
        connection.execute(_NOTE, (key,))
        return removed > 0


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
    return load_marked(path)[1]


def load_marked(path: Path) -> tuple[TableMark, tuple[ListingRecord, ...]]:
    """Return the state of the table, and all its listings in the order of their ids.

    Raises:
        UserError: there are none, or the table is damaged.
    """
    with _reading(path) as connection:
        rows = connection.execute("SELECT id, photos, facts FROM listing ORDER BY id").fetchall()
        return _read_mark(connection), _to_records(rows)


def read_mark(path: Path) -> TableMark:
    """Return the state of the table.

    Raises:
        UserError: there is none, or it is damaged.
    """
    with _reading(path) as connection:
        return _read_mark(connection)


def load_changes(path: Path, since: TableMark) -> TableChanges | None:
    """Return what became of the table since a state; None where it is another table.

    Raises:
        UserError: there is none, or it is damaged.
    """
    with _reading(path) as connection:
        now = _read_mark(connection)
        if now.origin != since.origin or now.changes < since.changes:
            return None
        changed = "SELECT DISTINCT id FROM change WHERE number > ?"
        ids = [id for (id,) in connection.execute(changed, (since.changes,))]
        rows = connection.execute(
            f"SELECT id, photos, facts FROM listing WHERE id IN ({changed})", (since.changes,)
        )
        records = _to_records(rows.fetchall())
    kept = {record.id for record in records}
    return TableChanges(records, tuple(id for id in ids if id not in kept))


def _read_mark(connection: sqlite3.Connection) -> TableMark:
    (origin,) = connection.execute("SELECT label FROM origin").fetchone()
    (changes,) = connection.execute("SELECT coalesce(max(number), 0) FROM change").fetchone()
    return TableMark(origin, changes)


def _to_records(rows: Sequence[tuple[str, str, str]]) -> tuple[ListingRecord, ...]:
    # One text of many rows is read several times as fast as many texts.
    photos = json.loads(f"[{','.join(row[1] for row in rows)}]")
    facts = json.loads(f"[{','.join(row[2] for row in rows)}]")
    return tuple(
        ListingRecord(row[0], tuple(keys), told)
        for row, keys, told in zip(rows, photos, facts, strict=True)
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
            for table in _TABLES:
                connection.execute(table)
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
def _reading(path: Path) -> Iterator[sqlite3.Connection]:
    """Let the block read one state of the table."""
    with _explaining(path), _connect(path, "rw") as connection:
        connection.execute("BEGIN")
        _refuse_version(path, connection)
        yield connection


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
