import csv
import json
import shutil
from pathlib import Path

import jsonschema
import numpy as np
import pytest
from PIL import Image

from seentwice.commands.main import main
from seentwice.dedupe.report.json_file import read_schema

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


def test_what_a_catalogue_lacks_gives_exit_code_1(
    photos: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_table(*ROWS)
    assert run() == 0
    write_table(*ROWS, ("c", "d.jpg", "bed", "", "bob"))  # a row that is rejected
    assert run() == 1
    assert "add --rows photo" in capsys.readouterr().out
    assert run("--rows", "photo") == 0
    write_table(*ROWS, ("d", "gone.jpg", "bed", "", "bob"))
    assert run() == 1
    assert "1 photo of products is not among those that were read" in capsys.readouterr().out
    write_table(("a", "a.jpg|d.jpg", "bed", "", ""), ("b", "b.jpg|c.jpg", "bed", "", ""))
    assert run() == 1
    shown = capsys.readouterr().out
    assert "that is all of them: paths start in" in shown
    assert "--photo-separator , stands between" in shown
    assert run("--photo-separator", "|") == 0


def test_a_photo_that_was_not_fetched_is_told_by_its_url(
    photos: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_table(*ROWS, ("d", "https://example.com/d.jpg\x1b[1m", "bed", "", "bob"))
    assert run() == 1
    shown = capsys.readouterr().out
    assert r"'d: https://example.com/d.jpg\x1b[1m'" in shown
    fetch = "seentwice prepare data=catalogue data.file=products.csv data.cache="
    assert f"{fetch}{photos}" in shown


def test_products_are_counted_and_none_could_go(
    photos: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_table(*ROWS)
    assert run() == 0
    shown = capsys.readouterr().out
    assert "1 group of duplicates; photos of 2 products are in them; nothing" in shown
    found = json.loads(Path("out/groups.json").read_text("utf-8"))
    jsonschema.validate(found, read_schema())
    assert found["counts"]["spare_photos"] == found["counts"]["spare_bytes"] == 0
    assert {photo["keep"] for photo in found["groups"][0]["photos"]} == {None}
    with Path("out/groups.csv").open(encoding="utf-8-sig", newline="") as file:
        assert {row["keep"] for row in csv.DictReader(file)} == {""}
    page = Path("out/report.html").read_text("utf-8")
    assert "1 group of copies, with photos of 2 products; products.json tells" in page
    assert '"spare": null' in page
    for word in ("could go", "most bytes to save first"):
        assert word not in shown
        assert word not in page


def test_labels_that_differ_by_case_or_blanks_are_one(photos: Path) -> None:
    write_table(("a", "a.jpg", "Flat ", "", "Ann"), ("b", "b.jpg", "flat", "", " ann"), ROWS[2])
    assert run() == 0
    products = json.loads(Path("out/products.json").read_text("utf-8"))
    assert [(one["id"], one["relation"]) for one in products["a"]] == [("b", "same seller")]
    groups = json.loads(Path("out/groups.json").read_text("utf-8"))["groups"]
    assert {photo["seller"] for photo in groups[0]["photos"]} == {"Ann", " ann", None}
