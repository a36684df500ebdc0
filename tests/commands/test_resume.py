"""An interrupted training goes on as it was started, or says why it cannot."""

import shutil
from pathlib import Path

import pytest
from mlflow import MlflowClient
from omegaconf import OmegaConf
from safetensors.torch import load_file

from seentwice.bank.entries import list_entries
from seentwice.commands import training_job
from seentwice.commands.main import main
from seentwice.commands.training_job import CONFIG_FILE, STATE_FILE
from seentwice.learn.quiet_lightning import EpochReport
from seentwice.learn.resume_files import BEST, LAST
from seentwice.learn.tracking import FOLDER_TAG, RUN_FILE, TrackedRun, track_run
from seentwice.models.checkpoint import CHECKPOINT_FILE


@pytest.fixture(scope="module")
def own_rooms(few_rooms: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A working folder with photos in `rooms`."""
    folder = tmp_path_factory.mktemp("work")
    shutil.copytree(few_rooms, folder / "rooms")
    return folder


@pytest.fixture(scope="module")
def quick(own_rooms: Path) -> list[str]:
    return [
        "data=folder",
        "data.root=rooms",
        "bank.folder=bank",
        "training.epochs=3",
        "training.batches_per_epoch=2",
        "training.places_per_batch=6",
        "workers=1",
    ]


@pytest.fixture(scope="module")
def trained(quick: list[str], own_rooms: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("train")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(own_rooms)
        assert main(["train", *quick, f"hydra.run.dir={folder}"]) == 0
    return folder


def same_weights(one: Path, other: Path) -> bool:
    whole, resumed = (load_file(folder / CHECKPOINT_FILE) for folder in (one, other))
    assert whole.keys() == resumed.keys()
    return all(bool((whole[key] == resumed[key]).all()) for key in whole)


@pytest.mark.parametrize("name", ["run", "folder"])
def test_a_resumed_training_ends_as_one_that_was_never_stopped(
    name: str,
    quick: list[str],
    own_rooms: Path,
    trained: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    report = EpochReport.on_train_epoch_end

    def stop_in_second_epoch(self, trainer, pl_module) -> None:
        if trainer.current_epoch == 1:
            raise KeyboardInterrupt
        report(self, trainer, pl_module)

    with monkeypatch.context() as patch:
        patch.setattr(EpochReport, "on_train_epoch_end", stop_in_second_epoch)
        patch.chdir(own_rooms)
        assert main(["train", *quick, f"hydra.run.dir={tmp_path}"]) == 130
    assert f"go on with: seentwice train resume={tmp_path}" in capsys.readouterr().out
    run_id = (tmp_path / RUN_FILE).read_text().strip()
    client = MlflowClient()
    assert client.get_run(run_id).info.status == "KILLED"
    assert not (tmp_path / CHECKPOINT_FILE).exists()

    resumed = run_id if name == "run" else tmp_path
    other = tmp_path / "elsewhere"
    # MLflow would refuse another value of a parameter that it has.
    monkeypatch.setattr(training_job, "git_commit", lambda: "another commit")
    assert main(["train", f"resume={resumed}", f"hydra.run.dir={other}"]) == 0
    assert same_weights(trained, tmp_path)
    assert client.get_run(run_id).info.status == "FINISHED"
    history = client.get_metric_history(run_id, "validation/average_precision")
    assert len({metric.step for metric in history}) == 3


def test_a_run_that_stopped_before_its_parameters_were_logged_gets_them(
    quick: list[str], own_rooms: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(run, parameters) -> None:
        raise KeyboardInterrupt

    monkeypatch.chdir(own_rooms)
    with monkeypatch.context() as patch:
        patch.setattr(TrackedRun, "log_parameters", stop)
        words = ["training.epochs=1", f"hydra.run.dir={tmp_path}"]
        assert main(["train", *quick, *words]) == 130
    assert main(["train", f"resume={tmp_path}", f"hydra.run.dir={tmp_path / 'elsewhere'}"]) == 0
    run = MlflowClient().get_run((tmp_path / RUN_FILE).read_text().strip())
    assert run.data.params["head"] == "l2"
    assert run.info.status == "FINISHED"


def test_before_its_first_epoch_has_ended_there_is_nothing_to_resume(
    quick: list[str],
    own_rooms: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def stop(*arguments: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.chdir(own_rooms)
    monkeypatch.setattr(training_job, "fingerprint_photos", stop)
    assert main(["train", *quick, f"hydra.run.dir={tmp_path}"]) == 130
    said = capsys.readouterr().out
    assert "nothing was kept to resume; give the same command again\n" in said
    assert "go on with" not in said


def test_a_finished_training_that_is_resumed_keeps_its_weights(
    trained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = (trained / CHECKPOINT_FILE).read_bytes()
    shutil.copy(trained / CHECKPOINT_FILE, tmp_path)
    assert main(["train", f"resume={trained}", f"hydra.run.dir={tmp_path / 'elsewhere'}"]) == 0
    assert f"{trained}: already finished: it is not trained any" in capsys.readouterr().out
    assert same_weights(trained, tmp_path)
    assert len((trained / CHECKPOINT_FILE).read_bytes()) == len(before)


def test_without_its_last_epoch_a_training_says_that_it_begins_again(
    trained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "lost"
    shutil.copytree(trained, folder)
    for name in (LAST, CHECKPOINT_FILE):
        (folder / name).unlink()
    (folder / RUN_FILE).write_text("0" * 32)  # of another store
    assert main(["train", f"resume={folder}", f"hydra.run.dir={tmp_path / 'elsewhere'}"]) == 0
    said = capsys.readouterr().out
    assert f"{folder}: no last.ckpt: starts from the first epoch" in said
    run_id = (folder / RUN_FILE).read_text().strip()
    assert f"MLflow run {'0' * 32} is not in sqlite" in said
    assert f"in a new run there, {run_id}\n" in said
    assert same_weights(trained, folder)


def refuses(capsys: pytest.CaptureFixture[str], folder: Path, *words: str) -> str:
    capsys.readouterr()
    assert main(["train", *words, f"hydra.run.dir={folder}"]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    return line


def test_what_stands_beside_resume_is_refused_by_its_name(
    trained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    line = refuses(capsys, tmp_path, f"resume={trained}", "training.epochs=9")
    assert line.endswith("leave out training.epochs=9")


def test_other_photos_than_before_are_refused(
    trained: Path, own_rooms: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    photo = min((own_rooms / "rooms").rglob("*.jpg"))
    before = photo.read_bytes()
    try:
        photo.write_bytes(before + b"more")
        line = refuses(capsys, tmp_path, f"resume={trained}")
    finally:
        photo.write_bytes(before)
    assert "the photos are not those it was started with" in line


def test_the_folder_and_the_run_of_another_command_are_refused(
    trained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = tmp_path / "compare"
    other.mkdir()
    shutil.copy(trained / CONFIG_FILE, other)
    with track_run("compare", "one", {FOLDER_TAG: str(other)}) as run:
        pass
    for name in (other, run.run_id):
        line = refuses(capsys, tmp_path / "x", f"resume={name}")
        assert "neither the folder of a training nor an MLflow run of train in" in line


@pytest.mark.parametrize(
    ("file", "text", "complaint"),
    [
        (CONFIG_FILE, "- a\n- b\n", "config.yaml is damaged (it holds no keys), so"),
        (CONFIG_FILE, "head: {l2: {}}\n", "config.yaml is damaged (it lacks "),
        (CONFIG_FILE, "a: [", "config.yaml is damaged (while parsing"),
        (STATE_FILE, "[]", "training.json is damaged (it names no photos), so the training cannot"),
        (STATE_FILE, "{", "it names no photos), so the training cannot go on; start a new one"),
        (LAST, "", "last.ckpt: not whole; delete last.ckpt and best.ckpt there"),
        (LAST, "PK", "last.ckpt: not whole; delete"),
        (BEST, "PK", "best.ckpt: not whole; delete"),
    ],
)
def test_a_damaged_folder_is_refused(
    file: str,
    text: str,
    complaint: str,
    trained: Path,
    own_rooms: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    folder = tmp_path / "damaged"
    shutil.copytree(trained, folder)
    (folder / file).write_text(text)
    # Told before photos are looked for.
    stored = (folder / CONFIG_FILE).read_text()
    (folder / CONFIG_FILE).write_text(stored.replace(f"root: {own_rooms}", "root: /nowhere"))
    assert complaint in refuses(capsys, tmp_path / "x", f"resume={folder}")


def test_the_stored_configuration_names_absolute_paths(trained: Path, own_rooms: Path) -> None:
    stored = OmegaConf.load(trained / CONFIG_FILE)
    assert stored.data.root == str(own_rooms / "rooms")
    assert stored.backbone.weights == "none"
    assert stored.bank.folder == str(own_rooms / "bank")
    assert list_entries(own_rooms / "bank")
