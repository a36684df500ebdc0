"""The file that holds the rows of a segment; it is written once.

It has numbers (int64), upper halves (bfloat16) and lower halves (int16) one after another, each
from a multiple of 64 bytes. The sums of its blocks are kept elsewhere.
"""

import mmap
import os
import secrets
import zlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from seentwice.files import open_atomically
from seentwice.index.batches import DamagedError
from seentwice.index.row_segment import RowFile, Segment

ROWS = ".rows"
"""With what names of these files end."""
_ALIGNED = 64
_BLOCK = 1 << 24  # bytes that have one sum


def map_columns(
    file: RowFile, rows: int, width: int
) -> tuple[NDArray[np.int64], NDArray[np.uint16], NDArray[np.int16]]:
    """Map a file into memory, and check its blocks.

    Args:
        file: with sums.
        rows: that it holds.
        width: numbers a row.

    Returns:
        Numbers (n,), upper (n, d) and lower halves (n, d).

    Raises:
        DamagedError: it is not what was written.
        OSError: it cannot be read.
    """
    starts = _list_starts(rows, width)
    with file.path.open("rb") as opened:
        size = os.fstat(opened.fileno()).st_size
        if size != starts[-1]:
            raise DamagedError(f"{file.path.name} has {size:,} bytes, not {starts[-1]:,}")
        mapped = mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ)
    view = memoryview(mapped)
    blocks = [block for span in pairwise(starts) for block in _list_blocks(*span)]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        sums = tuple(pool.map(lambda block: zlib.crc32(view[slice(*block)]), blocks))
    if sums != file.sums:
        raise DamagedError(f"{file.path.name} has other sums")
    numbers, upper, lower = (
        np.frombuffer(mapped, dtype, count, start)
        for dtype, count, start in zip(
            ("<i8", "<u2", "<i2"), (rows, rows * width, rows * width), starts[:-1], strict=True
        )
    )
    return numbers, upper.reshape(rows, width), lower.reshape(rows, width)


def keep_segment(segment: Segment, folder: Path) -> Segment:
    """Return the segment with its file in the folder, written where it is missing.

    Raises:
        OSError: the folder cannot be written, or the disk is full.
    """
    if segment.file and segment.file.path.parent == folder and segment.file.path.is_file():
        return segment
    path = folder / f"{secrets.token_hex(8)}{ROWS}"
    starts = _list_starts(*segment.upper.shape)
    columns = (segment.numbers, segment.upper, segment.lower)
    sums = []
    with open_atomically(path) as file:
        for column, span in zip(columns, pairwise(starts), strict=True):
            data = np.ascontiguousarray(column).data.cast("B")
            for first, last in _list_blocks(*span):
                block = bytes(data[first - span[0] : last - span[0]]).ljust(last - first, b"\0")
                sums.append(zlib.crc32(block))
                file.write(block)
    return replace(segment, file=RowFile(path, tuple(sums)))


def _list_starts(rows: int, width: int) -> list[int]:
    """Return where numbers, upper and lower halves begin in a file, and where it ends."""
    starts = [0]
    for size in (8 * rows, 2 * rows * width, 2 * rows * width):
        starts.append(-(-(starts[-1] + size) // _ALIGNED) * _ALIGNED)
    return starts


def _list_blocks(start: int, end: int) -> list[tuple[int, int]]:
    """Return the blocks of a column, each of which has a sum."""
    return [(first, min(first + _BLOCK, end)) for first in range(start, end, _BLOCK)]
