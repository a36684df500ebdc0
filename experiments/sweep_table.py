"""The table of a sweep: each head at the learning rate that its validation pairs chose.

    python experiments/sweep_table.py experiments/heads whitened symmetric cosine_start

reads `<run>/lr_<rate>/results.json` of each run that is named. Not the rate that is best on the
test pairs: the best of several looks better there than it is.
"""

import json
import math
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

PREFIX = "lr_"
HEADERS = (
    "detector",
    "rate",
    "validation AP",
    "AP",
    "ROC AUC",
    "within a fold",
    "log loss",
    "fit s",
)


@dataclass(frozen=True, slots=True)
class Row:
    """One detector of one run."""

    name: str
    rate: str | None  # None for a detector that has no use for one
    detector: Mapping[str, Any]  # as results.json holds it

    @property
    def validation(self) -> float:
        """Average precision on the validation pairs, mean over folds."""
        return float(self.detector["validation_average_precision"])

    @property
    def test(self) -> float:
        """Average precision on the test pairs."""
        return float(self.detector["metrics"]["average_precision"]["value"])


def write_table(folder: Path, runs: Sequence[str]) -> str:
    """Return the table in Markdown, best average precision first.

    Args:
        folder: of the experiment.
        runs: its folders. A head that an earlier one has, too, is named after its run; a detector
            that has no learning rate is shown again only where it differs.
    """
    rows: list[Row] = []
    for run in runs:
        for row in choose_rates(folder / run):
            same = [other for other in rows if other.detector["name"] == row.name]
            if row.rate is None and any(math.isclose(row.test, other.test) for other in same):
                continue
            rows.append(row if not same else Row(f"{row.name} ({run})", row.rate, row.detector))
    rows.sort(key=lambda row: -row.test)
    lines = [HEADERS, ("---", *["---:"] * (len(HEADERS) - 1)), *map(_cells, rows)]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)


def choose_rates(run: Path) -> list[Row]:
    """Return the detectors of a run, each at the rate of highest validation average precision."""
    chosen: dict[str, Row] = {}
    for path in sorted(run.glob(f"{PREFIX}*/results.json"), key=lambda path: _rate_of(path)):
        for detector in json.loads(path.read_text(encoding="utf-8"))["detectors"]:
            rate = f"{_rate_of(path):g}" if detector["is_head"] else None
            row = Row(detector["name"], rate, detector)
            best = chosen.setdefault(row.name, row)
            if row.validation > best.validation:
                chosen[row.name] = row
    return list(chosen.values())


def _rate_of(path: Path) -> float:
    return float(path.parent.name.removeprefix(PREFIX))


def _cells(row: Row) -> tuple[str, ...]:
    metrics = row.detector["metrics"]
    return (
        row.name,
        row.rate or "\N{EN DASH}",
        f"{row.validation:.3f}",
        *(
            "{value:.3f} [{low:.3f}, {high:.3f}]".format(**metrics[name])
            for name in ("average_precision", "roc_auc")
        ),
        f"{fmean(row.detector['fold_average_precisions']):.3f}",
        f"{metrics['bce']['value']:.3f}",
        f"{row.detector['fit_seconds']:.1f}",
    )


if __name__ == "__main__":
    print(write_table(Path(sys.argv[1]), sys.argv[2:]), end="")
