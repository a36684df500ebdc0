"""The tables of taggers' pages, renewed as those of `tables` are.

    <!-- heads tagger: houses transfer -->
    <!-- end -->

has a row for each head of each run, and `labels` in the place of `heads` one for each label.
"""

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from experiments.measured import Job, read_jobs
from seentwice.compare.table import format_interval, format_number
from seentwice.records import Interval

_TABLE = re.compile(r"(<!-- (heads|labels) (\w+): ([\w ]+?) -->\n).*?(<!-- end -->)", re.S)
_HEADS = (
    "run",
    "head",
    "photos",
    "homes",
    "accuracy",
    "balanced",
    "largest label",
    "ECE",
    "before",
)
_LABELS = ("run", "head", "label", "photos", "precision", "recall", "F1", "ROC AUC")
_TEXTS = ("run", "head", "label")  # columns that are not numbers


def fill_tag_tables(text: str, folder: Path) -> str:
    """Return a page with its tables as they are measured.

    Args:
        text: of the page.
        folder: of all experiments.

    Raises:
        ValueError: a run that was not measured.
    """

    def fill(found: re.Match[str]) -> str:
        opening, kind, name, runs, closing = found.groups()
        return opening + write_tag_table(folder / name, runs.split(), kind == "labels") + closing

    return _TABLE.sub(fill, text)


def write_tag_table(folder: Path, runs: Sequence[str], by_label: bool) -> str:
    """Return a table in Markdown.

    Args:
        folder: of the experiment.
        runs: that it shows.
        by_label: a row for each label, not for each head.

    Raises:
        ValueError: a run that was not measured.
    """
    measured = read_jobs(folder)
    unknown = [run for run in runs if run not in measured]
    if unknown:
        raise ValueError(f"{folder.name} has no run {unknown[0]}: measured are {[*measured]}")
    columns, rows_of = (_LABELS, _label_rows) if by_label else (_HEADS, _head_rows)
    lines = [columns, tuple("---" if name in _TEXTS else "---:" for name in columns)]
    lines += [row for run in runs for job in measured[run] for row in rows_of(run, job)]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)


def _head_rows(run: str, job: Job) -> Iterator[tuple[str, ...]]:
    for head in job.results["heads"]:
        yield (
            run,
            head["name"],
            f"{head['photos']:,}",
            f"{head['homes']:,}",
            _spell(head["accuracy"]),
            _spell(head["balanced_accuracy"]),
            format_number(head["largest_share"]),
            format_number(head["calibration_error"]),
            format_number(job.results["calibration_error_before"][head["name"]]),
        )


def _label_rows(run: str, job: Job) -> Iterator[tuple[str, ...]]:
    for head in job.results["heads"]:
        for label in head["of_label"]:
            metrics = (_spell(label[name]) for name in ("precision", "recall", "f1", "roc_auc"))
            yield run, head["name"], label["label"], f"{label['photos']:,}", *metrics


def _spell(measured: Mapping[str, Any]) -> str:
    value, low, high = (
        math.nan if measured[key] is None else measured[key] for key in ("value", "low", "high")
    )
    interval = Interval(value, low, high)
    return f"{format_number(value)} {format_interval(interval)}"
