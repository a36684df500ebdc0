"""A photo in two splits or under two places is told and listed.

In two splits it ends the run where that was asked for.
"""

import csv
import json
import shutil
from pathlib import Path

import pytest
from PIL import Image

from seentwice.commands.main import main

QUICK = ["head=[]", "baselines=[perception]", "bootstrap_resamples=10", "workers=1"]
FOUND = "  leaks: 1 pair of photos across splits (1 same bytes), all in "


@pytest.fixture(scope="module")
def leaking_rooms(few_rooms: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The few rooms; a photo that is trained on is tested, too, under another name."""
    root = tmp_path_factory.mktemp("leaking") / "rooms"
    shutil.copytree(few_rooms, root)
    trained = next((root / "Training Data" / "kitchen").iterdir())
    shutil.copy(trained, root / "Test Data" / "kitchen" / "again_[red]_1.jpg")
    return root


def run(command: str, root: Path, folder: Path, *words: str) -> int:
    data = ["data=folder", f"data.root={root}", f"hydra.run.dir={folder}"]
    return main([command, *data, *words])


def test_a_leak_is_told_counted_and_listed(
    leaking_rooms: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("compare", leaking_rooms, tmp_path, *QUICK) == 0
    lines = capsys.readouterr().out.splitlines()
    (told,) = [number for number, line in enumerate(lines) if line.startswith(FOUND)]
    assert lines[told].endswith("leaks.csv")
    assert "Test Data/kitchen/again_[red]_1.jpg (test) and Training Data" in lines[told + 1]
    (row,) = csv.DictReader((tmp_path / "leaks.csv").read_text().splitlines())
    assert row["left"] == "Test Data/kitchen/again_[red]_1.jpg"
    assert (row["left_split"], row["how"], row["bits"]) == ("test", "same bytes", "0")
    assert row["right_split"] in ("train", "validation")
    results = json.loads((tmp_path / "results.json").read_text())
    assert results["leaks"] == {"same_bytes": 1, "same_pixels": 0, "near_hash": 0}
    # It names two places as well.
    assert results["suspects"] == results["leaks"]


def test_photos_without_leaks_are_not_talked_about(
    few_rooms: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("compare", few_rooms, tmp_path, *QUICK, "split.leaks=error") == 0
    printed = capsys.readouterr().out
    assert "across splits" not in printed
    assert "suspects" not in printed
    assert not (tmp_path / "leaks.csv").exists()
    assert not (tmp_path / "suspects.csv").exists()


@pytest.mark.parametrize("words", [["compare", *QUICK], ["train"], ["compare", *QUICK, "folds=3"]])
def test_a_leak_ends_the_run_where_it_is_an_error(
    words: list[str], leaking_rooms: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command, *others = words
    assert run(command, leaking_rooms, tmp_path, *others, "split.leaks=error", "split.seed=1") == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "split.leaks=error: 1 pair of photos across splits (1 same bytes), first Test" in line
    assert f"all in {tmp_path / 'leaks.csv'}; name both alike" in line
    assert len((tmp_path / "leaks.csv").read_text().splitlines()) == 2


@pytest.fixture(scope="module")
def suspect_rooms(few_rooms: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The few rooms; two of one split, saved again, are other places by their names."""
    root = tmp_path_factory.mktemp("suspect") / "rooms"
    shutil.copytree(few_rooms, root)
    kitchen = root / "Test Data" / "kitchen"
    for number, original in enumerate(sorted(kitchen.iterdir())[:2]):
        with Image.open(original) as photo:
            photo.save(kitchen / f"again_[red]{number}_1.jpg", quality=60)
    return root


@pytest.mark.parametrize("command", ["compare", "pairs", "card"])
def test_a_copy_under_another_place_of_one_split_is_suspect(
    command: str, suspect_rooms: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = QUICK if command == "compare" else ["workers=1"]
    # It leaks nothing: both photos are tested.
    assert run(command, suspect_rooms, tmp_path, *words, "split.leaks=error") == 0
    lines = capsys.readouterr().out.splitlines()
    (told,) = [number for number, line in enumerate(lines) if line.startswith("  suspects: ")]
    assert lines[told] == (
        "  suspects: 2 pairs of photos that look the same, labelled as two places (2 near hash), "
        f"all in {tmp_path / 'suspects.csv'}"
    )
    for number, line in enumerate(sorted(lines[told + 1 : told + 3])):
        assert line.startswith(f"    Test Data/kitchen/again_[red]{number}_1.jpg (test) and Test ")
        assert line.endswith(" (test): near hash")
    assert lines[told + 3] == (
        "    one place? name them alike; give both one zone_id in manifest.csv, which needs a row "
        "for every photo"
    )
    rows = list(csv.DictReader((tmp_path / "suspects.csv").read_text().splitlines()))
    assert {row["left_place"] for row in rows} == {"kitchen/again_[red]0", "kitchen/again_[red]1"}
    assert all(row["right_place"] != row["left_place"] for row in rows)
    assert not (tmp_path / "leaks.csv").exists()


def test_a_zone_in_the_manifest_clears_a_suspect(
    suspect_rooms: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = tmp_path / "rooms"
    shutil.copytree(suspect_rooms, root)
    photos = [file.relative_to(root).as_posix() for file in root.rglob("*.jpg")]
    rows = "".join(f"{photo},one\n" for photo in photos if "kitchen" in photo)
    (root / "manifest.csv").write_text(f"file,zone_id\n{rows}")
    words = ["workers=1", "data.homes=name", "split.by=place"]
    assert run("card", root, tmp_path / "card", *words) == 0
    printed = capsys.readouterr().out
    assert f"{root / 'manifest.csv'}: rows for {rows.count(',')} of {len(photos)} photos" in printed
    assert "Suspects: none." in printed.replace("\n", " ")
    assert not (tmp_path / "card" / "suspects.csv").exists()
