"""The tables that the command writes, and trainings that draw in other ways."""

import csv
import hashlib
import json
import shutil
from itertools import combinations
from pathlib import Path

import pytest
from mlflow import MlflowClient

from seentwice.commands.main import main
from seentwice.data import samespace
from seentwice.data.pairs import COLUMNS
from seentwice.data.sampling.mix import NEEDS_MODEL
from seentwice.data.triplets import COLUMNS as TRIPLET_COLUMNS
from seentwice.learn.tracking import RUN_FILE
from seentwice.models.checkpoint import read_record

HARD = "sampling.train.negatives.hard=1"
QUICK = ("training=table", "training.epochs=2", "workers=1")


def write_pairs(photos: Path, folder: Path, *words: str) -> int:
    fixed = ("data=folder", f"data.root={photos}", f"hydra.run.dir={folder}", "workers=1")
    return main(["pairs", *fixed, *words])


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def place_of(key: str) -> str:
    return key.rpartition("_")[0]


def test_tables_and_triplets_name_photos(few_rooms: Path, tmp_path: Path) -> None:
    assert write_pairs(few_rooms, tmp_path, "triplets=2") == 0
    for part in ("train", "validation", "test"):
        pairs = rows_of(tmp_path / f"{part}.csv")
        assert tuple(pairs[0]) == COLUMNS
        for row in pairs:
            assert row["left"] != row["right"]
            assert row["label"] == str(int(place_of(row["left"]) == place_of(row["right"])))
        seen = [frozenset((row["left"], row["right"])) for row in pairs]
        assert len(seen) == len(set(seen))
        negatives = {frozenset((row["left"], row["right"])) for row in pairs if row["label"] == "0"}
        triplets = rows_of(tmp_path / f"{part}_triplets.csv")
        assert tuple(triplets[0]) == TRIPLET_COLUMNS
        positives = sum(row["label"] == "1" for row in pairs)
        assert len(triplets) == 2 * 2 * positives
        for row in triplets:
            assert place_of(row["query"]) == place_of(row["positive"])
            assert frozenset((row["query"], row["negative"])) in negatives


