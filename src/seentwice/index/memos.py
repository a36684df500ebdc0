"""Bytes under a name: what was worked out of all rows, to go on from there the next time."""

import sqlite3
import zlib

from seentwice.index.batches import DamagedError

TABLE = "CREATE TABLE memos (name TEXT PRIMARY KEY, sum INTEGER NOT NULL, value BLOB NOT NULL)"
MOST_BYTES = 2**29
"""SQLite keeps no more than 10⁹ in one place."""


def write_memo(connection: sqlite3.Connection, name: str, value: bytes) -> None:
    """Keep bytes in place of those that were there; none where they are more than `MOST_BYTES`.

    Args:
        connection: in a transaction.
        name: under which `read_memo` finds them.
        value: what is kept.
    """
    connection.execute("DELETE FROM memos WHERE name = ?", (name,))
    if len(value) <= MOST_BYTES:
        row = (name, zlib.crc32(value), value)
        connection.execute("INSERT INTO memos (name, sum, value) VALUES (?, ?, ?)", row)


def read_memo(connection: sqlite3.Connection, name: str) -> bytes | None:
    """Return what is kept under a name, or None.

    Args:
        connection: in a transaction.
        name: as it was written.

    Raises:
        DamagedError: the bytes are not what was written.
    """
    found = connection.execute("SELECT value, sum FROM memos WHERE name = ?", (name,)).fetchone()
    if found is None:
        return None
    value, total = found
    if not isinstance(value, bytes) or zlib.crc32(value) != total:
        raise DamagedError(f"memo {name}")
    return value
