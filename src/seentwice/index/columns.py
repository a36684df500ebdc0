"""Columns of the table of photos: rows of Python become arrays, and arrays become bytes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.compute as pc  # type: ignore[import-untyped]
from numpy.typing import NDArray

from seentwice.index.photo_row import DIGEST_BYTES, PhotoRow, StoreMeta

KEY = "key"
READ = "is_read"  # whether hashes and signature are there
TEXTS = (KEY, "decoding", "reason", "detail")
_LENGTH = np.dtype("<u4")

Values = Any
"""An array (n,) or (n, width) of NumPy, or an Arrow array of bytes (n,): Arrow has no types."""


@dataclass(frozen=True, slots=True)
class Column:
    """How one column is kept."""

    name: str
    dtype: str  # of NumPy, little-endian; empty for text
    width: int  # numbers a row; 0 for one number, of shape (n,)

    @property
    def is_text(self) -> bool:
        """Whether values have lengths of their own."""
        return not self.dtype

    def shape(self, rows: int) -> tuple[int, ...]:
        """Return the shape of the values of that many rows."""
        return (rows, self.width) if self.width else (rows,)


def list_columns(meta: StoreMeta) -> dict[str, Column]:
    """Return the columns of a table by name."""
    fixed = {
        "size_bytes": ("<i8", 0),
        "modified_ns": ("<i8", 0),
        "inode": ("<u8", 0),
        "sha256": ("u1", DIGEST_BYTES),  # zeros where the file could not be read
        "width": ("<u4", 0),
        "height": ("<u4", 0),
        "signature": ("u1", meta.signature_bytes),
        "has_content": ("?", 0),
        READ: ("?", 0),
        **{name_hash(name): ("<u8", 0) for name in meta.hash_names},
    }
    return {
        **{name: Column(name, "", 0) for name in TEXTS},
        **{name: Column(name, dtype, width) for name, (dtype, width) in fixed.items()},
    }


def name_hash(name: str) -> str:
    """Return the name of a hash's column."""
    return f"hash_{name}"


def encode_text(text: str) -> bytes:
    """Return a text's bytes; those of a file name are the name's own."""
    return text.encode("utf-8", "surrogateescape")


def decode_text(data: bytes) -> str:
    """Return the text that `encode_text` gave these bytes for."""
    return data.decode("utf-8", "surrogateescape")


def gather_rows(rows: Sequence[PhotoRow], meta: StoreMeta) -> dict[str, Values]:
    """Return the columns of rows.

    Raises:
        ValueError: a row has another number of hashes, or bytes of another length, than the meta.
    """
    for row in rows:
        if row.hashes and len(row.hashes) != len(meta.hash_names):
            raise ValueError(f"{row.key!r}: {len(row.hashes)} hashes, not {meta.hash_names}")
    columns: dict[str, Values] = {}
    for column in list_columns(meta).values():
        if column.is_text:
            texts = [encode_text(getattr(row, column.name)) for row in rows]
            columns[column.name] = make_texts(texts)
    for name in ("size_bytes", "modified_ns", "inode", "width", "height", "has_content"):
        dtype = list_columns(meta)[name].dtype
        columns[name] = np.array([getattr(row, name) for row in rows], dtype)
    columns[READ] = np.array([bool(row.hashes) for row in rows], "?")
    columns["sha256"] = _join([row.sha256 for row in rows], DIGEST_BYTES)
    columns["signature"] = _join([row.signature for row in rows], meta.signature_bytes)
    for index, name in enumerate(meta.hash_names):
        hashes = [row.hashes[index] if row.hashes else 0 for row in rows]
        columns[name_hash(name)] = np.array(hashes, "<u8")
    return columns


def make_rows(columns: Mapping[str, Values], meta: StoreMeta) -> list[PhotoRow]:
    """Return the rows of whole columns; for a few of them."""
    made = []
    for index, is_read in enumerate(columns[READ].tolist()):
        texts = {name: decode_text(columns[name][index].as_py()) for name in TEXTS}
        digest: NDArray[np.uint8] = columns["sha256"][index]
        made.append(
            PhotoRow(
                key=texts[KEY],
                size_bytes=int(columns["size_bytes"][index]),
                modified_ns=int(columns["modified_ns"][index]),
                inode=int(columns["inode"][index]),
                sha256=digest.tobytes() if digest.any() else b"",
                width=int(columns["width"][index]),
                height=int(columns["height"][index]),
                hashes=tuple(
                    int(columns[name_hash(name)][index]) for name in meta.hash_names if is_read
                ),
                decoding=texts["decoding"],
                signature=columns["signature"][index].tobytes() if is_read else b"",
                has_content=bool(columns["has_content"][index]),
                reason=texts["reason"],
                detail=texts["detail"],
            )
        )
    return made


