"""The tables of the pages, out of what was measured: `python -m experiments.tables`.

A page says which runs and columns a table has, and what stands between the two comments is renewed:

    <!-- table heads: whitened symmetric | rate, AP, ROC AUC -->
    <!-- end -->

A row is a detector of a run. Of jobs that differ in more than the seed (in the learning rate, say)
a head counts at those of highest average precision on the validation pairs, mean over seeds: what
is best on the test pairs of several looks better there than it is. Figures are means over seeds,
and so are the ends of intervals; "sd" is the deviation over seeds.
"""

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean, stdev
from typing import Any

from experiments.measured import Job, read_jobs
from experiments.plan import FOLDER
from experiments.tag_tables import fill_tag_tables
from seentwice.compare.summary import SAME_PROPERTY, SAME_ROOM_TYPE, SAME_ROOM_TYPE_ELSEWHERE
from seentwice.compare.table import format_interval, format_number
from seentwice.files import write_atomically
from seentwice.records import Interval

_TABLE = re.compile(r"(<!-- table (\w+): ([\w ]+?)(?: \| ([^\n]*?))? -->\n).*?(<!-- end -->)", re.S)
_NONE = "\N{EN DASH}"
_SEED = "seed="
_EQUAL = 1e-6  # of average precisions: what one detector measures twice, intervals aside
Detector = Mapping[str, Any]
Measured = Mapping[str, float | None]
"""A value with the ends of its interval, low and high; None is not defined."""


@dataclass(frozen=True, slots=True)
class Row:
    """One detector of one run, at the choice that validation made: one record a seed."""

    name: str
    choice: str  # the words of that choice; "" where there was none
    seeds: Sequence[Detector]

    def mean(self, read: Callable[[Detector], float]) -> float:
        """The mean over seeds."""
        return fmean(read(detector) for detector in self.seeds)


def mean_interval(found: Sequence[Measured]) -> Interval:
    """Return the mean over seeds of a value and of both ends; NaN where one is not defined."""
    value, low, high = (_mean([each[key] for each in found]) for key in ("value", "low", "high"))
    return Interval(value, low, high)


def spell_interval(interval: Interval) -> str:
    """Return a value with both ends; a dash for what is not defined."""
    return f"{format_number(interval.value)} {format_interval(interval)}"


def _mean(values: Sequence[float | None]) -> float:
    return fmean(math.nan if value is None else value for value in values)


def _interval(row: Row, read: Callable[[Detector], Measured]) -> str:
    interval = mean_interval([read(detector) for detector in row.seeds])
    return spell_interval(interval) if math.isfinite(interval.value) else _NONE


def _metric(name: str) -> Callable[[Row], str]:
    return lambda row: _interval(row, lambda detector: detector["metrics"][name])


def _plain(name: str) -> Callable[[Row], str]:
    return lambda row: format_number(
        mean_interval([detector["metrics"][name] for detector in row.seeds]).value
    )


def _slice(name: str) -> Callable[[Row], str]:
    return lambda row: _interval(row, lambda detector: detector["slices"][name]["roc_auc"])


def _gain(row: Row) -> str:
    if not row.seeds[0]["over_baseline"]:
        return _NONE
    gain = mean_interval([one["over_baseline"]["average_precision"] for one in row.seeds])
    if not math.isfinite(gain.low):
        return f"{gain.value:+.3f}"
    return f"{gain.value:+.3f} [{gain.low:+.3f}, {gain.high:+.3f}]"


def _within_a_fold(detector: Detector) -> float:
    """Return the mean over the folds that have duplicates."""
    return fmean(one for one in detector["fold_average_precisions"] if one is not None)


def _deviation(row: Row) -> str:
    found = [detector["metrics"]["average_precision"]["value"] for detector in row.seeds]
    return f"{stdev(found):.3f}" if len(found) > 1 else _NONE


COLUMNS: Mapping[str, Callable[[Row], str]] = {
    "choice": lambda row: row.choice or _NONE,
    "validation AP": lambda row: f"{row.mean(lambda d: d['validation_average_precision']):.3f}",
    "AP": _metric("average_precision"),
    "sd": _deviation,
    "ROC AUC": _metric("roc_auc"),
    "same type": _slice(SAME_ROOM_TYPE),
    "same type elsewhere": _slice(SAME_ROOM_TYPE_ELSEWHERE),
    "same home": _slice(SAME_PROPERTY),
    "within a fold": lambda row: f"{row.mean(_within_a_fold):.3f}",
    "over cosine": _gain,
    "F1": _plain("f1"),
    "R@99P": _plain("recall_at_99_precision"),
    "accuracy": _plain("accuracy"),
    "log loss": _plain("bce"),
    "fit s": lambda row: f"{row.mean(lambda d: d['fit_seconds']):.1f}",
    "pairs/s": lambda row: f"{row.mean(lambda d: d['pairs_per_second']):,.0f}",
}
USUAL = "AP, ROC AUC, F1, R@99P, accuracy, fit s, pairs/s"


