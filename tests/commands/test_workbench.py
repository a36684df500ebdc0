"""What the commands share: fingerprints of photos with their labels, and unlabelled photos."""

import io
import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from hydra import compose, initialize_config_dir
from rich.console import Console

from seentwice.commands.application import find_configs
from seentwice.commands.fingerprint import fingerprint_photos
from seentwice.commands.main import main
from seentwice.commands.splits import choose_splits
from seentwice.commands.workbench import load_photos
from seentwice.data.folder import read_folder
from seentwice.data.source import PhotoSet

QUIET = Console(quiet=True)
UNTRAINED = ["backbone=mobilenet_v3_small", "backbone.weights=none", "training.epochs=1"]


@pytest.mark.parametrize("label", ["key", "place", "property", "room_type", "zone", "split"])
def test_other_labels_are_other_data(few_rooms: Path, label: str) -> None:
    photo_set = read_folder(few_rooms)
    first, *others = photo_set.photos
    changed = replace(first, **{label: "other"})
    relabelled = replace(photo_set, photos=(changed, *others))
    assert fingerprint_photos(photo_set, QUIET) != fingerprint_photos(relabelled, QUIET)


def test_the_same_photos_elsewhere_are_the_same_data(few_rooms: Path, tmp_path: Path) -> None:
    shutil.copytree(few_rooms, tmp_path / "copy")
    here, there = read_folder(few_rooms), read_folder(tmp_path / "copy")
    assert fingerprint_photos(here, QUIET) == fingerprint_photos(there, QUIET)


def test_labels_cannot_be_shifted_from_one_to_another(few_rooms: Path) -> None:
    photo = read_folder(few_rooms).photos[0]
    sets = [
        PhotoSet("x", (replace(photo, place="a", property="b c"),)),
        PhotoSet("x", (replace(photo, place="a b", property="c"),)),
        PhotoSet("x", (replace(photo, place="a', 'b", property="c"),)),
    ]
    assert len({fingerprint_photos(photo_set, QUIET) for photo_set in sets}) == 3


def test_columns_of_a_manifest_that_nothing_is_read_from_are_told(
    few_rooms: Path, tmp_path: Path
) -> None:
    root = tmp_path / "rooms"
    shutil.copytree(few_rooms, root)
    first = next(root.rglob("*.jpg")).relative_to(root)
    (root / "manifest.csv").write_text(f"file,property,notes\n{first},,sunny\n")
    with initialize_config_dir(str(find_configs()), version_base="1.3"):
        config = compose("compare", ["data=folder", f"data.root={root}", "data.homes=name"])
    console = Console(file=io.StringIO(), width=1000)
    load_photos(config, console)
    assert "manifest.csv: nothing is read from 'notes'; it takes" in console.file.getvalue()