def take_values(values: Values, order: NDArray[np.int64]) -> Values:
    """Return the values at these places, in their order."""
    if isinstance(values, np.ndarray):
        return values[order]
    data = pa.py_buffer(np.ascontiguousarray(order))
    return values.take(pa.Int64Array.from_buffers(pa.int64(), len(order), [None, data]))


def sort_texts(texts: Values) -> NDArray[np.int64]:
    """Return the order (n,) of Arrow's bytes (n,), those of equal ones being side by side."""
    _, data = pc.sort_indices(texts).buffers()
    return np.frombuffer(data, np.int64, len(texts))


def find_values(asked: Values, known: Values) -> NDArray[np.int64]:
    """Return where each of Arrow's values (n,) first is among the known, -1 where it is not."""
    bits, data = pc.index_in(asked, value_set=known).buffers()
    places = np.frombuffer(data, np.int32, len(asked)).astype(np.int64)
    if bits is not None:
        is_there = np.unpackbits(np.frombuffer(bits, np.uint8), count=len(asked), bitorder="little")
        places[is_there == 0] = -1
    return places


def find_rows(asked: NDArray[np.uint8], known: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Return where each row of bytes, (n, b), first is among those known, (n,): -1 where not."""
    return find_values(_make_fixed(asked), _make_fixed(known))


def _make_fixed(rows: NDArray[np.uint8]) -> pa.Array:
    data = pa.py_buffer(np.ascontiguousarray(rows))
    return pa.FixedSizeBinaryArray.from_buffers(pa.binary(rows.shape[1]), len(rows), [None, data])


def join_values(column: Column, parts: Sequence[Values]) -> Values:
    """Return the values of parts one after the other."""
    if column.is_text:
        return pa.concat_arrays([make_texts([]), *parts])
    return np.concatenate([np.empty(column.shape(0), column.dtype), *parts])


def encode_values(column: Column, values: Values) -> bytes:
    """Return values as the bytes that `decode_values` reads."""
    if not column.is_text:
        return np.ascontiguousarray(values, column.dtype).tobytes()
    _, offsets, data = values.buffers()
    ends = np.frombuffer(offsets, "<i8")[values.offset : values.offset + len(values) + 1]
    whole = b"" if data is None else data.to_pybytes()[ends[0] : ends[-1]]
    return np.diff(ends).astype(_LENGTH).tobytes() + whole


def decode_values(column: Column, data: bytes, rows: int) -> Values:
    """Return the values of that many rows; those of numbers cannot be written to.

    Raises:
        ValueError: the bytes are of another number of rows.
    """
    if not column.is_text:
        return np.frombuffer(data, column.dtype).reshape(column.shape(rows))
    lengths = np.frombuffer(data, _LENGTH, rows)
    start = lengths.nbytes
    if len(data) - start != lengths.sum(dtype=np.int64):
        raise ValueError(f"{column.name}: {len(data)} bytes for {rows} rows")
    return _cut_texts(lengths, memoryview(data)[start:])


def make_texts(texts: Sequence[bytes]) -> Values:
    """Return bytes as an Arrow array (n,)."""
    return _cut_texts(np.array([len(text) for text in texts], _LENGTH), b"".join(texts))


def _cut_texts(lengths: NDArray[np.uint32], data: bytes | memoryview) -> Values:
    # Not `pa.array`, which imports pandas for a third of a second, as does `to_numpy`.
    offsets = np.zeros(len(lengths) + 1, "<i8")
    np.cumsum(lengths, out=offsets[1:])
    return pa.LargeBinaryArray.from_buffers(
        pa.large_binary(), len(lengths), [None, pa.py_buffer(offsets), pa.py_buffer(data)]
    )


def _join(values: Sequence[bytes], width: int) -> NDArray[np.uint8]:
    """Return bytes of one length as (n, width), zeros where there are none."""
    wrong = next((value for value in values if len(value) not in (0, width)), None)
    if wrong is not None:
        raise ValueError(f"{len(wrong)} bytes: give {width} or none")
    zeros = bytes(width)
    joined = b"".join(value or zeros for value in values)
    return np.frombuffer(joined, np.uint8).reshape(len(values), width)
