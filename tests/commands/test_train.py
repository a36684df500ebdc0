import json
import shlex
import shutil
from pathlib import Path

import pytest
from mlflow import MlflowClient
from safetensors.torch import load_file, save_file
from torchvision import models

from seentwice.commands import evaluate
from seentwice.commands.fingerprint import digest_name
from seentwice.commands.main import main
from seentwice.commands.training_job import STATE_FILE
from seentwice.files import digest_file
from seentwice.learn.tracking import RUN_FILE
from seentwice.models.checkpoint import CHECKPOINT_FILE, read_record
from seentwice.models.openvino_engine import NoOpenVinoError

FROZEN = ["backbone=mobilenet_v3_small", "backbone.weights=none", "training.epochs=3"]


@pytest.fixture(scope="module")
def quick(few_rooms: Path) -> list[str]:
    return [
        "data=folder",
        f"data.root={few_rooms}",
        "training.epochs=3",
        "training.batches_per_epoch=2",
        "training.places_per_batch=6",
        "workers=1",
    ]


@pytest.fixture(scope="module")
def trained(quick: list[str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("train")
    assert main(["train", *quick, f"hydra.run.dir={folder}"]) == 0
    return folder


def measured(folder: Path, *arguments: str) -> dict:
    assert main(["evaluate", f"hydra.run.dir='{folder}'", "workers=2", *arguments]) == 0
    return json.loads((folder / "metrics.json").read_text())


def test_a_reloaded_checkpoint_measures_what_training_claimed(
    trained: Path, few_rooms: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    checkpoint = f"checkpoint={trained}"  # its folder
    found = measured(tmp_path, checkpoint, "data=folder", f"data.root={few_rooms}")
    assert found["measured"] == pytest.approx(found["claimed"], abs=1e-6, nan_ok=True)
    said = capsys.readouterr().out
    assert "95 % intervals over 5 places\nOnly 5 places were tested: intervals" in said
    assert (found["cluster"], found["clusters"]) == ("place", 5)
    assert "Decoded 0 of 15 photos; the bank" in said  # the training had them all


@pytest.mark.parametrize(
    ("word", "reason"),
    [
        ("sampling.train.negatives.hard=1", "nothing is trained here"),
        ("+edits.train=[crop]", "nothing is trained here"),
        ("bank.engine=openvino", "photos pass as in the training of the checkpoint"),
    ],
)
def test_what_only_training_takes_is_refused(
    word: str, reason: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["evaluate", f"checkpoint={tmp_path}", f"hydra.run.dir={tmp_path}", word]) == 2
    assert f"{word}: {reason}, so it has no effect" in capsys.readouterr().err


def test_without_openvino_a_checkpoint_says_that_it_needs_it(
    trained: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def describe(trunk, row_type, passing):
        raise NoOpenVinoError

    monkeypatch.setattr(evaluate, "describe_input", describe)
    assert main(["evaluate", f"checkpoint={trained}", f"hydra.run.dir={tmp_path / 'out'}"]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert f"checkpoint={trained}" in line
    assert line.endswith("is not installed: pip install 'seentwice[fast]'")


def test_on_its_own_data_a_checkpoint_keeps_its_edits_and_pairs(
    trained: Path,
    few_rooms: Path,
    spare_rooms: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    words = [f"checkpoint={trained}", "data=folder", "edits=mls"]
    found = measured(tmp_path / "a", *words, f"data.root={few_rooms}")
    assert found["measured"] == pytest.approx(found["claimed"], abs=1e-6, nan_ok=True)
    assert "edits=mls has no effect: on its own data, edits and" in capsys.readouterr().out
    measured(tmp_path / "b", *words, f"data.root={spare_rooms}")
    assert "has no effect" not in capsys.readouterr().out


def test_a_folder_without_a_checkpoint_is_told_by_the_files_name(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["evaluate", f"checkpoint={tmp_path}", f"hydra.run.dir={tmp_path}"]) == 2
    assert f"{tmp_path / CHECKPOINT_FILE}: no such file" in capsys.readouterr().err


def test_what_a_stopped_training_left_is_no_checkpoint(
    trained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / STATE_FILE).write_bytes((trained / STATE_FILE).read_bytes())
    assert main(["evaluate", f"checkpoint={tmp_path}", f"hydra.run.dir={tmp_path / 'x'}"]) == 2
    going_on = f"this training was stopped; go on with: seentwice train resume={tmp_path}"
    assert going_on in capsys.readouterr().err
    words = [f"checkpoint={trained / 'last.ckpt'}", f"hydra.run.dir={tmp_path / 'x'}"]
    assert main(["evaluate", *words]) == 2
    assert "give checkpoint.safetensors, or the folder" in capsys.readouterr().err


def test_a_frozen_trunk_is_asked_for_again_and_recognised(
    quick: list[str], few_rooms: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["train", *quick, *FROZEN, f"hydra.run.dir={tmp_path / 'a'}"]) == 0
    words = [
        f"checkpoint={tmp_path / 'a' / CHECKPOINT_FILE}",
        "data=folder",
        f"data.root={few_rooms}",
    ]
    found = measured(tmp_path / "b", *words)
    assert found["measured"] == pytest.approx(found["claimed"], abs=1e-6, nan_ok=True)
    weights = load_file(tmp_path / "a" / CHECKPOINT_FILE)
    assert not [name for name in weights if name.startswith("trunk")]


def test_other_data_is_said_to_be_a_transfer(
    trained: Path, spare_rooms: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    checkpoint = f"checkpoint={trained / CHECKPOINT_FILE}"
    found = measured(tmp_path, checkpoint, "data=folder", f"data.root={spare_rooms}")
    assert "Other data than the checkpoint's" in capsys.readouterr().out
    assert found["data_fingerprint"] != read_record(trained / CHECKPOINT_FILE).data_fingerprint


def test_its_own_data_is_said_to_have_changed(
    trained: Path, few_rooms: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = tmp_path / "rooms"
    shutil.copytree(few_rooms, root)
    learned = set(read_record(trained / CHECKPOINT_FILE).learned_photos)
    names = {photo: digest_name(digest_file(photo)) for photo in sorted(root.rglob("*.jpg"))}
    words = [f"checkpoint={trained}", "data=folder", f"data.root={root}"]
    for is_learned, what in (
        (False, "labels, or photos that the checkpoint did not learn from, differ"),
        (True, f"1 of the {len(learned)} photos that the checkpoint learned from differ"),
    ):
        photo = next(photo for photo, name in names.items() if (name in learned) == is_learned)
        photo.write_bytes(photo.read_bytes() + b"more")
        measured(tmp_path / "out", *words)
        said = capsys.readouterr().out
        assert f"rooms has changed since the training: {what}\n" in said
        assert "transfer" not in said


def test_a_run_names_its_data_its_net_and_its_commit(trained: Path, few_rooms: Path) -> None:
    run = MlflowClient().get_run((trained / RUN_FILE).read_text().strip())
    record = read_record(trained / CHECKPOINT_FILE)
    assert run.data.params == {
        "head": "l2",
        "backbone": "compact",
        "tower": "linear",
        "data": few_rooms.name,
        "data_fingerprint": record.data_fingerprint,
        "git_commit": str(record.git_commit),
        "seed": "0",
        "leaks": "0",
        "suspects": "0",
    }


def test_a_frozen_trunk_from_a_file_is_asked_for_by_the_files_name(
    quick: list[str], few_rooms: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "private" / "mobile.safetensors"
    file.parent.mkdir()
    save_file(models.mobilenet_v3_small().state_dict(), file)
    words = [*quick, *FROZEN, f"backbone.weights={file}", "training.epochs=1"]
    assert main(["train", *words, f"hydra.run.dir={tmp_path / 'a'}"]) == 0
    checkpoint = tmp_path / "a" / CHECKPOINT_FILE
    assert read_record(checkpoint).trunk_weights == file.name
    ask = [f"checkpoint={checkpoint}", "data=folder", f"data.root={few_rooms}"]
    found = measured(tmp_path / "b", *ask, f"weights={file}")
    assert found["measured"] == pytest.approx(found["claimed"], abs=1e-6, nan_ok=True)
    capsys.readouterr()
    assert main(["evaluate", f"hydra.run.dir={tmp_path / 'c'}", *ask]) == 2
    message = f"came from {file.name}, which is neither here nor beside the checkpoint"
    assert message in capsys.readouterr().err
    words = [*ask, "weights=gone.safetensors"]
    assert main(["evaluate", f"hydra.run.dir={tmp_path / 'c'}", *words]) == 2
    assert "evaluate: weights=gone.safetensors: no such file" in capsys.readouterr().err
    save_file(models.squeezenet1_1().state_dict(), tmp_path / "other.safetensors")
    words = [*ask, f"weights={tmp_path / 'other.safetensors'}"]
    assert main(["evaluate", f"hydra.run.dir={tmp_path / 'c'}", *words]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    named = f"weights={tmp_path}/other.safetensors: not the weights of mobilenet_v3_small, its clas"
    assert line.startswith(f"seentwice evaluate: {named}")
    assert line.endswith(
        "; give the weights of mobilenet_v3_small that the checkpoint was trained on"
    )


def test_folders_and_heads_are_printed_as_they_are_named(
    quick: list[str], few_rooms: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "head=[l1]" / "o[" / "7]"
    board = "tracking.tensorboard=true"
    words = ["head=[l1]", "training.epochs=1", board, f"hydra.run.dir='{folder}'"]
    assert main(["train", *quick, *words]) == 0
    checkpoint = folder / CHECKPOINT_FILE
    lines = capsys.readouterr().out.splitlines()
    assert any("no head trains on the table of training pairs" in line for line in lines)
    assert shlex.split(lines[-1].removeprefix("Epochs: ")) == [
        *("tensorboard", "--logdir", str(folder / "tensorboard"))
    ]
    threshold = read_record(checkpoint).threshold
    assert f"  threshold{' ' * 20}{threshold:.4f}" in lines
    following = lines[-2].removeprefix("Next: ")
    program, command, *words = shlex.split(following)
    assert (program, command) == ("seentwice", "evaluate")
    assert words == [f"checkpoint='{checkpoint}'", "data=folder", f"data.root={few_rooms}"]
    assert any((folder / "tensorboard").iterdir())
    measured(folder, *words)
    assert f"Written: {folder / 'metrics.json'}" in capsys.readouterr().out


def test_train_writes_every_epoch_to_mlflow(trained: Path) -> None:
    run = MlflowClient().get_run((trained / RUN_FILE).read_text().strip())
    assert run.info.status == "FINISHED"
    logged = {"train/loss", "validation/loss", "test/average_precision", "test/ece"}
    assert logged <= set(run.data.metrics)
