"""Rows in batches: of each batch one blob a column, and where the row of a key is.

A row never changes. What is replaced or removed is dead from then on, until its batch is merged
with others; so a column is read as a few long runs of bytes.
"""

import sqlite3
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from seentwice.index.columns import (
    KEY,
    Column,
    Values,
    decode_values,
    encode_values,
    join_values,
    take_values,
)

BATCH_ROWS = 16_384
"""Of a batch that is whole."""
_MOST_ROWS = 2**20  # that any version puts into one
ROW_BITS = 32  # of a place; the others are the batch's number
_LIGHT_BATCHES = 64
"""So many of them are merged at once, as is one batch's worth of rows in fewer."""
_MERGED_ROWS = 4 * BATCH_ROWS  # in one transaction


class DamagedError(Exception):
    """A blob is not what was written."""


@dataclass(frozen=True, slots=True)
class Batch:
    """What is where in one batch."""

    number: int
    rows: int
    live: int  # of the rows
    bits: bytes  # one a row, set where it is live; empty where all are

    @property
    def is_light(self) -> bool:
        """Whether it is worth merging: small, or a quarter of it dead."""
        return self.live <= BATCH_ROWS * 3 // 4

    def places(self) -> NDArray[np.int64]:
        """Return the places of live rows, in order."""
        return (self.number << ROW_BITS) + self.live_rows()

    def live_rows(self) -> NDArray[np.int64]:
        """Return which rows are live (live,), in order."""
        if not self.bits:
            return np.arange(self.rows)
        rows = np.flatnonzero(self.is_live())
        if len(rows) != self.live:
            raise DamagedError(f"batch {self.number}")
        return rows

    def is_live(self) -> NDArray[np.bool_]:
        """Say of each row whether it is, (rows,)."""
        if not self.bits:
            return np.ones(self.rows, np.bool_)
        return np.unpackbits(np.frombuffer(self.bits, np.uint8), count=self.rows).view(np.bool_)


def list_tables(columns: Mapping[str, Column]) -> list[str]:
    """Return the statements that make the tables of these columns."""
    return [
        # Numbers are never given twice: a place says for good which row is meant.
        "CREATE TABLE batch (number INTEGER PRIMARY KEY AUTOINCREMENT, rows INTEGER NOT NULL, "
        "live INTEGER NOT NULL, bits BLOB NOT NULL)",
        # Files come in the order of their names, so rows are added side by side.
        "CREATE TABLE place (key BLOB PRIMARY KEY, place INTEGER NOT NULL) WITHOUT ROWID",
        *(
            f"CREATE TABLE {_table(name)} (batch INTEGER PRIMARY KEY, data BLOB NOT NULL, "
            "sum INTEGER NOT NULL)"
            for name in columns
        ),
    ]


