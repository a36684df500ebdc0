"""A training as a trial of Determined: what the master hears, and what the trial goes on with.

In this process, through the real client's Core API; `determined._info` is what a container's files
would say.
"""

import importlib.util
import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import pytest
from determined import _info as cluster_files
from determined_master import DeterminedMaster, Report, trial_environment
from mlflow import MlflowClient
from omegaconf import OmegaConf
from safetensors.torch import load_file

import seentwice.learn.cluster
from seentwice.commands.cluster import run_entrypoint
from seentwice.commands.training_job import CONFIG_FILE
from seentwice.commands.trial_words import SMALLER_IS_BETTER, words_of_values
from seentwice.learn.cluster import (
    KEEP_SECONDS,
    WORST_LOSS,
    ClusterReports,
    ClusterTrial,
    flatten_hyperparameters,
    on_cluster,
)
from seentwice.learn.resume_files import LAST
from seentwice.learn.tracking import RUN_FILE
from seentwice.models.checkpoint import CHECKPOINT_FILE

STEPS_PER_EPOCH = 2
SMALL = {"optimizer": {"lr": 0.002}, "training": {"epochs": 3}}


@dataclass(frozen=True, slots=True)
class Process:
    """This process, as an agent starts one for a trial of an experiment that takes a second."""

    master: DeterminedMaster
    folder: Path  # of checkpoints and results
    photos: Path
    patch: pytest.MonkeyPatch
    capsys: pytest.CaptureFixture[str]

    def enter(
        self,
        hyperparameters: Mapping[str, object],
        trial: int = 1,
        run: int = 1,
        checkpoint: str | None = None,
        slots: str = "[0]",
    ) -> None:
        """Become the trial."""
        own = trial_environment(self.master, self.folder, hyperparameters, trial, run, checkpoint)
        for name, value in (own | {"DET_SLOT_IDS": slots}).items():
            self.patch.setenv(name, value)
        info = cluster_files.ClusterInfo._from_env()
        info._trial_info = cluster_files.TrialInfo._from_env()
        info._rendezvous_info = cluster_files.RendezvousInfo(["a"], 0, [1])
        self.patch.setattr(cluster_files, "_info", info)

    def run(self, *more: str) -> int:
        """Run the entrypoint of the experiment, with more words, and return its exit code."""
        words = [
            "data=folder",
            f"data.root={self.photos}",
            f"training.batches_per_epoch={STEPS_PER_EPOCH}",
            "training.places_per_batch=6",
            "workers=1",
            f"hydra.run.dir={self.folder}/{os.environ['DET_ALLOCATION_ID']}",
        ]
        return run_entrypoint([*words, *more])

    def read_said(self) -> tuple[str, str]:
        """Return what it wrote to its output and to its errors since it was asked last."""
        return self.capsys.readouterr()