def renew_tables(pages: Sequence[Path], folder: Path = FOLDER) -> None:
    """Write the tables of pages anew; a page that has none stays as it is.

    Raises:
        ValueError: a table of a run or column that is not there.
    """
    for page in pages:
        if not page.is_file():
            continue
        text = page.read_text(encoding="utf-8")
        renewed = fill_tables(text, folder)
        if renewed != text:
            write_atomically(page, renewed)


def fill_tables(text: str, folder: Path = FOLDER) -> str:
    """Return a page with its tables as they are measured."""

    def fill(found: re.Match[str]) -> str:
        opening, name, runs, columns, closing = found.groups()
        chosen = [column.strip() for column in (columns or USUAL).split(",")]
        return opening + write_table(folder / name, runs.split(), chosen) + closing

    return fill_tag_tables(_TABLE.sub(fill, text), folder)


def write_table(folder: Path, runs: Sequence[str], columns: Sequence[str]) -> str:
    """Return a table in Markdown, best average precision first.

    Args:
        folder: of the experiment.
        runs: of which it shows the detectors, see `gather_rows`.
        columns: keys of `COLUMNS`.

    Raises:
        ValueError: a run that was not measured, or a column that does not exist.
    """
    unknown = [column for column in columns if column not in COLUMNS]
    if unknown:
        raise ValueError(f"columns {unknown}: choose of {', '.join(COLUMNS)}")
    rows = gather_rows(folder, runs)
    lines = [
        ("detector", *columns),
        ("---", *["---:"] * len(columns)),
        *((row.name, *(COLUMNS[column](row) for column in columns)) for row in rows),
    ]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)


def gather_rows(folder: Path, runs: Sequence[str]) -> list[Row]:
    """Return the detectors of runs, best average precision first.

    A head that an earlier run has, too, is named after its own; a detector that the other one
    equals is not there again.

    Raises:
        ValueError: a run that was not measured.
    """
    jobs = read_jobs(folder)
    rows: list[Row] = []
    for run in runs:
        if run not in jobs:
            raise ValueError(f"{folder.name} has no run {run}: measured are {', '.join(jobs)}")
        for row in choose_rows(jobs[run]):
            same = [other for other in rows if other.name == row.name]
            value = _average_precision(row)
            if any(abs(value - _average_precision(other)) < _EQUAL for other in same):
                continue
            rows.append(row if not same else Row(f"{row.name} ({run})", row.choice, row.seeds))
    rows.sort(key=lambda row: -_average_precision(row))
    return rows


def choose_rows(jobs: Sequence[Job]) -> list[Row]:
    """Return the detectors of a run, each head at the choice that validation pairs made."""
    shared = set.intersection(*(set(job.words) for job in jobs))
    groups: dict[str, list[Job]] = {}
    for job in jobs:
        own = [word for word in job.words if word not in shared and not word.startswith(_SEED)]
        groups.setdefault(" ".join(own), []).append(job)
    rows: dict[str, Row] = {}
    for choice, group in sorted(groups.items()):
        for detector in group[0].detectors:
            name = str(detector["name"])
            seeds = [_find(job, name) for job in group]
            row = Row(name, choice if detector["is_head"] else "", seeds)
            best = rows.setdefault(name, row)
            if detector["is_head"] and _validation(row) > _validation(best):
                rows[name] = row
    return list(rows.values())


def _average_precision(row: Row) -> float:
    return row.mean(lambda detector: detector["metrics"]["average_precision"]["value"])


def _find(job: Job, name: str) -> Detector:
    (found,) = (detector for detector in job.detectors if detector["name"] == name)
    return found


def _validation(row: Row) -> float:
    return row.mean(lambda detector: detector["validation_average_precision"])


if __name__ == "__main__":
    renew_tables([*FOLDER.glob("*/README.md"), FOLDER / "README.md", FOLDER.parent / "README.md"])
