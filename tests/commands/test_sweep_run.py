"""What MLflow is told of a sweep and of its trials."""

from dataclasses import replace
from pathlib import Path

import pytest
from mlflow import MlflowClient

from seentwice.commands.settled_trials import ENDED_TAG, tag_ended
from seentwice.commands.sweep_run import list_settings, log_results
from seentwice.learn.tracking import RUN_FILE, track_run
from seentwice.sweeps.brackets import plan_brackets
from seentwice.sweeps.plan import AdaptiveAsha, Grid, Plan, Watched
from seentwice.sweeps.report.page import FILES
from seentwice.sweeps.results import SweepResults
from seentwice.sweeps.space import Double
from seentwice.sweeps.trials import Point, Status, Trial

ASHA = AdaptiveAsha(max_trials=4, max_time=4, divisor=2, mode="aggressive", time_metric="epochs")


def plan_of(searcher: AdaptiveAsha | Grid) -> Plan:
    return Plan("two rates", ("train",), Watched("validation_loss"), searcher, {}, seed=3)


def trial_of(number: int, status: Status, *metrics: float, folder: Path | str = "") -> Trial:
    curve = tuple(Point(epoch, metric, 0.0) for epoch, metric in enumerate(metrics, 1))
    checkpoint = "net" if status in ("stopped", "finished") else ""
    values = {"optimizer.lr": 0.1 * (number + 1), "edits.train": ["hflip"]}
    return Trial(
        number=number,
        bracket=0,
        status=status,
        values=values,
        curve=curve,
        rungs=max(len(metrics) - 1, 0),
        worker="",
        folder=str(folder),
        checkpoint=checkpoint,
        restarts=0,
        error="",
        interruptions=(),
    )


def results_of(*trials: Trial) -> SweepResults:
    space = {"optimizer.lr": Double(0, 1)}
    return SweepResults(
        *("few", "validation_loss", True, "epochs", space, plan_brackets(ASHA), trials, {})
    )


def test_the_settings_are_those_of_the_searcher() -> None:
    settings = list_settings(plan_of(ASHA), "few", "tpe")
    assert (
        settings.items()
        >= {
            **{"name": "few", "searcher": "adaptive_asha", "sampler": "tpe", "seed": 3},
            **{"metric": "validation_loss", "smaller_is_better": True},
            **{"max_trials": 4, "max_time": 4, "divisor": 2, "mode": "aggressive"},
        }.items()
    )
    settings = list_settings(plan_of(Grid()), "few", "searcher")
    assert settings["searcher"] == "grid"
    assert "max_trials" not in settings


def test_a_run_follows_its_sweep_and_names_the_best_trial_once_it_is_over(tmp_path: Path) -> None:
    for name in FILES:
        (tmp_path / name).touch()
    under_way = results_of(trial_of(0, "running", 0.5), trial_of(1, "stopped", 0.4))
    over = results_of(
        trial_of(0, "finished", 0.5, 0.3, 0.3, 0.3),
        trial_of(1, "stopped", 0.4),
        trial_of(2, "failed"),
    )
    with track_run("sweep", "few", {}) as run:
        log_results(run, under_way, tmp_path, is_over=False)
    data = MlflowClient().get_run(run.run_id).data
    assert data.params == {}  # trial 1 is the best so far
    assert data.metrics["best/validation_loss"] == 0.4
    assert (data.metrics["trials/all"], data.metrics["trials/running"]) == (2, 1)
    for _ in range(2):  # given again, it says the same
        with track_run("sweep", "few", {}, resumed_id=run.run_id) as again:
            log_results(again, over, tmp_path, is_over=True)
    data = MlflowClient().get_run(run.run_id).data
    assert data.params == {
        "best.trial": "0",
        "best.optimizer.lr": "0.1",
        "best.edits.train": "[hflip]",
    }
    assert data.metrics == {
        **{"trials/all": 3, "trials/waiting": 0, "trials/running": 0, "trials/stopped": 1},
        **{"trials/finished": 1, "trials/failed": 1, "trials/impossible": 0},
        **{"epochs/spent": 5, "epochs/share_saved": 3 / 8, "best/validation_loss": 0.3},
    }
    stored = {one.path for one in MlflowClient().list_artifacts(run.run_id)}
    assert stored == set(FILES)


def test_where_nothing_was_measured_there_is_no_best(tmp_path: Path) -> None:
    for name in FILES:
        (tmp_path / name).touch()
    with track_run("sweep", "none", {}) as run:
        log_results(run, results_of(trial_of(0, "failed")), tmp_path, is_over=True)
    data = MlflowClient().get_run(run.run_id).data
    assert data.params == {}
    assert not any(name.startswith("best/") for name in data.metrics)


@pytest.mark.parametrize(
    ("status", "metrics", "told"),
    [
        ("stopped", [0.5], "stopped at rung 1"),
        ("stopped", [0.5, 0.5], "stopped at rung 2"),
        ("finished", [0.5], "finished"),
        ("failed", [], "failed"),
        ("running", [0.5], None),
    ],
)
def test_a_trials_run_says_how_it_ended(
    status: Status, metrics: list[float], told: str | None, tmp_path: Path
) -> None:
    trial = trial_of(0, status, *metrics, folder=tmp_path)
    tag_ended(trial)  # whose training did not come to a run
    with track_run("sweep", "trial 0", {}) as run:
        (tmp_path / RUN_FILE).write_text(f"{run.run_id}\n")
    tag_ended(trial)
    assert MlflowClient().get_run(run.run_id).data.tags.get(ENDED_TAG) == told


def test_a_stop_that_is_decided_and_not_done_is_no_end(tmp_path: Path) -> None:
    trial = replace(trial_of(0, "stopped", 0.5, folder=tmp_path), checkpoint="")
    with track_run("sweep", "trial 0", {}) as run:
        (tmp_path / RUN_FILE).write_text(run.run_id)
    tag_ended(trial)
    assert ENDED_TAG not in MlflowClient().get_run(run.run_id).data.tags
