"""Comparisons that MLflow keeps, as a table."""

from pathlib import Path

import pytest

from experiments.tracked import COLUMNS, read_comparisons
from seentwice.errors import UserError
from seentwice.learn.tracking import track_run


def test_a_store_that_is_not_there_is_empty_and_not_made(tmp_path: Path) -> None:
    file = tmp_path / "mlflow.db"
    table = read_comparisons(f"sqlite:///{file}")
    assert list(table.columns) == list(COLUMNS)
    assert table.empty
    assert not file.exists()


def test_detectors_of_comparisons_are_told_the_newest_first(tracking_store: str) -> None:
    said = {"data": "made_up", "backbone": "compact", "seed": 3}
    with track_run("compare", "made_up, compact", {}) as parent:
        for name, value in (("l1", 0.5), ("l2", 0.625)):
            with track_run("compare", name, {}, parent.run_id) as run:
                run.log_parameters({"detector": name, **said})
                run.log_metrics({"test/average_precision": value, "test/roc_auc": 0.75})
                run.log_metrics({"test/average_precision_low": 0.25})
        with track_run("compare", "stopped", {}, parent.run_id) as run:
            run.log_parameters({"detector": "stopped", **said})
    table = read_comparisons(tracking_store)
    own = table[table["data"] == "made_up"]
    assert own["detector"].tolist() == ["l2", "l1"]
    assert own.iloc[0].to_dict() == {
        "started": own["started"].iloc[1],
        "data": "made_up",
        "backbone": "compact",
        "seed": "3",
        "detector": "l2",
        "AP": "0.625 [0.250, nan]",
        "ROC AUC": "0.750 [nan, nan]",
    }
    # The newest two are the one that was stopped and l2.
    assert read_comparisons(tracking_store, most=2)["detector"].tolist() == ["l2"]


def test_a_store_that_cannot_be_used_is_told_in_one_line(tmp_path: Path) -> None:
    file = tmp_path / "mlflow.db"
    file.write_text("no database" * 100)
    with pytest.raises(UserError, match=r"^MLflow store sqlite:.*mlflow\.db: .*; set MLFLOW_TRACK"):
        read_comparisons(f"sqlite:///{file}")
