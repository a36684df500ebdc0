"""Runs as rows: what was trained, on what, how well, how long, by which commit."""

import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from seentwice.display import show_text
from seentwice.learn.tracking import SHORT_ID

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
_LINE_LENGTHS = (None, 16, 14, 12, 10)  # of a cell
_LEFT_OUT = ("commit", "took", "command")  # where there is no room, the first of them first
_PIECE = re.compile(r"[^ _/.-]+[ _/.-]?|[ _/.-]")  # of a name, with what ends it
_WIDEST = 10_000  # of a table that is only measured
_MEASURED = 500  # rows, the first, that a table is made to fit by: every layout takes its time
_NONE = "-"
_NAMES = ("run", "command", "data", "head", "backbone")
_FACTS = ("id", "started, UTC", "took", "status", "commit")


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


def make_table(rows: Sequence[RunRow], metrics: Sequence[str], console: Console) -> Table:
    """Return the table of a terminal; where it is narrow, in more lines and fewer columns.

    Args:
        rows: as `gather_rows` returns them.
        metrics: columns, the one that sorts first.
        console: what the table is made to fit.
    """
    unbound = console.options.update(max_width=_WIDEST)
    for count in range(len(_LEFT_OUT) + 1):
        for length in _LINE_LENGTHS:
            left_out = _LEFT_OUT[:count]
            table = _make_table(rows[:_MEASURED], metrics, length, left_out)
            if Measurement.get(console, unbound, table).maximum <= console.width:
                return _make_table(rows, metrics, length, left_out)
    return _make_table(rows, metrics, length, left_out)


def _make_table(
    rows: Sequence[RunRow], metrics: Sequence[str], length: int | None, left_out: Sequence[str]
) -> Table:
    shown = {row.run_id for row in rows}
    # Runs of detectors are called after them.
    unneeded = {
        *left_out,
        *(() if any(row.head not in ("", row.name) for row in rows) else ["head"]),
    }
    table = Table(
        box=SIMPLE_HEAD,
        show_edge=False,
        pad_edge=False,
        collapse_padding=True,
        caption=f"no room for: {', '.join(left_out)}; --json has them" if left_out else None,
    )
    kept = [name for name in (*_NAMES, *metrics, *_FACTS) if name not in unneeded]
    for name in kept:
        table.add_column(
            break_name(KEY_METRICS.get(name, name), length),
            justify="right" if name in metrics else "left",
            overflow="fold",
            no_wrap=name not in _NAMES,
        )
    for row in rows:
        cells = _cells(row, metrics, shown)
        table.add_row(*(Text(break_name(show_text(cells[name]), length)) for name in kept))
    return table


def break_name(name: str, length: int | None) -> str:
    """Return a name in lines that end at its spaces, slashes, points, hyphens and underscores.

    Args:
        name: one line; leading spaces stay.
        length: of a line in characters, where such ends allow it; None breaks nothing.
    """
    if length is None:
        return name
    lines = [name[: len(name) - len(name.lstrip())]]
    for piece in _PIECE.findall(name.lstrip()):
        if lines[-1].strip() and len(lines[-1] + piece.rstrip()) > length:
            lines.append("")
        lines[-1] += piece
    return "\n".join(line.rstrip() for line in lines)


def _cells(row: RunRow, metrics: Sequence[str], shown: set[str]) -> Mapping[str, str]:
    """Return what a table may show of a run, by the header of its column."""
    changed = "+" if row.git_commit.endswith("+") else ""
    commit = row.git_commit.removesuffix("+")[:_COMMIT_LENGTH]
    measured = row.metrics
    cells = {
        "run": f"  {row.name}" if row.parent_id in shown else row.name,
        "command": row.command,
        "data": row.data,
        "head": row.head,
        "backbone": row.backbone,
        **{name: f"{measured[name]:.3f}" if name in measured else "" for name in metrics},
        "id": row.run_id[:SHORT_ID],
        "started, UTC": row.started[:16].replace("T", " "),
        "took": "" if row.seconds is None else _describe_seconds(row.seconds),
        "status": row.status.lower(),
        "commit": f"{commit}{changed}" if commit else "",
    }
    return {name: text or _NONE for name, text in cells.items()}


def _describe_seconds(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 120 else f"{minutes // 60} h {minutes % 60} min"
