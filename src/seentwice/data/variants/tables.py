"""The tables beside the variants, as CSV."""

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from seentwice.data.source import Progress
from seentwice.data.variants.plan import Variant, VariantSettings, variant_of
from seentwice.files import open_atomically

PAIR_COLUMNS = ("left", "right", "duplicate", "left_edit", "right_edit")
_REMEMBERED = 1 << 17  # variants, whatever their number


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
    keys: Sequence[str],
    settings: VariantSettings,
    blocks: Iterable[tuple[NDArray[np.int64], NDArray[np.int64]]],
    rows: int,
    on_progress: Progress,
) -> None:
    """Write pairs of variants with the duplicate flag, 0 or 1.

    Args:
        path: the table.
        keys: of the photos that have variants.
        settings: of the variants.
        blocks: pairs of numbers; see `pairs`.
        rows: how many pairs the blocks hold.
        on_progress: told of every block.

    Raises:
        OSError: the folder cannot be written.
    """
    versions = settings.versions

    @lru_cache(_REMEMBERED)
    def variant_at(number: int) -> Variant:
        return variant_of(keys[number // versions], number % versions, settings)

    done = 0
    with open_table(path, PAIR_COLUMNS) as write_row:
        for low, high in blocks:
            for left, right in zip(low.tolist(), high.tolist(), strict=True):
                one, other = variant_at(left), variant_at(right)
                duplicate = int(left // versions == right // versions)
                write_row((one.file, other.file, duplicate, one.edit, other.edit))
            done += len(low)
            on_progress(done, rows)
