import csv
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from seentwice.commands.main import main

HEADER = ("id", "photos", "category", "productFamily", "seller")


@pytest.fixture
def photos(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Three unlike photos; `b.jpg` and `loose.jpg` are copies of `a.jpg`."""
    monkeypatch.chdir(tmp_path)
    root = tmp_path / "photos"
    root.mkdir()
    generator = np.random.default_rng(7)
    for name in ("a.jpg", "c.jpg", "d.jpg"):
        blocks = Image.fromarray(generator.integers(0, 256, (6, 8, 3), np.uint8))
        blocks.resize((160, 120), Image.Resampling.BICUBIC).save(root / name)
    shutil.copy(root / "a.jpg", root / "b.jpg")
    shutil.copy(root / "a.jpg", root / "loose.jpg")
    return root


def write_table(*rows: tuple[str, ...], delimiter: str = ",", header: tuple[str, ...] = HEADER):
    with Path("products.csv").open("w", newline="") as file:
        csv.writer(file, delimiter=delimiter).writerows((header, *rows))


def run(*words: str) -> int:
    words = ("photos", "--catalogue", "products.csv", *words)
    return main(["dedupe", *words, "--workers", "1", "--out", "out"])


ROWS = (
    ("a", "a.jpg", "bed", "", "ann"),
    ("b", "b.jpg", "bed", "", "bob"),
    ("c", "c.jpg", "bed", "", "bob"),
)


@pytest.mark.parametrize(
    ("words", "delimiter", "told"),
    [
        ((), ";", "add --delimiter ';'"),
        ((), "\t", r"add --delimiter '\t'"),
        (("--column", "category=kind"), ",", "give --column category=COLUMN, COLUMN one of id, "),
        (("--column", "family=null"), ",", "or --column family= for none"),
        (("--column", "id="), ",", "'id=': name the column"),
        (("--photo-separator", " "), ",", "--photo-separator=' '"),
    ],
)
def test_errors_advise_the_options_of_this_command(
    photos: Path,
    words: tuple[str, ...],
    delimiter: str,
    told: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    write_table(*ROWS, delimiter=delimiter)
    assert run(*words) == 2
    error = capsys.readouterr().err
    assert told in error
    assert "data." not in error
    assert error.count("\n") == 1
