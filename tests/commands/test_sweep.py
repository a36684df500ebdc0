"""Sweeps with real workers on a few rendered rooms."""

import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import pytest
from mlflow import MlflowClient

from seentwice.commands.main import main
from seentwice.commands.sweep import spell_settings
from seentwice.commands.trial_words import words_of_trials
from seentwice.learn.tracking import tracking_uri
from seentwice.sweeps.events import Began, Claimed, Failed, LoggedEvent, Reported
from seentwice.sweeps.local import LocalWorkers
from seentwice.sweeps.log import open_log
from seentwice.sweeps.plan import read_plan
from seentwice.sweeps.report.page import FILES
from seentwice.sweeps.state import SweepState
from seentwice.sweeps.store import open_storage
from seentwice.sweeps.trials import Trial

PLAN = """\
name: few rooms
entrypoint: python3 -m seentwice.commands.train training.batches_per_epoch=2
searcher:
  name: adaptive_asha
  metric: validation_loss
  time_metric: epochs
  max_time: {epochs}
  max_trials: {trials}
  divisor: 2
  mode: aggressive
hyperparameters:
  optimizer:
    lr: {{type: log, base: 10, minval: -5.0, maxval: -2.0}}
"""

PROGRAM = Path(sys.executable).with_name("seentwice")


def write_words(folder: Path, photos: Path, epochs: int, trials: int) -> list[str]:
    """Write a plan; return the words of a sweep of it."""
    plan = folder / "plan.yaml"
    plan.write_text(PLAN.format(epochs=epochs, trials=trials))
    return [
        str(plan),
        "data=folder",
        f"data.root={photos}",
        "training.places_per_batch=6",
        f"training.epochs={epochs}",
        f"bank.folder={folder / 'bank'}",
    ]


@pytest.fixture
def words(few_rooms: Path, tmp_path: Path) -> list[str]:
    return write_words(tmp_path, few_rooms, 4, 4)


def read_sweep(folder: Path, words: Sequence[str]) -> tuple[list[LoggedEvent], tuple[Trial, ...]]:
    """Return the events of a sweep's log, and the trials that follow from them."""
    plan = read_plan(Path(words[0]))
    settings = spell_settings(plan, words_of_trials(plan, words[1:]), "searcher")
    log = open_log(open_storage(f"sqlite:///{folder / 'study.db'}"), "few", settings)
    state, events = SweepState(plan), log.read()
    for logged in events:
        state.apply(logged)
    return events, state.trials


