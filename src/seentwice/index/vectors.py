"""Rows of numbers that were computed of files: embeddings, digests of pixels.

They are kept under the sha256 of the file, so a file that was moved keeps its row, and one that was
replaced has none.
"""

import sqlite3
import zlib
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seentwice.index.batches import DamagedError
from seentwice.index.columns import find_rows
from seentwice.index.photo_row import DIGEST_BYTES

TABLE = (
    "CREATE TABLE vectors (number INTEGER PRIMARY KEY, fingerprint TEXT NOT NULL, "
    "rows INTEGER NOT NULL, width INTEGER NOT NULL, dtype TEXT NOT NULL, digest_sum INTEGER, "
    "value_sum INTEGER, digests BLOB NOT NULL, vectors BLOB NOT NULL)"
)
_MERGED_BYTES = 2**24
"""Of a batch that is whole."""
_SMALL_BATCHES = 32
_SPARE_ROWS = 4_096  # besides as many as there are photos


def list_fingerprints(connection: sqlite3.Connection) -> list[str]:
    """Return whose rows are there, sorted."""
    found = connection.execute("SELECT DISTINCT fingerprint FROM vectors ORDER BY fingerprint")
    return [fingerprint for (fingerprint,) in found]


def append_vectors(
    connection: sqlite3.Connection,
    fingerprint: str,
    digests: NDArray[np.uint8],
    vectors: NDArray[np.generic],
) -> None:
    """Add rows, and merge small batches where they have become many.

    Args:
        connection: in a transaction.
        fingerprint: of what computed the rows.
        digests: (n, 32), the sha256 of each file.
        vectors: (n, d), as wide and of the same type as those that are there.

    Raises:
        ValueError: they are not.
        DamagedError: rows that are there are not what was written.
    """
    if vectors.ndim != 2 or digests.shape != (len(vectors), DIGEST_BYTES):
        raise ValueError(f"digests {digests.shape} of rows {vectors.shape}: give (n, 32), (n, d)")
    found = connection.execute(
        "SELECT width, dtype FROM vectors WHERE fingerprint = ? LIMIT 1", (fingerprint,)
    ).fetchone()
    if found not in (None, (vectors.shape[1], vectors.dtype.str)):
        raise ValueError(f"{fingerprint}: rows {vectors.shape} {vectors.dtype}; there: {found}")
    _insert(connection, fingerprint, digests, vectors)
    small = connection.execute(
        "SELECT number, length(vectors) FROM vectors WHERE fingerprint = ? AND "
        "length(vectors) < ? ORDER BY number",
        (fingerprint, _MERGED_BYTES),
    ).fetchall()
    if len(small) >= _SMALL_BATCHES or sum(size for _, size in small) >= _MERGED_BYTES:
        parts = list(_read_batches(connection, [number for number, _ in small]))
        connection.executemany(
            "DELETE FROM vectors WHERE number = ?", [(number,) for number, _ in small]
        )
        together = (np.concatenate(values) for values in zip(*parts, strict=True))
        _insert(connection, fingerprint, *together)


def find_vectors(
    connection: sqlite3.Connection, fingerprint: str, digests: NDArray[np.uint8]
) -> tuple[NDArray[np.generic], NDArray[np.bool_]]:
    """Return the rows of files.

    Args:
        connection: in a transaction.
        fingerprint: of what computed the rows.
        digests: (n, 32), the sha256 of each file.

    Returns:
        Rows (n, d), zeros where there is none, d = 0 where there is none at all; which are there
        (n,).

    Raises:
        DamagedError: rows are not what was written.
    """
    vectors: NDArray[np.generic] = np.zeros((len(digests), 0), "<f4")
    is_there = np.zeros(len(digests), np.bool_)
    numbers = _list_numbers(connection, fingerprint)
    known = [_read_digests(connection, number) for number in numbers]
    starts = np.cumsum([0, *(len(part) for part in known)])
    place = find_rows(digests, np.concatenate([digests[:0], *known]))
    for number, start, end in zip(numbers, starts[:-1], starts[1:], strict=True):
        here = np.flatnonzero((place >= start) & (place < end))
        if len(here):
            _, values = next(_read_batches(connection, [number]))
            if not is_there.any():
                vectors = np.zeros((len(digests), values.shape[1]), values.dtype)
            vectors[here] = values[place[here] - start]
            is_there[here] = True
    return vectors, is_there


