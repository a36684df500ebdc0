"""The tables of taggers' pages say what was measured."""

from pathlib import Path

import pytest

from experiments.measured import keep_run
from experiments.tables import fill_tables

INTERVAL = {"value": 0.9, "low": 0.8, "high": 1.0}
NONE = dict.fromkeys(("value", "low", "high"))
LABEL = {"label": "two", "photos": 1200, "precision": INTERVAL, "recall": INTERVAL}
JOB = {
    "command": "seentwice tagger data=houses",
    "heads": [
        {
            **{"name": "storeys", "photos": 1300, "homes": 40, "accuracy": INTERVAL},
            **{"balanced_accuracy": INTERVAL, "largest_share": 0.5, "calibration_error": 0.01},
            "of_label": [{**LABEL, "f1": INTERVAL, "roc_auc": NONE}],
        }
    ],
    "calibration_error_before": {"storeys": 0.02},
}
PAGE = """\
<!-- heads x: main -->
old
<!-- end -->
<!-- labels x: main -->
<!-- end -->
"""


def test_heads_and_labels_have_a_row_each(tmp_path: Path) -> None:
    (tmp_path / "x").mkdir()
    keep_run(tmp_path / "x", "main", [JOB], "seed: 0")
    filled = fill_tables(PAGE, tmp_path)
    spelt = "0.900 [0.800, 1.000]"
    assert f"| main | storeys | 1,300 | 40 | {spelt} | {spelt} | 0.500 | 0.010 | 0.020 |" in filled
    assert f"| main | storeys | two | 1,200 | {spelt} | {spelt} | {spelt} | – [–, –] |" in filled
    assert "old" not in filled
    assert fill_tables(filled, tmp_path) == filled


def test_a_run_that_was_not_measured_is_told(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="x has no run main"):
        fill_tables(PAGE, tmp_path)
