"""What keeps an index small and quick to read: few batches, few dead rows, few free pages.

Each step is a transaction of its own, so other processes write in between, and one that is killed
leaves the table as it was before the step.
"""

import sqlite3
from collections.abc import Mapping

from seentwice.index.batches import is_scattered, list_batches, merge_batches, read_column
from seentwice.index.columns import Column
from seentwice.index.database import Database
from seentwice.index.vectors import keep_vectors, list_wasteful

_SPARE_SHARE = 4  # one page of so many may be free
_SPARE_PAGES = 1_024


def compact(database: Database, columns: Mapping[str, Column]) -> None:
    """Merge batches, and drop rows of files that are gone, where that is worth it.

    Args:
        database: open to be written.
        columns: all of the table.

    Raises:
        UserError: the file cannot be written, or the disk is full.
        DamagedError: rows are not what was written.
    """
    while _is_worth(database):
        with database.writing() as connection:
            _step(connection, columns)


def _is_worth(database: Database) -> bool:
    with database.reading() as connection:
        batches = list_batches(connection)
        photos = sum(batch.live for batch in batches)
        return bool(
            is_scattered(batches) or list_wasteful(connection, photos) or _count_spare(connection)
        )


def _step(connection: sqlite3.Connection, columns: Mapping[str, Column]) -> None:
    batches = list_batches(connection)  # another process may have been first
    if is_scattered(batches):
        merge_batches(connection, columns, batches)
        connection.execute("UPDATE about SET generation = generation + 1")
        return
    for fingerprint in list_wasteful(connection, sum(batch.live for batch in batches)):
        digests = read_column(connection, columns["sha256"], batches)
        keep_vectors(connection, fingerprint, digests)
    spare = _count_spare(connection)
    if spare:
        connection.execute(f"PRAGMA incremental_vacuum({spare})").fetchall()


def _count_spare(connection: sqlite3.Connection) -> int:
    """Return how many free pages are given back to the disk; 0 where they are few."""
    free = connection.execute("PRAGMA freelist_count").fetchone()[0]
    pages = connection.execute("PRAGMA page_count").fetchone()[0]
    return free if free > max(_SPARE_PAGES, pages // _SPARE_SHARE) else 0
