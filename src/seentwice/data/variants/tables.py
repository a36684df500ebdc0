"""The tables beside the variants, as CSV."""

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from seentwice.data.source import Progress
from seentwice.data.variants.cells import Cells
from seentwice.files import open_atomically

PAIR_COLUMNS = ("left", "right", "duplicate", "left_edit", "right_edit")


@contextmanager
def open_table(path: Path, columns: Sequence[str]) -> Iterator[Callable[[Sequence[object]], None]]:
    r"""Write a table that appears whole; the block calls what it is given with each row.

    It is UTF-8; bytes of file names that are not are escaped: `\udcff`.

    Raises:
        OSError: the folder cannot be written.
    """
    with open_atomically(path) as file:
        text = io.TextIOWrapper(file, "utf-8", errors="backslashreplace", newline="")
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(columns)
        try:
            yield writer.writerow
        finally:
            text.detach()


def write_pairs(
    path: Path,
    cells: Cells,
    versions: int,
    blocks: Iterable[tuple[NDArray[np.int64], NDArray[np.int64]]],
    rows: int,
    on_progress: Progress,
) -> None:
    """Write pairs of variants with the duplicate flag, 0 or 1.

    Args:
        path: the table.
        cells: the variants of every photo, photo by photo.
        versions: variants a photo.
        blocks: pairs of numbers; see `pairs`.
        rows: how many pairs the blocks hold.
        on_progress: told of the rows that are written.

    Raises:
        OSError: the folder cannot be written.
    """
    done = 0
    with open_atomically(path) as file:
        file.write(",".join(PAIR_COLUMNS).encode() + b"\n")
        for count, lines in cells.join_rows(blocks, versions):
            file.write(lines)
            done += count
            on_progress(done, rows)