def list_batches(connection: sqlite3.Connection) -> list[Batch]:
    """Return all batches, oldest first.

    Raises:
        DamagedError: the numbers of a batch cannot be.
    """
    found = connection.execute("SELECT number, rows, live, bits FROM batch ORDER BY number")
    batches = [Batch(*values) for values in found]
    for batch in batches:
        try:
            is_sound = 0 <= batch.live <= batch.rows <= _MOST_ROWS and len(batch.bits) == (
                -(-batch.rows // 8) if batch.live < batch.rows else 0
            )
        except TypeError:
            is_sound = False
        if not is_sound:
            raise DamagedError(f"batch {batch.number}")
    return batches


def read_column(connection: sqlite3.Connection, column: Column, batches: Sequence[Batch]) -> Values:
    """Return a column's values of the live rows of these batches, in the order of places.

    Raises:
        DamagedError: they are not what was written.
    """
    parts = _read_parts(connection, column, batches)
    if column.is_text:
        return join_values(column, list(parts))
    values = np.empty(column.shape(sum(batch.live for batch in batches)), column.dtype)
    first = 0
    for part in parts:
        values[first : first + len(part)] = part
        first += len(part)
    return values


def find_places(connection: sqlite3.Connection, keys: Sequence[bytes]) -> NDArray[np.int64]:
    """Return where the row of each key is, (n,): -1 where there is none."""
    places = np.full(len(keys), -1)
    for index, key in enumerate(keys):
        found = connection.execute("SELECT place FROM place WHERE key = ?", (key,)).fetchone()
        if found is not None:
            places[index] = found[0]
    return places


def kill_rows(connection: sqlite3.Connection, places: NDArray[np.int64]) -> None:
    """Let the rows at these places be dead; the keys' places are the caller's to change.

    Raises:
        DamagedError: there is no such row.
    """
    numbers = places >> ROW_BITS
    rows = places & ((1 << ROW_BITS) - 1)
    batches = {batch.number: batch for batch in list_batches(connection)} if len(places) else {}
    for number in np.unique(numbers).tolist():
        batch = batches.get(number)
        killed = rows[numbers == number]
        if batch is None or killed.max() >= batch.rows:
            raise DamagedError(f"batch {number}")
        is_live = batch.is_live()
        is_live[killed] = False
        connection.execute(
            "UPDATE batch SET live = ?, bits = ? WHERE number = ?",
            (int(np.count_nonzero(is_live)), np.packbits(is_live).tobytes(), number),
        )


def append_rows(
    connection: sqlite3.Connection, columns: Mapping[str, Column], values: Mapping[str, Values]
) -> None:
    """Add rows in the order of their keys; places that the keys had are forgotten.

    Args:
        connection: in a transaction.
        columns: all of the table.
        values: (n,) or (n, width) of each column.
    """
    keys = values[KEY].to_pylist()
    order = np.array(sorted(range(len(keys)), key=keys.__getitem__), np.int64)
    for first in range(0, len(keys), BATCH_ROWS):
        chosen = order[first : first + BATCH_ROWS]
        number = connection.execute(
            "INSERT INTO batch (rows, live, bits) VALUES (?, ?, x'')", (len(chosen), len(chosen))
        ).lastrowid
        assert number is not None
        for name, column in columns.items():
            data = encode_values(column, take_values(values[name], chosen))
            connection.execute(
                f"INSERT INTO {_table(name)} VALUES (?, ?, ?)", (number, data, zlib.crc32(data))
            )
        start = number << ROW_BITS
        connection.executemany(
            "INSERT OR REPLACE INTO place VALUES (?, ?)",
            ((keys[index], start + row) for row, index in enumerate(chosen.tolist())),
        )


def is_scattered(batches: Sequence[Batch]) -> bool:
    """Say whether light batches have become so many, or hold so much, that merging pays."""
    light = [batch for batch in batches if batch.is_light]
    live = sum(batch.live for batch in light)
    dead = sum(batch.rows for batch in light) - live
    return len(light) >= _LIGHT_BATCHES or live >= BATCH_ROWS or dead >= BATCH_ROWS // 4


def merge_batches(
    connection: sqlite3.Connection, columns: Mapping[str, Column], batches: Sequence[Batch]
) -> None:
    """Merge light batches into whole ones; places of their rows change.

    Args:
        connection: in a transaction.
        columns: all of the table.
        batches: all of the table; of its light ones the oldest are merged, as many as memory is
            spent on at once.

    Raises:
        DamagedError: rows are not what was written.
    """
    light = [batch for batch in batches if batch.is_light]
    ends = np.cumsum([batch.live for batch in light])
    chosen = light[: int(np.searchsorted(ends, _MERGED_ROWS, side="right"))]
    values = {name: read_column(connection, column, chosen) for name, column in columns.items()}
    numbers = [(batch.number,) for batch in chosen]
    connection.executemany("DELETE FROM batch WHERE number = ?", numbers)
    for name in columns:
        connection.executemany(f"DELETE FROM {_table(name)} WHERE batch = ?", numbers)
    append_rows(connection, columns, values)


def _read_parts(
    connection: sqlite3.Connection, column: Column, batches: Sequence[Batch]
) -> Iterator[Values]:
    """Return the live values of each batch in turn."""
    table = _table(column.name)
    for batch in batches:
        found = connection.execute(
            f"SELECT data, sum FROM {table} WHERE batch = ?", (batch.number,)
        ).fetchone()
        try:
            data, total = found
            if zlib.crc32(data) != total:
                raise ValueError("another sum")
            values = decode_values(column, data, batch.rows)
        except (TypeError, ValueError) as error:
            raise DamagedError(f"{column.name} of batch {batch.number}") from error
        if batch.live < batch.rows:
            values = take_values(values, batch.live_rows())
        yield values


def _table(column: str) -> str:
    return f'"column_{column}"'
