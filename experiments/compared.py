"""What notebooks say of an experiment: its detectors as rows, as a table and in a sentence."""

import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pandas as pd

from experiments.measured import read_jobs
from experiments.tables import COLUMNS, Row, gather_rows, mean_interval, spell_interval
from seentwice.errors import UserError
from seentwice.records import Interval

WITHOUT_LABELS = "no labels"
"""The group of detectors that learn from no pair."""


def require_runs(folder: Path, runs: Sequence[str]) -> None:
    """Say what to run where something was not measured.

    Raises:
        UserError: names the runs that were not.
    """
    missing = [run for run in runs if run not in read_jobs(folder)]
    if missing:
        raise UserError(
            f"experiments/{folder.name}: {', '.join(missing)} not measured; "
            f"run python -m experiments.measure {folder.name}"
        )


def read_rows(folder: Path, runs: Sequence[str]) -> list[Row]:
    """Return the detectors of runs, best average precision first; see `gather_rows`.

    Raises:
        UserError: a run was not measured.
    """
    require_runs(folder, runs)
    return gather_rows(folder, runs)


def group_by_head(folder: Path, runs: Sequence[str]) -> dict[str, list[Row]]:
    """Return for each head its rows, named after their runs; and those that need no labels.

    Raises:
        UserError: a run was not measured.
    """
    groups: dict[str, list[Row]] = {}
    for run in runs:
        for row in read_rows(folder, [run]):
            if is_head(row):
                groups.setdefault(row.name, []).append(replace(row, name=run))
    without = [row for row in read_rows(folder, runs) if not is_head(row)]
    return groups | {WITHOUT_LABELS: without}


def is_head(row: Row) -> bool:
    """Say whether a row learns from labelled pairs."""
    return bool(row.seeds[0]["is_head"])


def tabulate(rows: Sequence[Row], columns: Sequence[str]) -> pd.DataFrame:
    """Return a table with a line for each row.

    Args:
        rows: of an experiment.
        columns: keys of `COLUMNS`.
    """
    cells = {column: [COLUMNS[column](row) for row in rows] for column in columns}
    return pd.DataFrame(cells, index=pd.Index([row.name for row in rows], name="detector"))


def say_order(rows: Sequence[Row]) -> str:
    """Say in a sentence which row has the highest average precision, and how sure that is.

    Raises:
        ValueError: fewer than two rows, or one without an interval.
    """
    found = [
        (row, mean_interval([one["metrics"]["average_precision"] for one in row.seeds]))
        for row in rows
    ]
    known = [(row, interval) for row, interval in found if math.isfinite(interval.low)]
    if len(known) < max(2, len(rows)):
        raise ValueError("an order needs two rows or more, each with an interval")
    (first, best), *others = sorted(known, key=lambda pair: -pair[1].value)
    said = f"{first.name} comes first with an average precision of {spell_interval(best)}"
    level = [pair for pair in others if pair[1].high >= best.low]
    below = [pair for pair in others if pair[1].high < best.low]
    if level:
        said += f"; not shown to be worse, as the intervals overlap: {_list(level)}"
    if below:
        said += f"; surely worse, as the interval ends below: {_list(below)}"
    seeds = max(len(row.seeds) for row in rows)
    return said + (f" (means over {seeds} seeds)." if seeds > 1 else ".")


def _list(pairs: Sequence[tuple[Row, Interval]]) -> str:
    return ", ".join(f"{row.name} {spell_interval(interval)}" for row, interval in pairs)
