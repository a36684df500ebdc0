"""The table of a sweep shows each head at the learning rate that validation pairs chose."""

import json
from collections.abc import Mapping
from pathlib import Path

from experiments.sweep_table import choose_rates, write_table


def write_run(run: Path, rate: str, heads: Mapping[str, tuple[float, float]]) -> None:
    """Write results of heads with that average precision on validation and on test pairs."""
    figures = {"cosine": (0.7, 0.6), **heads}
    detectors = [
        {
            "name": name,
            "is_head": name != "cosine",
            "validation_average_precision": validation,
            "metrics": {
                "average_precision": {"value": test, "low": test - 0.1, "high": test + 0.1},
                "roc_auc": {"value": 0.9, "low": 0.8, "high": 0.95},
                "bce": {"value": 0.2, "low": 0.1, "high": 0.3},
            },
            "fold_average_precisions": [test, test + 0.1],
            "fit_seconds": 1.25,
        }
        for name, (validation, test) in figures.items()
    ]
    folder = run / f"lr_{rate}"
    folder.mkdir(parents=True)
    (folder / "results.json").write_text(json.dumps({"detectors": detectors}))


def test_the_rate_is_chosen_by_validation_not_by_test(tmp_path: Path) -> None:
    write_run(tmp_path, "0.001", {"l1": (0.5, 0.9), "l2": (0.8, 0.5)})
    write_run(tmp_path, "0.1", {"l1": (0.6, 0.4), "l2": (0.7, 0.6)})
    chosen = {row.name: (row.rate, row.test) for row in choose_rates(tmp_path)}
    assert chosen == {"cosine": (None, 0.6), "l1": ("0.1", 0.4), "l2": ("0.001", 0.5)}


def test_of_equal_rates_the_lowest_is_chosen(tmp_path: Path) -> None:
    for rate in ("0.1", "1e-05", "0.001"):
        write_run(tmp_path, rate, {"l1": (0.5, 0.5)})
    assert [row.rate for row in choose_rates(tmp_path)] == [None, "1e-05"]


def test_a_head_of_two_runs_is_named_after_the_later_one(tmp_path: Path) -> None:
    write_run(tmp_path / "plain", "0.1", {"concat": (0.5, 0.4), "l1": (0.5, 0.7)})
    write_run(tmp_path / "symmetric", "0.1", {"concat": (0.5, 0.5)})
    assert write_table(tmp_path, ["plain", "symmetric"]) == (
        "| detector | rate | validation AP | AP | ROC AUC | within a fold | log loss | fit s |\n"
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |\n"
        "| l1 | 0.1 | 0.500 | 0.700 [0.600, 0.800] | 0.900 [0.800, 0.950] | 0.750 | 0.200 | 1.2 |\n"
        "| cosine | \N{EN DASH} | 0.700 | 0.600 [0.500, 0.700] | 0.900 [0.800, 0.950] "
        "| 0.650 | 0.200 | 1.2 |\n"
        "| concat (symmetric) | 0.1 | 0.500 | 0.500 [0.400, 0.600] | 0.900 [0.800, 0.950] "
        "| 0.550 | 0.200 | 1.2 |\n"
        "| concat | 0.1 | 0.500 | 0.400 [0.300, 0.500] | 0.900 [0.800, 0.950] "
        "| 0.450 | 0.200 | 1.2 |\n"
    )
