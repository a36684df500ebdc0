"""Which keys were seen, however many: kept in a temporary database and not in memory."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from seentwice.data.tabular.temporary_database import open_temporary_database


class KeyIndex:
    """Keys and a number each, such as the line where it was seen first; see `open_key_index`."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database
        self._database.execute(
            "CREATE TABLE seen (key TEXT PRIMARY KEY, number INTEGER) WITHOUT ROWID"
        )

    def add(self, key: str, number: int) -> int | None:
        """Note a key, and return the number of the same one before; None where it is new."""
        insert = "INSERT OR IGNORE INTO seen VALUES (?, ?)"
        if self._database.execute(insert, (key, number)).rowcount:
            return None
        select = "SELECT number FROM seen WHERE key = ?"
        first: int = self._database.execute(select, (key,)).fetchone()[0]
        return first

    def __contains__(self, key: str) -> bool:
        select = "SELECT 1 FROM seen WHERE key = ?"
        return self._database.execute(select, (key,)).fetchone() is not None


@contextmanager
def open_key_index() -> Iterator[KeyIndex]:
    """Open an empty index that vanishes with the block."""
    with open_temporary_database() as database:
        yield KeyIndex(database)
