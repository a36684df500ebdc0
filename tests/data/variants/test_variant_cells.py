import csv
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from seentwice.data.variants import cells as cells_module
from seentwice.data.variants.cells import open_cells
from seentwice.data.variants.pairs import all_pairs, balanced_pairs
from seentwice.data.variants.plan import Variant, VariantSettings, variants_of
from seentwice.data.variants.tables import PAIR_COLUMNS, open_table, write_pairs

SETTINGS = VariantSettings(0, ("hflip", "crop", "rotate|hflip"), "jpeg")
KEYS = [f"train/küche \udce9/{number}.jpg" for number in range(9)]


@pytest.mark.parametrize("rows_at_once", [1, 7, 1 << 15])
@pytest.mark.parametrize("which", ["all", "balanced"])
def test_pairs_are_what_a_row_by_row_writer_writes(
    which: str, rows_at_once: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cells_module, "_ROWS", rows_at_once)
    versions = SETTINGS.versions

    def blocks():
        places = np.arange(len(KEYS))
        return all_pairs(places, versions) if which == "all" else balanced_pairs(places, 4, 0)

    variants = [variant for key in KEYS for variant in variants_of(key, SETTINGS)]
    with open_table(tmp_path / "slow.csv", PAIR_COLUMNS) as write_row:
        for low, high in blocks():
            for left, right in zip(low.tolist(), high.tolist(), strict=True):
                one, other = variants[left], variants[right]
                duplicate = int(left // versions == right // versions)
                write_row((one.file, other.file, duplicate, one.edit, other.edit))

    calls: list[tuple[int, int]] = []
    rows = sum(len(low) for low, _ in blocks())
    with open_cells(tmp_path) as cells:
        for key in KEYS:
            cells.add(variants_of(key, SETTINGS))
        write_pairs(
            tmp_path / "fast.csv", cells, versions, blocks(), rows, lambda *call: calls.append(call)
        )
    assert (tmp_path / "fast.csv").read_bytes() == (tmp_path / "slow.csv").read_bytes()
    assert calls[-1] == (rows, rows)
    assert {path.name for path in tmp_path.iterdir()} == {"fast.csv", "slow.csv"}


def test_cells_are_quoted_as_csv_quotes_them(tmp_path: Path) -> None:
    odd = ["plain", "a,b", 'say "x"', "two\nlines", "cr\r", "", "é\udce9", ","]
    with open_cells(tmp_path) as cells:
        cells.add(Variant(text, text[::-1]) for text in odd)
        numbers = np.arange(len(odd) - 1)
        lines = b"".join(text for _, text in cells.join_rows([(numbers, numbers + 1)], 2))
    read = list(csv.reader(lines.decode().splitlines(keepends=True)))
    shown = [text.encode("utf-8", "backslashreplace").decode() for text in odd]
    turned = [text[::-1].encode("utf-8", "backslashreplace").decode() for text in odd]
    assert read == [
        [shown[i], shown[i + 1], str(int(i % 2 == 0)), turned[i], turned[i + 1]]
        for i in range(len(odd) - 1)
    ]


def test_memory_holds_16_bytes_a_variant(tmp_path: Path) -> None:
    photos = 20_000
    tracemalloc.start()
    try:
        with open_cells(tmp_path) as cells:
            for number in range(photos):
                cells.add([Variant(f"{'long/' * 20}{number}.jpg", "grey")] * 4)
            held_bytes, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert held_bytes < 1.2 * 16 * 4 * photos + 100_000