@pytest.mark.parametrize(
    ("folder", "giver"),
    [("bank", "the bank, or a file of the same bytes,"), ("null", "a file of the same bytes")],
)
def test_photos_whose_rows_another_file_gave_are_not_laid_to_the_bank_alone(
    folder: str,
    giver: str,
    few_rooms: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    root = tmp_path / "rooms"
    shutil.copytree(few_rooms, root)
    first, second, *_ = sorted(root.rglob("*.jpg"))
    shutil.copy(first, second)
    assert write_pairs(root, tmp_path, f"bank.folder={folder}", "edits=none", "triplets=0") == 0
    others = f"{giver} had the rows of the others"
    assert f"Decoded 59 of 60 photos; {others}\n" in capsys.readouterr().out


def test_the_samespace_table_has_its_columns(few_rooms: Path, tmp_path: Path) -> None:
    assert write_pairs(few_rooms, tmp_path, "sampling=samespace", "triplets=0") == 0
    assert not list(tmp_path.glob("*triplets*"))
    for part in ("train", "validation", "test"):
        pairs = rows_of(tmp_path / f"{part}.csv")
        assert tuple(pairs[0]) == samespace.COLUMNS
        duplicates = [row for row in pairs if row["class"] == "1"]
        photos = {row["image1"] for row in duplicates}
        # Rooms of three photos: each with itself and two others, in eight edits a side.
        assert len(duplicates) == len(photos) * 3 * 64
        same = sum(place_of(a) == place_of(b) for a, b in combinations(sorted(photos), 2))
        assert len(pairs) - len(duplicates) == len(photos) * (len(photos) - 1) - 2 * same


def test_folds_have_files_of_their_own_and_counts_that_are_added_up(
    few_rooms: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert write_pairs(few_rooms, tmp_path, "folds=3", "triplets=0") == 0
    names = {
        f"fold{fold}_{part}.csv" for fold in range(3) for part in ("train", "validation", "test")
    }
    assert {path.name for path in tmp_path.glob("*.csv")} == names
    lines = capsys.readouterr().out.splitlines()
    (start,) = (n for n, line in enumerate(lines) if line == "added up over the 3 folds:")
    assert lines[start + 1].startswith("  train: ")


def test_kinds_that_the_photos_do_not_give_are_told(
    few_rooms: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert write_pairs(few_rooms, tmp_path) == 0
    printed = capsys.readouterr().out
    assert "  no training negative came as same property; other kinds make up for it" in printed
    assert "these are all training negatives that there are" in printed


def test_hard_negatives_of_a_net_are_trained_with(few_rooms: Path, tmp_path: Path) -> None:
    words = ["data=folder", f"data.root={few_rooms}", *QUICK]
    assert main(["train", *words, f"hydra.run.dir={tmp_path / 'first'}"]) == 0
    net = tmp_path / "first" / "checkpoint.safetensors"
    mined = [f"mining.checkpoint={net}", HARD]
    assert main(["train", *words, *mined, f"hydra.run.dir={tmp_path / 'second'}"]) == 0
    sha256 = hashlib.sha256(net.read_bytes()).hexdigest()
    first, second = (read_record(tmp_path / name / net.name) for name in ("first", "second"))
    assert (first.mined_by, second.mined_by) == ("", sha256)
    assert set(first.learned_photos) <= set(second.learned_photos)
    run = MlflowClient().get_run((tmp_path / "second" / RUN_FILE).read_text().strip())
    assert run.data.params["mining_checkpoint"] == str(net)
    assert run.data.params["mining_sha256"] == sha256
    arguments = [*words, *mined, "head=l2", "baselines=[]", f"hydra.run.dir={tmp_path / 'third'}"]
    assert main(["compare", *arguments]) == 0
    results = json.loads((tmp_path / "third" / "results.json").read_text())
    counts = {count["split"]: count["pairs"] for count in results["counts"]}
    assert counts["train"]["hard"] > 0
    assert counts["test"]["hard"] == 0


@pytest.fixture(scope="module")
def net(few_rooms: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("net")
    words = ["data=folder", f"data.root={few_rooms}", *QUICK, f"hydra.run.dir={folder}"]
    assert main(["train", *words]) == 0
    return folder / "checkpoint.safetensors"


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["sampling.train.negatives.hard=1"], "give its file, mining.checkpoint=FILE"),
        (["mining.checkpoint=nowhere", HARD, "data.root=void"], "nowhere: no such file"),
        ([HARD, "data.root=void"], "give its file, mining.checkpoint=FILE"),
        (["mining.checkpoint=NET"], "nothing is mined"),
        (["mining.checkpoint=NET", "sampling=samespace"], "nothing is mined"),
        (
            ["mining.checkpoint=NET", HARD, "backbone=vgg16", "backbone.weights=none"],
            "its backbone.name is compact; choose the same",
        ),
        (["mining.neighbours=1", "mining.checkpoint=NET", HARD], "mining.neighbours=1"),
        (["sampling.evaluation.negatives.hard=1"], "must be 0"),
        (["sampling.train.negatives.hash_weighted=-1"], "hash_weighted=-1: Input should be"),
        (["sampling.table=other"], "sampling.table=other: choose one of mixed, samespace"),
        (["sampling=samespace", "edits=mls"], "choose edits=samespace"),
        (["split.by=street"], "split.by='street'"),
        (["split.by=city"], "names no city; give data"),
        (["split.assign=evenly"], "split.assign='evenly'"),
    ],
)
def test_wrong_ways_to_draw_are_one_line(
    words: list[str],
    complaint: str,
    net: Path,
    few_rooms: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    chosen = [word.replace("NET", str(net)) for word in words]
    fixed = ["data=folder", f"data.root={few_rooms}", *QUICK, f"hydra.run.dir={tmp_path}"]
    assert main(["train", *fixed, *chosen]) == 2
    error = capsys.readouterr().err
    assert complaint in error
    assert error.count("\n") == 1


NOTHING_LEARNS = "places trains on no table of pairs; give training=table"
NOWHERE = "'nowhere': no such folder; give the folder that holds the photos"


@pytest.mark.parametrize(
    ("command", "word", "complaint"),
    [
        ("train", HARD, f"sampling.train.negatives.hard=1.0: training.batches={NOTHING_LEARNS}"),
        (
            "train",
            "mining.checkpoint=net",
            f"/net: training.batches={NOTHING_LEARNS}",
        ),
        ("train", "mining.neighbours=3", f"mining.neighbours: training.batches={NOTHING_LEARNS}"),
        (
            "train",
            "sampling.train.max_negatives=5",
            f"max_negatives: training.batches={NOTHING_LEARNS}",
        ),
        ("train", "sampling=samespace", f"sampling=samespace: training.batches={NOTHING_LEARNS}"),
        ("compare baselines=[cosine]", HARD, NOTHING_LEARNS),
        ("compare baselines=[cosine]", "sampling=samespace", NOWHERE),
        ("compare baselines=[cosine,knn]", HARD, NEEDS_MODEL),
        ("compare baselines=[whitened_cosine]", "sampling.train.max_negatives=5", NOWHERE),
    ],
)
def test_batches_of_places_take_no_pairs_but_what_others_learn_from(
    command: str, word: str, complaint: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fixed = ["data=folder", "data.root=nowhere", f"hydra.run.dir={tmp_path}"]
    assert main([*command.split(), *fixed, word]) == 2
    assert capsys.readouterr().err.endswith(f"{complaint}\n")


def test_what_is_mined_does_not_change_the_baselines(
    net: Path, few_rooms: Path, tmp_path: Path
) -> None:
    """The mining net's trunk, which trained, is not the one that the cosine looks through."""
    fixed = ["data=folder", f"data.root={few_rooms}", *QUICK, "head=l2", "baselines=[cosine]"]
    found = []
    for name, words in (("plain", []), ("mined", [f"mining.checkpoint={net}", HARD])):
        assert main(["compare", *fixed, *words, f"hydra.run.dir={tmp_path / name}"]) == 0
        detectors = json.loads((tmp_path / name / "results.json").read_text())["detectors"]
        found += [d["metrics"] for d in detectors if d["name"] == "cosine"]
    assert found[0] == found[1]


def test_a_net_that_has_learned_from_tested_photos_mines_nothing(
    net: Path, few_rooms: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["data=folder", f"data.root={few_rooms}", *QUICK, f"mining.checkpoint={net}", HARD]
    assert main(["compare", *words, "head=l2", "folds=3", f"hydra.run.dir={tmp_path}"]) == 2
    # 45 photos trained or validated it, and folds test all.
    assert "has learned from 45 photos that are tested here" in capsys.readouterr().err


def test_mining_needs_a_head(
    net: Path, few_rooms: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["data=folder", f"data.root={few_rooms}", *QUICK, f"mining.checkpoint={net}", HARD]
    words += ["head=[]", "baselines=[cosine]", f"hydra.run.dir={tmp_path}"]
    assert main(["compare", *words]) == 2
    assert "mining.checkpoint: choose a head" in capsys.readouterr().err


def test_tables_on_their_own_hold_no_hard_negatives(
    few_rooms: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert write_pairs(few_rooms, tmp_path, HARD) == 2
    assert "only train and compare mine" in capsys.readouterr().err


def test_queries_without_negatives_are_told(
    few_rooms: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert write_pairs(few_rooms, tmp_path, "sampling.train.max_negatives=1") == 0
    printed = capsys.readouterr().out
    told = next(line for line in printed.splitlines() if "queries without a negative" in line)
    assert "train_triplets.csv: " in told


def test_samespace_on_the_data_sets_own_split_is_its_own_table(
    few_rooms: Path, tmp_path: Path
) -> None:
    words = ("sampling=samespace", "split.assign=own", "triplets=0")
    assert write_pairs(few_rooms, tmp_path, *words) == 0
    photos = {
        part: len(list(few_rooms.glob(f"{part}/*/*.jpg")))
        for part in ("Training Data", "Test Data")
    }
    for part, folder in (
        ("train", "Training Data"),
        ("validation", "Test Data"),
        ("test", "Test Data"),
    ):
        rows = rows_of(tmp_path / f"{part}.csv")
        count = photos[folder]
        duplicates = sum(row["class"] == "1" for row in rows)
        assert duplicates == count * 3 * 64
        assert len(rows) - duplicates == min(duplicates, count * (count - 3))
        assert {row["image1"].split("/")[0] for row in rows} == {folder}


def test_a_test_split_drawn_again_is_the_same(few_rooms: Path, tmp_path: Path) -> None:
    for name in ("a", "b"):
        assert write_pairs(few_rooms, tmp_path / name, "seed=3") == 0
    for part in ("train", "test_triplets"):
        one, two = ((tmp_path / name / f"{part}.csv").read_bytes() for name in ("a", "b"))
        assert one == two
