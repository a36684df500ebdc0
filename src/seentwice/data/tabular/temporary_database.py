"""What is read of a table and does not fit in memory: a database that nobody sees."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager


@contextmanager
def open_temporary_database() -> Iterator[sqlite3.Connection]:
    """Open an empty database that vanishes with the block.

    SQLite keeps a database without a name in its cache, and what does not fit there in a
    temporary file.
    """
    with closing(sqlite3.connect("", isolation_level=None)) as database:
        database.execute("PRAGMA synchronous = OFF")
        database.execute("BEGIN")
        yield database
