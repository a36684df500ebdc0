"""Comparisons of one's own as MLflow keeps them: a table for notebooks."""

from datetime import UTC, datetime
from pathlib import Path

import pandas as pd

from seentwice.learn.tracking import connect, store_errors

_FILE_STORE = "sqlite:///"
_EXPERIMENT = "compare"
COLUMNS = ("started", "data", "backbone", "seed", "detector", "AP", "ROC AUC")


def read_comparisons(uri: str, most: int = 100) -> pd.DataFrame:
    """Return the detectors of the newest comparisons, with 95 % intervals; empty where none is.

    Args:
        uri: of the MLflow store; a file that is not there is not made.
        most: newest runs that are looked at.

    Raises:
        UserError: the store cannot be used.
    """
    file = Path(uri.removeprefix(_FILE_STORE).partition("?")[0])
    if uri.startswith(_FILE_STORE) and not file.is_file():
        return pd.DataFrame(columns=list(COLUMNS))
    with store_errors(uri):
        client = connect(uri)
        experiment = client.get_experiment_by_name(_EXPERIMENT)
        runs = (
            client.search_runs(
                [experiment.experiment_id], max_results=most, order_by=["start_time DESC"]
            )
            if experiment is not None
            else []
        )
    rows = []
    for run in runs:
        said, metrics = run.data.params, run.data.metrics
        # The run of a comparison itself has no detector, one that was stopped no metrics.
        if "detector" in said and "test/average_precision" in metrics:
            started = datetime.fromtimestamp(run.info.start_time / 1000, UTC)
            rows.append(
                (
                    f"{started:%Y-%m-%d %H:%M}",
                    *(said[name] for name in COLUMNS[1:5]),
                    _spell(metrics, "average_precision"),
                    _spell(metrics, "roc_auc"),
                )
            )
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _spell(metrics: dict[str, float], name: str) -> str:
    value, low, high = (
        metrics.get(f"test/{name}{end}", float("nan")) for end in ("", "_low", "_high")
    )
    return f"{value:.3f} [{low:.3f}, {high:.3f}]"