@pytest.fixture
def process(
    master: DeterminedMaster,
    few_rooms: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Process:
    return Process(master, tmp_path, few_rooms, monkeypatch, capsys)


def epochs_of(reports: list[Report]) -> list[float]:
    return [report.metrics["epochs"] for report in reports]


def test_a_trial_that_is_stopped_goes_on_and_ends_as_one_that_was_not(process: Process) -> None:
    master = process.master

    def run(trial: int, number: int, checkpoint: str | None = None) -> None:
        process.enter(SMALL, trial, number, checkpoint)
        assert process.run() == 0

    run(1, 1)
    whole = master.trials[1]
    reports = whole.of("validation")
    assert epochs_of(reports) == epochs_of(whole.of("training")) == [1, 2, 3]
    assert [report.steps for report in reports] == [2, 4, 6]
    assert set(whole.of("training")[0].metrics) == {"train_loss", "epochs"}
    # The master's searcher reads these alone; whoever searches by one is told which way is better.
    for report in reports:
        assert set(report.metrics) == {*SMALLER_IS_BETTER, "epochs"}
    assert set(SMALLER_IS_BETTER) == {"validation_loss", "validation_average_precision"}
    assert whole.progress == [1 / 3, 2 / 3, 1]
    (last,) = master.checkpoints
    assert last["metadata"] == {"steps_completed": 6}
    assert {CHECKPOINT_FILE, CONFIG_FILE, LAST} <= set(last["resources"])
    assert OmegaConf.load(process.folder / last["uuid"] / CONFIG_FILE).optimizer.lr == 0.002
    assert f"det checkpoint download {last['uuid']}" in process.read_said()[0]

    master.stop("2.1")
    run(2, 1)
    assert master.acknowledged == ["2.1"]
    stopped = master.checkpoints[1]
    assert stopped["metadata"] == {"steps_completed": 2}
    assert CHECKPOINT_FILE not in stopped["resources"]
    run(2, 2, stopped["uuid"])
    resumed = master.trials[2]
    assert epochs_of(resumed.of("validation")) == [1, 2, 3]
    assert [report.metrics for report in resumed.reports] == [
        report.metrics for report in whole.reports
    ]
    weights = [
        load_file(process.folder / kept["uuid"] / CHECKPOINT_FILE)
        for kept in (last, master.checkpoints[2])
    ]
    assert all(bool((weights[0][key] == weights[1][key]).all()) for key in weights[0])
    ids = [(process.folder / kept["uuid"] / RUN_FILE).read_text() for kept in master.checkpoints]
    assert ids[1] == ids[2] != ids[0]
    tracked = MlflowClient().get_run(ids[1].strip())
    assert tracked.info.status == "FINISHED"
    assert tracked.info.run_name == "experiment 7, trial 2"
    # Nothing is left to train.
    run(2, 3, master.checkpoints[2]["uuid"])
    assert len(resumed.of("validation")) == 3
    assert master.checkpoints[3]["metadata"] == {"steps_completed": 6}


def test_impossible_values_are_withdrawn(process: Process) -> None:
    process.enter({"optimizer": {"lr": -1.0}})
    with pytest.raises(SystemExit) as end:
        process.run()
    assert end.value.code == 0
    trial = process.master.trials[1]
    assert trial.early_exits == ["EXITED_REASON_INVALID_HP"]
    assert not trial.reports
    assert "Impossible hyperparameters: optimizer.lr=-1.0" in process.read_said()[0]


@pytest.mark.parametrize(
    ("more", "hyperparameters", "message"),
    [
        ([], {"optimizer": {"rate": 0.1}}, "no key 'optimizer.rate'"),
        (["training.epochs=0"], {"optimizer": {"lr": 0.1}}, "training.epochs=0"),
    ],
)
def test_what_no_other_values_would_mend_is_an_error(
    more: list[str], hyperparameters: dict[str, object], message: str, process: Process
) -> None:
    process.enter(hyperparameters)
    assert process.run(*more) == 2
    assert message in process.read_said()[1]
    assert not process.master.trials


def test_a_training_that_diverges_reports_a_large_loss_and_ends(process: Process) -> None:
    process.enter({"optimizer": {"lr": 1e30}})
    assert process.run() == 0
    *_, report = process.master.trials[1].of("validation")
    assert report.metrics["validation_loss"] == WORST_LOSS
    assert report.metrics["validation_average_precision"] == 0
    out, errors = process.read_said()
    assert "validation_loss=nan is reported as 1e+09" in out
    assert "training diverged" in errors


def test_a_trial_that_cannot_keep_its_files_has_failed(
    process: Process, monkeypatch: pytest.MonkeyPatch
) -> None:
    def is_full(trial: ClusterTrial, folder: Path) -> None:
        raise OSError(28, "No space left on device", "/kept")

    monkeypatch.setattr(ClusterTrial, "keep", is_full)
    process.enter(SMALL)
    process.master.stop("1.1")
    assert process.run() == 2
    assert "No space left on device" in process.read_said()[1]


class Kept:
    """A trial that only counts."""

    def __init__(self) -> None:
        self.folders: list[Path] = []
        self.stops = False

    def report(self, *what: object) -> None:
        pass

    def should_stop(self) -> bool:
        return self.stops

    def keep(self, folder: Path) -> None:
        self.folders.append(folder)


def test_a_crash_costs_ten_minutes_at_most(tmp_path: Path) -> None:
    trial, now = Kept(), [0.0]
    reports = ClusterReports(trial, tmp_path, clock=lambda: now[0])
    trainer = SimpleNamespace(max_epochs=9, current_epoch=0, global_step=1, callback_metrics={})
    for now[0], kept in ((1.0, 0), (KEEP_SECONDS, 1), (KEEP_SECONDS + 1, 1)):
        reports.on_train_epoch_end(trainer, None)
        reports.on_train_epoch_start(trainer, None)
        assert len(trial.folders) == kept
    now[0] = 3 * KEEP_SECONDS
    for _ in range(2):  # the second time, nothing is new
        reports.on_train_epoch_start(trainer, None)
        assert len(trial.folders) == 2
    trial.stops = True
    reports.on_train_epoch_end(trainer, None)
    with pytest.raises(KeyboardInterrupt):
        reports.on_train_epoch_start(trainer, None)
    assert len(trial.folders) == 3


def enter_with_several_gpus(process: Process) -> None:
    process.enter({}, slots="[0, 1]")


def enter_without_files(process: Process) -> None:
    process.patch.setenv("DET_TASK_TYPE", "TRIAL")
    process.patch.setattr(cluster_files, "_info", None)


def enter_without_client(process: Process) -> None:
    process.patch.setenv("DET_TASK_TYPE", "TRIAL")
    process.patch.setitem(sys.modules, "determined", None)


@pytest.mark.parametrize(
    ("enter", "message"),
    [
        (enter_with_several_gpus, "resources.slots_per_trial=2: a trial trains on one GPU"),
        (enter_without_files, "DET_TASK_TYPE=TRIAL: not started by Determined"),
        (enter_without_client, "DET_TASK_TYPE=TRIAL: trials need Determined's client; pip install"),
    ],
)
def test_a_process_that_can_be_no_trial_says_why(
    enter: Callable[[Process], None], message: str, process: Process
) -> None:
    enter(process)
    assert run_entrypoint([]) == 2
    (line,) = process.read_said()[1].splitlines()
    assert line.startswith(f"seentwice train: {message}")


def test_off_the_cluster_the_entrypoint_is_train_and_needs_no_client(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "determined", None)
    monkeypatch.setenv("DET_MASTER", "http://127.0.0.1:1")  # as users of the client have it
    assert not on_cluster()
    path = seentwice.learn.cluster.__file__
    spec = importlib.util.spec_from_file_location("imported_again", path)
    assert spec is not None
    assert spec.loader is not None
    spec.loader.exec_module(importlib.util.module_from_spec(spec))
    assert run_entrypoint(["head=none"]) == 2
    assert "Could not find 'head/none'" in capsys.readouterr().err


def test_hyperparameters_become_overrides() -> None:
    nested = {
        "optimizer": {"lr": 1e-05, "alpha": 0.9},
        "head": {"samespace": {"dropout": {"0": 0.25}}},
        "sampling": "mixed",
        "edits": {"train": ["rotate:5|hflip", None, True]},
    }
    assert words_of_values(flatten_hyperparameters(nested)) == [
        "optimizer.lr=1e-05",
        "optimizer.alpha=0.9",
        "head.samespace.dropout.0=0.25",
        "sampling=mixed",
        "edits.train=['rotate:5|hflip',null,true]",
    ]
