"""A tagger is trained, measured and measured again by its checkpoint; wrong input is one line."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from seentwice.commands.main import main
from seentwice.models.checkpoint import CHECKPOINT_FILE
from seentwice.models.tagger_checkpoint import open_tagger_checkpoint, read_tagger_record
from seentwice.photos import read_photo

QUICK = ["backbone=mobilenet_v3_small", "backbone.weights=none", "workers=1", "embedding.size=16"]


@pytest.fixture(scope="module")
def table(few_rooms: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Tags of rendered rooms: the true room type, and how bright they are said to be."""
    path = tmp_path_factory.mktemp("tags") / "tags.csv"
    rows = ["photo,home,kind,bright"]
    for number, photo in enumerate(sorted(few_rooms.rglob("*.jpg"))):
        key = photo.relative_to(few_rooms)
        home = "_".join(key.stem.split("_")[:2])
        rows.append(f"{key.as_posix()},{home},{key.parent.name},{('yes', 'no', '')[number % 3]}")
    path.write_text("\n".join(rows) + "\n")
    return path


@pytest.fixture(scope="module")
def words(table: Path, few_rooms: Path) -> list[str]:
    return [*QUICK, "data=tags_csv", f"data.path={table}", f"data.root={few_rooms}"]


@pytest.fixture(scope="module")
def trained(words: list[str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tagger")
    assert main(["tagger", *words, "fitting.epochs=3", f"hydra.run.dir={folder}"]) == 0
    return folder


def results(folder: Path) -> dict:
    return json.loads((folder / "results.json").read_text())


def test_a_training_leaves_a_tagger_its_measures_and_every_answer(
    trained: Path, few_rooms: Path
) -> None:
    record = read_tagger_record(trained / CHECKPOINT_FILE)
    assert [head.name for head in record.architecture.heads] == ["bright", "kind"]
    found = results(trained)
    kind = next(head for head in found["heads"] if head["name"] == "kind")
    assert record.test_metrics["kind/accuracy"] == kind["accuracy"]["value"]
    assert sum(map(sum, kind["confusion"])) == kind["photos"] == found["test_photos"]
    assert (trained / "confusion_kind.png").is_file()
    with (trained / "answers.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == found["test_photos"]
    right = np.mean([row["kind"] == row["kind_answer"] for row in rows])
    assert right == pytest.approx(kind["accuracy"]["value"])
    opened = open_tagger_checkpoint(trained, None, "weights=")
    looks = [
        opened.trunk.preprocessing.look(read_photo(few_rooms / row["photo"], 10**8)) for row in rows
    ]
    with torch.inference_mode():
        pixels = opened.trunk.preprocessing.normalise(torch.from_numpy(np.stack(looks)))
        own = opened.tagger.probabilities(opened.trunk.stages.eval()(pixels))
    said = [float(row["kind_probability"]) for row in rows]
    kinds = own[:, opened.tagger.tags.columns[1]]
    np.testing.assert_allclose(kinds.max(dim=1).values, said, atol=1e-3)


def measure(trained: Path, words: list[str], folder: Path, *more: str) -> int:
    data = [word for word in words if word.startswith(("data", "workers"))]
    return main(["tagger", f"checkpoint={trained}", f"hydra.run.dir={folder}", *data, *more])


def test_its_checkpoint_measures_on_its_own_photos_what_it_claims(
    trained: Path, words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert measure(trained, words, tmp_path) == 0
    before, found = results(trained), results(tmp_path)
    assert found["heads"] == before["heads"]
    assert (found["learned_photos"], found["test_photos"]) == (0, before["test_photos"])
    assert found["temperatures"] == before["temperatures"]
    assert "Reproduced: 36 numbers" in capsys.readouterr().out
    assert not (tmp_path / CHECKPOINT_FILE).exists()


def test_on_other_data_it_is_measured_on_all_photos_and_known_ones_are_told(
    trained: Path, words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = tmp_path / "kinds.csv"
    lines = Path(words[-2].removeprefix("data.path=")).read_text().splitlines()
    table.write_text("\n".join(line.rpartition(",")[0] for line in lines))
    assert measure(trained, words, tmp_path, f"data.path={table}") == 0
    counts, found = results(trained), results(tmp_path)
    known = counts["train_photos"] + counts["validation_photos"]
    assert (found["learned_photos"], found["test_photos"]) == (known, 60)
    assert [head["name"] for head in found["heads"]] == ["kind"]
    said = capsys.readouterr().out
    assert f"Of 60 photos {known} trained or validated the checkpoint" in said
    assert "Reproduced" not in said


def test_folds_test_every_photo_once_and_no_home_is_on_both_sides(
    words: list[str], tmp_path: Path
) -> None:
    folds = ["folds=3", "fitting.epochs=2", f"hydra.run.dir={tmp_path}"]
    assert main(["tagger", *words, *folds]) == 0
    found = results(tmp_path)
    assert (found["folds"], found["test_photos"], len(found["temperatures"])) == (3, 60, 3)
    assert not (tmp_path / CHECKPOINT_FILE).exists()
    with (tmp_path / "answers.csv").open() as file:
        photos = [row["photo"] for row in csv.DictReader(file)]
    assert len(set(photos)) == 60


def test_blocks_of_the_trunk_may_train_and_are_then_a_part_of_the_tagger(
    words: list[str], tmp_path: Path
) -> None:
    more = ["backbone.trained_blocks=1", "fitting.epochs=2", f"hydra.run.dir={tmp_path}"]
    assert main(["tagger", *words, *more]) == 0
    tensors = load_file(tmp_path / CHECKPOINT_FILE)
    assert any(name.startswith("trunk.") for name in tensors)
    assert tensors["projection.projection"].shape[1] == 16
    opened = open_tagger_checkpoint(tmp_path, None, "weights=")
    assert opened.record.architecture.embedding_size == 16


def test_a_missing_photo_of_the_table_is_told_and_ends_with_1(
    words: list[str], table: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = tmp_path / "tags.csv"
    other.write_text(f"{table.read_text()}gone.jpg,x,atrium,yes\n")
    more = [f"data.path={other}", "fitting.epochs=1", f"hydra.run.dir={tmp_path / 'run'}"]
    assert main(["tagger", *words, *more]) == 1
    shown = capsys.readouterr().out
    assert "kind: atrium: 1 photo; a typo?" in shown
    assert "gone.jpg" in shown
    assert (tmp_path / "run" / CHECKPOINT_FILE).is_file()


def test_room_types_of_a_folder_are_heads_without_a_table(few_rooms: Path, tmp_path: Path) -> None:
    data = ["data=folder", f"data.root={few_rooms}", "fitting.epochs=1"]
    assert main(["tagger", *QUICK, *data, f"hydra.run.dir={tmp_path}"]) == 0
    assert [head["name"] for head in results(tmp_path)["heads"]] == ["room_type"]


@pytest.mark.parametrize(
    ("word", "complaint"),
    [
        ("embedding.size=577", "embedding.size=577: mobilenet_v3_small has 576 features; give"),
        ("fitting.epochs=0", "fitting.epochs=0: Input should be greater than or equal to 1"),
        ("folds=2", "folds=2: choose 3 to 20"),
        ("split.all_pairs=true", "no pairs are made here, so it has no effect; leave it out"),
        ("edits=mls", "photos are tagged as they are, so it has no effect; leave it out"),
        (
            "tags=columns&tags.heads={kind: {column: kind, labels: {a: [x], b: [y]}}}",
            "no head has photos of two labels: kind (kind); choose another data set, or",
        ),
        ("data.path=none.csv", "none.csv: no such file; give the table of tags"),
        ("checkpoint=nowhere", "has no effect with checkpoint=FILE; leave it out"),
        ("weights=some.pth", "weights=some.pth: of which checkpoint? add checkpoint=FILE"),
    ],
)
def test_what_is_wrong_is_one_line(
    word: str,
    complaint: str,
    words: list[str],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["tagger", *words, *word.split("&"), f"hydra.run.dir={tmp_path}"]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert complaint in line
