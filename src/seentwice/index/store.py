"""The table of photos: one row a file, embeddings beside it, in one SQLite file.

What was written is on the disk when `write` returns. Any number of processes may read while one
writes; several that write take turns. Rows come back as columns, whose bytes go into arrays without
an object of Python a row.
"""

import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

import numpy as np
import pyarrow.compute as pc  # type: ignore[import-untyped]
from numpy.typing import NDArray

from seentwice.files import UnwritableError
from seentwice.index import memos, vectors
from seentwice.index.batches import (
    ROW_BITS,
    DamagedError,
    append_rows,
    find_places,
    kill_rows,
    list_batches,
    list_tables,
    read_column,
)
from seentwice.index.columns import (
    KEY,
    Column,
    Values,
    decode_text,
    encode_text,
    find_values,
    gather_rows,
    list_columns,
    make_rows,
    make_texts,
    sort_texts,
    take_values,
)
from seentwice.index.compaction import compact
from seentwice.index.database import (
    Database,
    open_to_read,
    open_to_write,
    read_meta,
    tell_damage,
)
from seentwice.index.photo_row import PhotoRow, StoreMeta


@dataclass(frozen=True, slots=True, eq=False)
class PhotoColumns:
    """Columns of all rows, as they were at one moment.

    A column of numbers is an array (n,), or (n, width) of bytes; one of texts is an Arrow array.
    """

    generation: int  # of the table; another one after every change
    places: NDArray[np.int64]  # (n,) where the rows are; the names of rows in `read_rows`
    values: Mapping[str, Values]

    def __len__(self) -> int:
        return len(self.places)

    def __getitem__(self, name: str) -> Values:
        return self.values[name]

    def key(self, index: int) -> str:
        """Return the key of one row, where keys were read."""
        return decode_text(self.values[KEY][index].as_py())

    def find(self, keys: Sequence[str]) -> NDArray[np.int64]:
        """Return the row of each key, (n,): -1 where there is none. Keys must have been read."""
        asked = make_texts([encode_text(key) for key in keys])
        return find_values(asked, self.values[KEY])


