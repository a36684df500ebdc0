"""Rows of a small table, alike but for their numbers."""

import hashlib

from seentwice.index.photo_row import PhotoRow, StoreMeta

META = StoreMeta("/photos", ("dhash", "phash"), "blocks", 4)


def make_row(key, version=0):
    """A photo's row; all that is in it follows from the key and the version."""
    digest = hashlib.sha256(f"{key!r}{version}".encode()).digest()
    number = int.from_bytes(digest[:8], "big")
    return PhotoRow(
        key=key,
        size_bytes=number >> 20,
        modified_ns=version,
        inode=number,
        sha256=digest,
        width=640,
        height=480,
        hashes=(number, 2**64 - 1 - number),
        decoding="blocks",
        signature=digest[:4],
        has_content=bool(number % 2),
        reason="",
        detail="",
    )


def make_unreadable(key, version=0):
    """The row of a file that gave no photo."""
    return PhotoRow(
        key, 7, version, 8, b"", 0, 0, (), "", b"", False, "truncated", f"{key} \udce9 at\nbyte 3"
    )


def read_all(store):
    """Return all rows by key, which each column and each row on its own must agree on."""
    with store.snapshot():
        columns = store.read_columns(store.column_names())
        rows = store.read_rows(columns.places)
    assert [row.key for row in rows] == [columns.key(index) for index in range(len(columns))]
    for name in ("size_bytes", "modified_ns", "inode", "width", "height", "has_content"):
        assert columns[name].tolist() == [getattr(row, name) for row in rows]
    assert columns["is_read"].tolist() == [bool(row.hashes) for row in rows]
    for index, name in enumerate(store.meta.hash_names):
        expected = [row.hashes[index] if row.hashes else 0 for row in rows]
        assert columns[f"hash_{name}"].tolist() == expected
    return {row.key: row for row in rows}