def test_a_sweep_trains_tells_the_best_and_says_so_again(
    few_rooms: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    photos = shutil.copytree(few_rooms, tmp_path / "photos")
    words = write_words(tmp_path, photos, 2, 2)
    folder = tmp_path / "sweep"
    given = ["sweep", *words, "name=few", f"folder={folder}"]
    assert main(given) == 0
    said = capsys.readouterr().out
    events, trials = read_sweep(folder, words)
    assert len(trials) == 2
    assert {trial.status for trial in trials} <= {"finished", "stopped"}
    for trial in trials:
        assert Path(trial.checkpoint).is_file()
        assert f"trial {trial.number}: begins with optimizer.lr=" in said
    best = min(trials, key=lambda trial: min(point.metric for point in trial.curve))
    assert f"Best: trial {best.number}, validation_loss" in said
    assert not list(folder.rglob("*.ckpt"))  # of no use any more
    check_runs(folder, trials, best)
    check_origin(folder, words, best, said)
    # The command that it ends with works, and a second time nothing is trained.
    (following,) = re.findall(r"Next: seentwice (.*)", said)
    assert main([*shlex.split(following), f"hydra.run.dir={tmp_path / 'evaluated'}"]) == 0
    capsys.readouterr()
    assert main(given) == 0
    said = capsys.readouterr().out
    assert f"Best: trial {best.number}, validation_loss" in said
    assert "The photos are not those" not in said
    assert len(read_sweep(folder, words)[0]) == len(events)
    # Nor is any once photos changed, but that is told.
    next(photos.rglob("*.jpg")).unlink()
    assert main(given) == 0
    assert "The photos are not those that this sweep was trained on" in capsys.readouterr().out
    assert len(read_sweep(folder, words)[0]) == len(events)


def test_the_run_of_a_sweep_without_any_measured_trial_has_failed(
    few_rooms: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def fail_all(self: LocalWorkers, show: Callable[[], None], *_: object) -> None:
        for number in range(2):
            for event in (Claimed(number, "a"), Failed(number, "a", "the loss is no number")):
                self._log.append(event, 0.0)
        self._catch_up()
        show()

    monkeypatch.setattr(LocalWorkers, "run", fail_all)
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "sweep"
    assert main(["sweep", *write_words(tmp_path, few_rooms, 2, 2), f"folder={folder}"]) == 2
    assert "no trial was measured, the last for this: the loss is" in capsys.readouterr().err
    run_id = (folder / "mlflow_run_id.txt").read_text().strip()
    run = MlflowClient(tracking_uri()).get_run(run_id)
    assert (run.info.status, run.data.metrics["trials/failed"]) == ("FAILED", 2)


def check_origin(folder: Path, words: Sequence[str], best: Trial, said: str) -> None:
    """See that the results say what they were made with, and how to train the best trial again."""
    values = json.loads((folder / "results.json").read_text())
    (training,) = re.findall(r"To train it again: (.*)", said)
    assert values["best"]["command"] == training
    assert shlex.split(training) == [
        *("seentwice", "train", "training.batches_per_epoch=2", *sorted(words[1:])),
        f"optimizer.lr={best.values['optimizer.lr']!r}",
    ]
    made = values["made_with"]
    assert (made["overrides"], made["seed"]) == (words[1:], 0)
    assert made["entrypoint"][-1] == "training.batches_per_epoch=2"
    assert [len(text) for text in made["data_fingerprints"]] == [64]
    assert made["versions"]["seentwice"]
    assert "cores" in made["machine"]
    assert values["command"] == shlex.join(["seentwice", "sweep", words[0], "name=few", *words[1:]])


def check_runs(folder: Path, trials: Sequence[Trial], best: Trial) -> None:
    """See that MLflow has a run that says what a sweep found, and below it one for each trial."""
    client = MlflowClient(tracking_uri())
    parent = client.get_run((folder / "mlflow_run_id.txt").read_text().strip())
    params, metrics = parent.data.params, parent.data.metrics
    assert (params["name"], params["searcher"], params["max_trials"]) == (
        *("few", "adaptive_asha"),
        str(len(trials)),
    )
    assert params["entrypoint"].endswith(" training.batches_per_epoch=2")
    assert "data=folder" in params["overrides"]
    assert params["command"].startswith("seentwice sweep ")
    assert "git_commit" in params
    assert (params["best.trial"], params["best.optimizer.lr"]) == (
        str(best.number),
        repr(best.values["optimizer.lr"]),
    )
    assert metrics["trials/all"] == len(trials)
    assert metrics["trials/stopped"] == sum(trial.status == "stopped" for trial in trials)
    assert metrics["epochs/spent"] == sum(len(trial.curve) for trial in trials)
    assert metrics["best/validation_loss"] == min(point.metric for point in best.curve)
    artifacts = {one.path for one in client.list_artifacts(parent.info.run_id)}
    assert artifacts == {"plan.yaml", *FILES}
    runs = client.search_runs(
        [parent.info.experiment_id], f"tags.mlflow.parentRunId = '{parent.info.run_id}'"
    )
    ended = {run.data.tags["seentwice.trial"]: run.data.tags["seentwice.ended"] for run in runs}
    assert ended == {
        str(trial.number): (
            "finished" if trial.status == "finished" else f"stopped at rung {trial.rungs + 1}"
        )
        for trial in trials
    }
    assert sorted(run.info.run_name for run in runs) == [f"trial {n}" for n in range(len(trials))]


@pytest.mark.slow
def test_a_sweep_goes_on_after_kill_and_ctrl_c_and_ends_as_one_that_was_not_stopped(
    words: list[str], tmp_path: Path
) -> None:
    # Epochs that take longer than the time from one look at the trials to the next.
    words = [*words, "training.batches_per_epoch=20"]
    command = [str(PROGRAM), "sweep", *words, "name=few"]
    whole, stopped = tmp_path / "whole", tmp_path / "stopped"
    run = partial(subprocess.run, cwd=tmp_path, check=True, capture_output=True, text=True)
    run([*command, f"folder={whole}"])
    for at, end in (
        ("trial 0: after 2 epochs", signal.SIGKILL),
        ("trial 1: begins", signal.SIGINT),
    ):
        with subprocess.Popen(
            [*command, f"folder={stopped}"],
            cwd=tmp_path,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        ) as process:
            assert process.stdout is not None
            next(line for line in process.stdout if at in line)
            if end == signal.SIGINT:
                os.killpg(process.pid, end)  # as a terminal does
                _, said = process.communicate()
                assert process.returncode == 130
                assert said.splitlines() == [
                    "seentwice sweep: stopped; what was trained is kept; give the same command "
                    "again to go on"
                ]
                # Nobody holds a trial any more.
                assert not any(trial.worker for trial in read_sweep(stopped, words)[1])
            else:
                process.kill()  # its worker ends by itself
    run([*command, f"folder={stopped}"])
    events, trials = read_sweep(stopped, words)
    _, expected = read_sweep(whole, words)
    assert [(one.values, one.status, one.rungs) for one in trials] == [
        (one.values, one.status, one.rungs) for one in expected
    ]
    for one, other in zip(trials, expected, strict=True):
        assert [point.metric for point in one.curve] == pytest.approx(
            [point.metric for point in other.curve]
        )
    told = [one.event for one in events if isinstance(one.event, Reported)]
    assert [event.time for event in told if event.trial == 0][:2] == [1, 2]
    # An epoch is trained again only where it was under way, or its files were being written.
    begun = [one.event for one in events if isinstance(one.event, Began)]
    again = len(told) - len({(event.trial, event.time) for event in told})
    assert again <= len(begun) - len(trials) <= 2


@pytest.mark.slow
def test_two_machines_share_the_trials_of_one_sweep(words: list[str], tmp_path: Path) -> None:
    command = [str(PROGRAM), "sweep", *words, "name=few"]
    shared = [*command, f"storage=sqlite:///{tmp_path / 'study.db'}"]
    both = [
        subprocess.Popen(
            [*shared, f"folder={tmp_path / name}"], cwd=tmp_path, stdout=subprocess.DEVNULL
        )
        for name in ("one", "other")
    ]
    assert [process.wait() for process in both] == [0, 0]
    events, trials = read_sweep(tmp_path, words)
    assert len(trials) == 4
    for trial in trials:
        assert Path(trial.checkpoint).is_file()
    begun = [one.event.trial for one in events if isinstance(one.event, Began)]
    assert sorted(begun) == [0, 1, 2, 3]
    folders = {Path(trial.folder).parents[1].name for trial in trials}
    assert folders == {"one", "other"}