@dataclass(frozen=True, slots=True)
class PhotoStore:
    """An open table; a context manager. A process opens its own, a fork included."""

    meta: StoreMeta
    _database: Database
    _columns: Mapping[str, Column]

    @staticmethod
    def open(folder: Path, meta: StoreMeta, on_wait: Callable[[], None]) -> "PhotoStore":
        """Open the table of a folder to be written; both are made where they are missing.

        Args:
            folder: of the index, and of nothing else.
            meta: what the rows share.
            on_wait: called again and again while another process writes.

        Raises:
            UserError: the table is of other photos, another version or another program, damaged,
                or cannot be written.
        """
        columns = list_columns(meta)
        tables = [*list_tables(columns), vectors.TABLE, memos.TABLE]
        return PhotoStore(meta, open_to_write(folder, meta, tables, on_wait), columns)

    @staticmethod
    def open_to_read(
        folder: Path, on_wait: Callable[[], None], maker: str = "dedupe"
    ) -> "PhotoStore":
        """Open the table of a folder, which may be one that this account cannot write.

        Args:
            folder: of the index.
            on_wait: told of a wait for another process.
            maker: the command that makes what is asked for, for errors.

        Raises:
            UserError: there is none, it is of another version or another program, or damaged.
        """
        database = open_to_read(folder, on_wait, maker)
        meta = read_meta(database)
        return PhotoStore(meta, database, list_columns(meta))

    def close(self) -> None:
        """Close the file; nothing is lost without it."""
        self._database.connection.close()

    def __enter__(self) -> "PhotoStore":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """Let all that is read in the block be of one moment, whatever others write.

        Raises:
            UserError: the file cannot be read, or is damaged.
        """
        with self._reading():
            yield

    def generation(self) -> int:
        """Return a number that every change of rows changes; no two tables share one by chance."""
        with self._reading() as connection:
            return _read_generation(connection)

    def scan(self, names: Sequence[str]) -> PhotoColumns:
        """Return columns of all rows as they are stored, which is the fastest.

        Args:
            names: of columns, as `column_names` gives them.

        Raises:
            UserError: the table is damaged.
        """
        with self._reading() as connection:
            batches = list_batches(connection)
            values = {name: read_column(connection, self._columns[name], batches) for name in names}
            places = np.concatenate([np.empty(0, np.int64), *(batch.places() for batch in batches)])
            return PhotoColumns(_read_generation(connection), places, values)

    def read_columns(self, names: Sequence[str]) -> PhotoColumns:
        """Return columns of all rows in the order of their keys' bytes, and the keys.

        Raises:
            UserError: the table is damaged.
        """
        stored = self.scan(list(dict.fromkeys((KEY, *names))))
        keys = stored[KEY]
        if not _are_sorted(keys):
            order = sort_texts(keys)
            values = {name: take_values(each, order) for name, each in stored.values.items()}
            stored = PhotoColumns(stored.generation, stored.places[order], values)
            if not _are_sorted(stored[KEY]):
                raise tell_damage(self._database.folder, "a key is there twice")
        return stored

    def column_names(self) -> tuple[str, ...]:
        """Return the names of all columns."""
        return tuple(self._columns)

    def read_rows(self, places: NDArray[np.int64]) -> list[PhotoRow]:
        """Return a few rows whole.

        Args:
            places: (n,) as columns of the same `snapshot` have them.

        Raises:
            UserError: the table is damaged.
            KeyError: a row was replaced, removed or moved since.
        """
        with self._reading() as connection:
            numbers = set((places >> ROW_BITS).tolist())
            batches = [batch for batch in list_batches(connection) if batch.number in numbers]
            known = np.concatenate([np.empty(0, np.int64), *(batch.places() for batch in batches)])
            if not np.isin(places, known).all():
                raise KeyError("rows are gone")
            index = np.searchsorted(known, places)
            values = {
                name: take_values(read_column(connection, column, batches), index)
                for name, column in self._columns.items()
            }
            return make_rows(values, self.meta)

    def write(self, rows: Sequence[PhotoRow], removed: Sequence[str] = ()) -> None:
        """Add or replace rows, and remove others, all or nothing.

        Args:
            rows: of different keys.
            removed: keys; those without a row are left out.

        Raises:
            UserError: the disk is full, the file cannot be written or is damaged; nothing of the
                call is there then.
            ValueError: two rows have one key, or a row does not fit the meta.
        """
        keys = [encode_text(row.key) for row in rows]
        if len(set(keys)) < len(keys):
            raise ValueError("two rows have one key")
        values = gather_rows(rows, self.meta)
        gone = sorted({encode_text(key) for key in removed}.difference(keys))
        with self._writing() as connection:
            places = find_places(connection, keys + gone)
            kill_rows(connection, places[places >= 0])
            connection.executemany("DELETE FROM place WHERE key = ?", ((key,) for key in gone))
            append_rows(connection, self._columns, values)
            connection.execute("UPDATE about SET generation = generation + 1")
        self._compact()

    def write_embeddings(
        self, fingerprint: str, digests: NDArray[np.uint8], rows: NDArray[np.generic]
    ) -> None:
        """Keep what was computed of files; it is dropped some time after their photos are gone.

        A file that was moved keeps its row, one that was replaced has none.

        Args:
            fingerprint: of what computed it, such as a detector's.
            digests: (n, 32), the sha256 of each file; their photos are written first.
            rows: (n, d), as wide and of the same type as those of the fingerprint before.

        Raises:
            UserError: as `write`.
            ValueError: the rows are of another width or type.
        """
        if not len(rows):
            return
        with self._writing() as connection:
            vectors.append_vectors(connection, fingerprint, digests, rows)
        self._compact()

    def read_embeddings(
        self, fingerprint: str, digests: NDArray[np.uint8]
    ) -> tuple[NDArray[np.generic], NDArray[np.bool_]]:
        """Return what was computed of files.

        Args:
            fingerprint: of what computed it.
            digests: (n, 32), the sha256 of each file.

        Returns:
            Rows (n, d), zeros where there is none, d = 0 where there is none at all; which are
            there (n,).

        Raises:
            UserError: the table is damaged.
        """
        with self._reading() as connection:
            return vectors.find_vectors(connection, fingerprint, digests)

    def has_embeddings(self, fingerprint: str, digests: NDArray[np.uint8]) -> NDArray[np.bool_]:
        """Say of which files something was computed, (n,).

        Args:
            fingerprint: of what computed it.
            digests: (n, 32), the sha256 of each file.

        Raises:
            UserError: the table is damaged.
        """
        with self._reading() as connection:
            return vectors.find_known(connection, fingerprint, digests)

    def list_fingerprints(self) -> list[str]:
        """Return those of which rows are kept, sorted."""
        with self._reading() as connection:
            return vectors.list_fingerprints(connection)

    def write_memo(self, name: str, value: bytes) -> None:
        """Keep bytes that were worked out of rows, in place of those that were there.

        Too many are not kept: see `memos.MOST_BYTES`.

        Raises:
            UserError: as `write`.
        """
        with self._writing() as connection:
            memos.write_memo(connection, name, value)

    def read_memo(self, name: str) -> bytes | None:
        """Return what is kept under a name, or None.

        Raises:
            UserError: the table is damaged.
        """
        with self._reading() as connection:
            return memos.read_memo(connection, name)

    def _compact(self) -> None:
        # What was asked for is written; on a full disk this is left for later.
        with suppress(UnwritableError), self._telling():
            compact(self._database, self._columns)

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        with self._telling(), self._database.reading() as connection:
            yield connection

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        with self._telling(), self._database.writing() as connection:
            yield connection

    @contextmanager
    def _telling(self) -> Iterator[None]:
        try:
            yield
        except DamagedError as error:
            raise tell_damage(self._database.folder, str(error)) from error


def _read_generation(connection: sqlite3.Connection) -> int:
    found: int = connection.execute("SELECT generation FROM about").fetchone()[0]
    return found


def _are_sorted(keys: Values) -> bool:
    return len(keys) < 2 or bool(pc.all(pc.less(keys[:-1], keys[1:])).as_py())