def test_unlabelled_photos_join_the_whitening(
    few_rooms: Path, spare_rooms: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    values = {}
    for name, unlabelled in (("without", "null"), ("with", str(spare_rooms))):
        words = [*UNTRAINED, "data=folder", f"data.root={few_rooms}", f"unlabelled={unlabelled}"]
        words += ["head=[]", "baselines=[cosine,whitened_cosine]", "bootstrap_resamples=10"]
        words += [f"bank.folder={tmp_path / 'bank'}"]
        words += ["bank.decoding=reduced"] if name == "with" else []
        assert main(["compare", *words, f"hydra.run.dir={tmp_path / name}"]) == 0
        told = [
            "Decoded 60 of 60 unlabelled photos",
            "unlabelled: 60 photos, from which the whitening learns, too",
        ]
        lines = capsys.readouterr().out.splitlines()
        assert [line for line in told if line in lines] == told * (name == "with")
        results = json.loads((tmp_path / name / "results.json").read_text())
        values[name] = {d["name"]: d["metrics"]["bce"]["value"] for d in results["detectors"]}
        assert (results["unlabelled_fingerprint"] is None) == (name == "without")
    assert values["with"]["cosine"] == values["without"]["cosine"]
    assert values["with"]["whitened_cosine"] != values["without"]["whitened_cosine"]
    recipes = [json.loads(file.read_text()) for file in (tmp_path / "bank").glob("*/recipe.json")]
    assert sorted(r["parts"].get("reduced", "") for r in recipes if r["name"] == "trunk") == [
        "",  # the data set's own photos, of which hashes are made, too
        "to at least 256 x 256",
    ]


def test_windows_of_unlabelled_photos_join_the_whitening_of_regions(
    few_rooms: Path, spare_rooms: Path, tmp_path: Path
) -> None:
    values = {}
    for name, unlabelled in (("without", "null"), ("with", str(spare_rooms))):
        words = ["data=folder", f"data.root={few_rooms}", f"unlabelled={unlabelled}", "workers=1"]
        words += ["head=[]", "baselines=[cosine,regions]", "bootstrap_resamples=10"]
        words += ["backbone.trained_blocks=0", f"bank.folder={tmp_path / 'bank'}"]
        assert main(["compare", *words, f"hydra.run.dir={tmp_path / name}"]) == 0
        results = json.loads((tmp_path / name / "results.json").read_text())
        values[name] = {d["name"]: d["metrics"]["bce"]["value"] for d in results["detectors"]}
    assert values["with"]["cosine"] == values["without"]["cosine"]
    assert values["with"]["regions"] != values["without"]["regions"]
    recipes = [json.loads(file.read_text()) for file in (tmp_path / "bank").glob("*/recipe.json")]
    # One pass gives features, too: no rows of a trunk beside these.
    assert {recipe["name"] for recipe in recipes} & {"trunk", "windows"} == {"windows"}


def test_unlabelled_photos_of_the_data_itself_are_refused(
    few_rooms: Path, spare_rooms: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mixed = tmp_path / "mixed"
    shutil.copytree(spare_rooms, mixed)
    shutil.copy(next(few_rooms.rglob("*_1.jpg")), mixed / "again.jpg")
    words = ["data=folder", f"data.root={few_rooms}", f"unlabelled={mixed}", "head=[]"]
    assert main(["compare", *UNTRAINED, *words, f"hydra.run.dir={tmp_path / 'out'}"]) == 2
    complaint = capsys.readouterr().err
    assert "1 of its photos are in the data set itself, first again.jpg" in complaint


def test_unlabelled_photos_that_are_there_twice_are_counted(
    few_rooms: Path, spare_rooms: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    twice = tmp_path / "twice"
    shutil.copytree(spare_rooms, twice)
    words = [*UNTRAINED, "data=folder", f"data.root={few_rooms}", f"unlabelled={twice}", "head=[]"]
    words += ["baselines=[whitened_cosine]", "bootstrap_resamples=10"]
    for name in ("again", "once_more"):
        shutil.copy(next(spare_rooms.rglob("*_1.jpg")), twice / f"{name}.jpg")
    assert main(["compare", *words, f"hydra.run.dir={tmp_path / 'out'}"]) == 0
    lines = capsys.readouterr().out.splitlines()
    told = "Of 62 unlabelled photos 2 are copies of others: the whitening learns from each file"
    assert told in lines
    assert "unlabelled: 62 photos, from which the whitening learns, too" in lines


def test_a_folder_without_unlabelled_photos_is_named_with_its_key(
    few_rooms: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "none").mkdir()
    words = ["data=folder", f"data.root={few_rooms}", f"unlabelled={tmp_path / 'none'}", "head=[]"]
    assert main(["compare", *UNTRAINED, *words, f"hydra.run.dir={tmp_path / 'out'}"]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert f"unlabelled='{tmp_path}/none' holds no photo that is read; give a folder" in line


def test_a_trunk_that_trains_cannot_be_whitened(
    few_rooms: Path, spare_rooms: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["data=folder", f"data.root={few_rooms}", f"unlabelled={spare_rooms}"]
    assert main(["compare", *words, f"hydra.run.dir={tmp_path / 'out'}"]) == 2
    assert "unlabelled: needs a frozen backbone" in capsys.readouterr().err


def test_only_what_the_detectors_look_at_is_asked_for(few_rooms: Path, tmp_path: Path) -> None:
    words = ["backbone=vgg16", "backbone.weights=missing.safetensors", "head=[]"]
    words += ["baselines=[wavelet,histogram]", "data=folder", f"data.root={few_rooms}"]
    assert main(["compare", *words, f"hydra.run.dir={tmp_path / 'out'}"]) == 0


@pytest.mark.parametrize("whole", [0, 1])
def test_photos_that_cannot_be_read_are_told_before_that_they_are_few(
    whole: int, few_rooms: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = tmp_path / "photos" / "kitchen"
    root.mkdir(parents=True)
    for number in range(2):
        (root / f"oslo_{number}_1.jpg").touch()
    for photo in [*few_rooms.rglob("*.jpg")][:whole]:
        shutil.copy(photo, root / "oslo_2_1.jpg")
    words = ["data=folder", f"data.root={root.parent}", "data.homes=name", "head=[]"]
    assert main(["compare", *words, f"hydra.run.dir={tmp_path / 'out'}"]) == 2
    error = capsys.readouterr().err
    if whole:
        assert "1 home, where 3 or more are needed: add homes, or choose split.by=place" in error
    else:
        assert "none of 2 photos could be read; the first: " in error
        assert error.endswith("oslo_0_1.jpg: empty\n")


def test_what_to_know_of_a_split_is_told_once(few_rooms: Path) -> None:
    told = io.StringIO()
    with initialize_config_dir(str(find_configs()), version_base="1.3"):
        config = compose("compare", ["data=folder", f"data.root={few_rooms}"])
    chosen = choose_splits(config, read_folder(few_rooms), None, True, Console(file=told, width=20))
    (split,) = chosen.splits
    assert len(split.train) > 0
    lines = told.getvalue().splitlines()
    assert [line.partition(",")[0] for line in lines if "home" in line] == ["No home is known"]
    assert list(chosen.remarks) == lines


@pytest.mark.parametrize("command", ["card", "compare", "pairs", "train"])
def test_an_unknown_edit_is_told_before_photos_are_looked_for(
    command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["data=folder", f"data.root={tmp_path / 'gone'}", "edits.train=[rotat]"]
    assert main([command, *words, f"hydra.run.dir={tmp_path}"]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "edits: 'rotat' is no edit; choose from watermark, crop, rotate" in line
