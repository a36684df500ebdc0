"""Sweeps with real workers on a few rendered rooms."""

import os
import re
import shlex
import signal
import subprocess
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import pytest
from mlflow import MlflowClient

from seentwice.commands.main import main
from seentwice.commands.sweep import spell_settings
from seentwice.commands.trial_words import words_of_trials
from seentwice.learn.tracking import tracking_uri
from seentwice.sweeps.events import Began, LoggedEvent, Reported
from seentwice.sweeps.log import open_log
from seentwice.sweeps.plan import read_plan
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
  max_time: 4
  max_trials: 4
  divisor: 2
  mode: aggressive
hyperparameters:
  optimizer:
    lr: {type: log, base: 10, minval: -5.0, maxval: -2.0}
"""


@pytest.fixture
def words(few_rooms: Path, tmp_path: Path) -> list[str]:
    plan = tmp_path / "plan.yaml"
    plan.write_text(PLAN)
    return [
        str(plan),
        "data=folder",
        f"data.root={few_rooms}",
        "training.places_per_batch=6",
        "training.epochs=4",
        f"bank.folder={tmp_path / 'bank'}",
    ]


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
    words: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "sweep"
    given = ["sweep", *words, "name=few", f"folder={folder}"]
    assert main([*given, "workers=2"]) == 0
    said = capsys.readouterr().out
    events, trials = read_sweep(folder, words)
    assert len(trials) == 4
    assert {trial.status for trial in trials} <= {"finished", "stopped"}
    for trial in trials:
        assert Path(trial.checkpoint).is_file()
        assert f"trial {trial.number}: begins with optimizer.lr=" in said
    best = min(trials, key=lambda trial: min(point.metric for point in trial.curve))
    assert f"Best: trial {best.number}, validation_loss" in said
    assert not list(folder.rglob("*.ckpt"))  # of no use any more
    # The trials are shown below the sweep.
    client = MlflowClient(tracking_uri())
    runs = client.search_runs([client.get_experiment_by_name("sweep").experiment_id])
    (parent,) = [run for run in runs if "mlflow.parentRunId" not in run.data.tags]
    children = [run for run in runs if run is not parent]
    assert {run.data.tags["mlflow.parentRunId"] for run in children} == {parent.info.run_id}
    assert sorted(run.info.run_name for run in children) == [f"trial {n}" for n in range(4)]
    # The command that it ends with works, and a second time nothing is trained.
    (following,) = re.findall(r"Next: seentwice (.*)", said)
    assert main([*shlex.split(following), f"hydra.run.dir={tmp_path / 'evaluated'}"]) == 0
    capsys.readouterr()
    assert main(given) == 0
    assert f"Best: trial {best.number}, validation_loss" in capsys.readouterr().out
    assert len(read_sweep(folder, words)[0]) == len(events)


@pytest.mark.slow
def test_a_killed_sweep_goes_on_where_it_was_and_ends_as_one_that_was_not(
    words: list[str], tmp_path: Path
) -> None:
    program = Path(sys.executable).with_name("seentwice")
    command = [str(program), "sweep", *words, "name=few"]
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    run = partial(subprocess.run, cwd=tmp_path, check=True, capture_output=True)
    run([*command, f"folder={whole}"])
    for line_to_kill_at in ("trial 0: begins", "trial 1: begins"):
        with subprocess.Popen(
            [*command, f"folder={killed}"], cwd=tmp_path, stdout=subprocess.PIPE, text=True
        ) as process:
            assert process.stdout is not None
            next(line for line in process.stdout if line_to_kill_at in line)
            os.kill(process.pid, signal.SIGKILL)
    run([*command, f"folder={killed}"])
    events, trials = read_sweep(killed, words)
    _, expected = read_sweep(whole, words)
    assert [(one.values, one.status, one.rungs) for one in trials] == [
        (one.values, one.status, one.rungs) for one in expected
    ]
    for one, other in zip(trials, expected, strict=True):
        assert [point.metric for point in one.curve] == pytest.approx(
            [point.metric for point in other.curve]
        )
    begun = [one.event for one in events if isinstance(one.event, Began)]
    told = [one.event for one in events if isinstance(one.event, Reported)]
    # An epoch is trained again only if it was the one under way.
    again = len(told) - len({(event.trial, event.time) for event in told})
    assert again <= len(begun) - len(trials)
