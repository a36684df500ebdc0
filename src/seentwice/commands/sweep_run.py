"""What the MLflow run of a sweep holds beside the runs of its trials."""

import re
from dataclasses import asdict
from pathlib import Path
from typing import get_args

from seentwice.commands.next_steps import spell_value
from seentwice.learn.tracking import TrackedRun
from seentwice.sweeps.plan import SEARCHERS, Plan
from seentwice.sweeps.ranking import count_budget
from seentwice.sweeps.report.page import FILES
from seentwice.sweeps.results import SweepResults
from seentwice.sweeps.trials import Status

_NO_NAME = re.compile(r"[^\w./ -]")  # what MLflow takes for no part of a parameter's name


def list_settings(plan: Plan, name: str, sampler: str) -> dict[str, object]:
    """Return what decides a sweep's values and stops, as parameters."""
    (searcher,) = (key for key, kind in SEARCHERS.items() if type(plan.searcher) is kind)
    return {
        "name": name,
        "searcher": searcher,
        "sampler": sampler,
        "metric": plan.watched.metric,
        "smaller_is_better": plan.watched.smaller_is_better,
        "seed": plan.seed,
        "max_restarts": plan.max_restarts,
        **asdict(plan.searcher),
    }


def log_results(tracked: TrackedRun, results: SweepResults, folder: Path, is_over: bool) -> None:
    """Log how far a sweep has come, and its report; once it is over, the best trial's values.

    Not before: another trial may become the best, and MLflow lets no parameter change.

    Args:
        tracked: the sweep's run.
        results: that were reported.
        folder: of the report.
        is_over: whether no trial is left to train.
    """
    budget = count_budget(results.trials, results.brackets)
    metrics = {
        "trials/all": float(len(results.trials)),
        # Those of which there are none any more, too: the run may have been told of some.
        **{f"trials/{status}": float(results.counts.get(status, 0)) for status in get_args(Status)},
        f"{results.time_metric}/spent": float(budget.spent),
        f"{results.time_metric}/share_saved": budget.share_saved,
    }
    best, point = results.best, results.best_point
    if best is not None and point is not None:
        metrics[f"best/{results.metric}"] = point.metric
        if is_over:
            values = {f"best.{key}": spell_value(value) for key, value in best.values.items()}
            named = {_NO_NAME.sub("_", key): value for key, value in values.items()}
            tracked.log_missing_parameters({"best.trial": best.number, **named})
    tracked.log_metrics(metrics)
    for name in FILES:
        tracked.log_file(folder / name)
