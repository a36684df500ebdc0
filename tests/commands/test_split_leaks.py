"""A photo that is in two splits is told, listed, and ends the run where that was asked for."""

import csv
import json
import shutil
from pathlib import Path

import pytest

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


def test_photos_without_leaks_are_not_talked_about(
    few_rooms: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("compare", few_rooms, tmp_path, *QUICK, "split.leaks=error") == 0
    assert "across splits" not in capsys.readouterr().out
    assert not (tmp_path / "leaks.csv").exists()


@pytest.mark.parametrize("words", [["compare", *QUICK], ["train"], ["compare", *QUICK, "folds=3"]])
def test_a_leak_ends_the_run_where_it_is_an_error(
    words: list[str], leaking_rooms: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command, *others = words
    assert run(command, leaking_rooms, tmp_path, *others, "split.leaks=error", "split.seed=1") == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "split.leaks=error: 1 pair of photos across splits (1 same bytes), first Test" in line
    assert f"all in {tmp_path / 'leaks.csv'}; tell both of one place" in line
    assert len((tmp_path / "leaks.csv").read_text().splitlines()) == 2