def find_known(
    connection: sqlite3.Connection, fingerprint: str, digests: NDArray[np.uint8]
) -> NDArray[np.bool_]:
    """Say of which files there is a row, (n,), without reading rows.

    Args:
        connection: in a transaction.
        fingerprint: of what computed the rows.
        digests: (n, 32), the sha256 of each file.

    Raises:
        DamagedError: digests are not what was written.
    """
    known = [_read_digests(connection, number) for number in _list_numbers(connection, fingerprint)]
    is_there: NDArray[np.bool_] = find_rows(digests, np.concatenate([digests[:0], *known])) >= 0
    return is_there


def list_wasteful(connection: sqlite3.Connection, photos: int) -> list[str]:
    """Return the fingerprints that have many more rows than there are photos."""
    counts = connection.execute("SELECT fingerprint, sum(rows) FROM vectors GROUP BY fingerprint")
    return [fingerprint for fingerprint, rows in counts if rows > 2 * photos + _SPARE_ROWS]


def keep_vectors(
    connection: sqlite3.Connection, fingerprint: str, digests: NDArray[np.uint8]
) -> None:
    """Throw away the rows of other files than these, and second rows of one.

    Args:
        connection: in a transaction.
        fingerprint: of what computed the rows.
        digests: (n, 32), the sha256 of each file.

    Raises:
        DamagedError: rows are not what was written.
    """
    numbers = _list_numbers(connection, fingerprint)
    known = [_read_digests(connection, number) for number in numbers]
    every = np.concatenate([np.empty((0, DIGEST_BYTES), np.uint8), *known])
    is_first = find_rows(every, every) == np.arange(len(every))
    is_kept = is_first & (find_rows(every, digests) >= 0)
    ends = np.cumsum([len(part) for part in known])
    for number, kept in zip(numbers, np.split(is_kept, ends[:-1]), strict=True):
        if kept.all():
            continue
        part, vectors = next(_read_batches(connection, [number]))
        connection.execute("DELETE FROM vectors WHERE number = ?", (number,))
        if kept.any():
            _insert(connection, fingerprint, part[kept], vectors[kept])


def _insert(
    connection: sqlite3.Connection,
    fingerprint: str,
    digests: NDArray[np.uint8],
    vectors: NDArray[np.generic],
) -> None:
    keys, values = digests.tobytes(), np.ascontiguousarray(vectors).tobytes()
    connection.execute(
        "INSERT INTO vectors (fingerprint, rows, width, dtype, digest_sum, value_sum, digests, "
        "vectors) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (
            *(fingerprint, *vectors.shape, vectors.dtype.str),
            *(zlib.crc32(keys), zlib.crc32(values), keys, values),
        ),
    )


def _list_numbers(connection: sqlite3.Connection, fingerprint: str) -> list[int]:
    found = connection.execute(
        "SELECT number FROM vectors WHERE fingerprint = ? ORDER BY number", (fingerprint,)
    )
    return [number for (number,) in found]


def _read_digests(connection: sqlite3.Connection, number: int) -> NDArray[np.uint8]:
    found = connection.execute(
        "SELECT digests, digest_sum, rows, ?, 'u1' FROM vectors WHERE number = ?",
        (DIGEST_BYTES, number),
    ).fetchone()
    return _decode(f"digests of vectors {number}", *found)


def _read_batches(
    connection: sqlite3.Connection, numbers: Sequence[int]
) -> Iterator[tuple[NDArray[np.uint8], NDArray[np.generic]]]:
    """Return digests (n, 32) and rows (n, d) of each of these batches in turn."""
    for number in numbers:
        found = connection.execute(
            "SELECT vectors, value_sum, rows, width, dtype FROM vectors WHERE number = ?",
            (number,),
        ).fetchone()
        yield _read_digests(connection, number), _decode(f"vectors {number}", *found)


def _decode(what: str, data: bytes, total: int, rows: int, width: int, dtype: str) -> NDArray[Any]:
    try:
        if zlib.crc32(data) != total:
            raise ValueError("another sum")
        return np.frombuffer(data, dtype).reshape(rows, width)
    except (TypeError, ValueError) as error:
        raise DamagedError(what) from error
