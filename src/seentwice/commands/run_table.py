"""Runs as rows: what was trained, on what, how well, how long, by which commit."""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from seentwice.display import show_text

if TYPE_CHECKING:
    from seentwice.learn.stored_runs import FoundRuns, StoredRun

KEY_METRICS = {
    "test/average_precision": "AP",
    "test/roc_auc": "AUC",
    "test/f1": "F1",
}
"""Shown of every run, beside the metric that sorts them, and their headers."""
LEAST_WIDTH = 100
"""Of a terminal that has room for more than one metric."""
_COMMAND = "seentwice.command"
_COMMIT_LENGTH = 8
_NONE = "-"


@dataclass(frozen=True, slots=True)
class RunRow:
    """One run; the fields but the metrics are texts, "" where a run has none."""

    NAMES: ClassVar[tuple[str, ...]] = (
        *("run_id", "parent_id", "name", "experiment", "command", "data", "head", "backbone"),
        *("status", "started", "seconds", "git_commit"),
    )

    run_id: str
    parent_id: str  # of the row above it, or above those beside it
    name: str
    experiment: str
    command: str
    data: str
    head: str  # or another detector
    backbone: str
    status: str
    started: str  # YYYY-MM-DDTHH:MM:SSZ
    seconds: float | None  # None while it runs
    git_commit: str  # with "+" where files had been changed
    metrics: Mapping[str, float]

    def cells(self) -> dict[str, str | float | None]:
        """Return all but the metrics, by name."""
        return {name: getattr(self, name) for name in self.NAMES}


def gather_rows(found: "FoundRuns") -> list[RunRow]:
    """Return the runs in their order, but each below the run that it is a part of.

    A comparison or a sweep stands where its best part does.
    """
    groups: dict[str, list[StoredRun]] = {}
    for run in found.runs:
        above = found.parents.get(run.parent_id or "")
        if above is not None:
            groups.setdefault(above.run_id, [above]).append(run)
        elif run.run_id not in groups:
            groups[run.run_id] = [run]
    return [_to_row(run) for group in groups.values() for run in group]


def _to_row(run: "StoredRun") -> RunRow:
    # What a run does not know was logged as Python's None.
    parameters = {name: text for name, text in run.parameters.items() if text != "None"}
    seconds = None if run.ended_ms is None else (run.ended_ms - run.started_ms) / 1000
    return RunRow(
        run_id=run.run_id,
        parent_id=run.parent_id or "",
        name=run.name,
        experiment=run.experiment,
        command=run.tags.get(_COMMAND, ""),
        data=parameters.get("data", ""),
        head=parameters.get("head") or parameters.get("detector", ""),
        backbone=parameters.get("backbone", ""),
        status=run.status,
        started=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(run.started_ms / 1000)),
        seconds=seconds,
        git_commit=parameters.get("git_commit", ""),
        metrics=run.metrics,
    )


def make_table(rows: Sequence[RunRow], metrics: Sequence[str]) -> Table:
    """Return the table of a terminal.

    Args:
        rows: as `gather_rows` returns them.
        metrics: columns, the one that sorts first.
    """
    table = Table(box=SIMPLE_HEAD, show_edge=False, pad_edge=False, collapse_padding=True)
    # Runs of detectors are called after them.
    has_heads = any(row.head not in ("", row.name) for row in rows)
    for name in ("run", "command", "data", *(["head"] if has_heads else []), "backbone"):
        table.add_column(name, overflow="fold")
    for name in metrics:
        table.add_column(KEY_METRICS.get(name, name), justify="right", no_wrap=True)
    for name in ("started", "took", "status", "commit"):
        table.add_column(name, no_wrap=True)
    shown = {row.run_id for row in rows}
    for row in rows:
        cells = _cells(row, metrics, shown, has_heads)
        table.add_row(*(Text(show_text(cell)) for cell in cells))
    return table


def _cells(row: RunRow, metrics: Sequence[str], shown: set[str], has_heads: bool) -> Iterator[str]:
    yield f"  {row.name}" if row.parent_id in shown else row.name
    heads = (row.head,) if has_heads else ()
    yield from (text or _NONE for text in (row.command, row.data, *heads, row.backbone))
    for name in metrics:
        yield f"{row.metrics[name]:.3f}" if name in row.metrics else _NONE
    yield row.started[:10]
    yield _NONE if row.seconds is None else _describe_seconds(row.seconds)
    yield row.status.lower()
    changed = "+" if row.git_commit.endswith("+") else ""
    commit = row.git_commit.removesuffix("+")[:_COMMIT_LENGTH]
    yield f"{commit}{changed}" if commit else _NONE


def _describe_seconds(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 120 else f"{minutes // 60} h {minutes % 60} min"
