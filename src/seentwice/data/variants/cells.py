"""The names and edits of all variants as cells of CSV, on the disk and not in memory."""

from array import array
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from mmap import ACCESS_READ, mmap
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO

import numpy as np
from numpy.typing import NDArray

from seentwice.data.variants.plan import Variant

_ROWS = 1 << 15  # joined at a time: some 10 MB


class Cells:
    """Each variant's file and edit, numbered in the order in which they are added.

    Memory holds 16 bytes a variant, and what the operating system keeps of the file as long as
    nobody wants the room.
    """

    def __init__(self, file: IO[bytes]) -> None:
        """Begin with none; `file` is empty and can be read, too."""
        self._file = file
        self._ends = array("q", [0])  # of the file of variant i at 2 i + 1, of its edit at 2 i + 2

    def add(self, variants: Iterable[Variant]) -> None:
        """Write the cells of some variants.

        Raises:
            OSError: the disk is full.
        """
        for variant in variants:
            for text in (variant.file, variant.edit):
                self._ends.append(self._ends[-1] + self._file.write(_quote(text)))

    def join_rows(
        self,
        blocks: Iterable[tuple[NDArray[np.int64], NDArray[np.int64]]],
        versions: int,
    ) -> Iterator[tuple[int, memoryview]]:
        """Yield rows of pairs, each with its line end: how many they are, and their bytes.

        A row holds both files, the duplicate flag, 0 or 1, and both edits.

        Args:
            blocks: numbers of variants; see `pairs`.
            versions: variants a photo; a duplicate is a pair of one photo.

        Raises:
            OSError: the disk is full.
        """
        import pyarrow as pa  # type: ignore[import-untyped]  # --help waits for it otherwise
        import pyarrow.compute as pc  # type: ignore[import-untyped]

        self._file.flush()
        kind = pa.large_binary()
        content = pa.py_buffer(mmap(self._file.fileno(), 0, access=ACCESS_READ))
        offsets = pa.py_buffer(self._ends)
        cells = pa.LargeBinaryArray.from_buffers(
            kind, len(self._ends) - 1, [None, offsets, content]
        )
        flags, nothing = pa.array([b"0", b"1"], kind), pa.scalar(b"", kind)
        for low, high in blocks:
            for start in range(0, len(low), _ROWS):
                left, right = low[start : start + _ROWS], high[start : start + _ROWS]
                rows = pc.binary_join_element_wise(
                    cells.take(pa.array(2 * left)),
                    cells.take(pa.array(2 * right)),
                    flags.take(pa.array((left // versions == right // versions).astype(np.int8))),
                    cells.take(pa.array(2 * left + 1)),
                    cells.take(pa.array(2 * right + 1)),
                    pa.scalar(b",", kind),
                )
                lines = pc.binary_join_element_wise(rows, nothing, pa.scalar(b"\n", kind))
                whole = pc.binary_join(pa.ListArray.from_arrays([0, len(rows)], lines), nothing)
                yield len(rows), memoryview(whole[0].as_buffer())


@contextmanager
def open_cells(folder: Path) -> Iterator[Cells]:
    """Hold cells in a file without a name, which is gone with the block or with the process.

    Args:
        folder: on the disk that has room for them.

    Raises:
        OSError: the folder cannot be written.
    """
    with TemporaryFile(dir=folder) as file:
        yield Cells(file)


def _quote(text: str) -> bytes:
    r"""Return a cell as `csv.writer` writes it among others; `\udcff` stands for no UTF-8."""
    if any(char in text for char in ',"\r\n'):
        text = '"' + text.replace('"', '""') + '"'
    return text.encode("utf-8", "backslashreplace")
