"""The tables of a sweep's report: trials, search space and brackets."""

from collections.abc import Sequence
from pathlib import PurePath

from seentwice.display import show_text
from seentwice.pages import Cell, Column, Table
from seentwice.sweeps.ranking import (
    NEVER_WIN,
    find_best_point,
    rank_trials,
    reached_rung,
    trained_time,
)
from seentwice.sweeps.report.looks import format_metric
from seentwice.sweeps.results import SweepResults, show_value
from seentwice.sweeps.space import Categorical, Const, Hyperparameter, Log, Value
from seentwice.sweeps.trials import Trial

SHOWN_TRIALS = 500  # and interruptions; trials.csv has all


def tabulate_trials(results: SweepResults) -> tuple[Table, ...]:
    """Return the trials, best first, those that cannot win, and interruptions, if any."""
    ranked = rank_trials(results.trials, results.smaller_is_better)
    able = [trial for trial in ranked if trial.status not in NEVER_WIN]
    lost = [trial for trial in ranked if trial.status in NEVER_WIN]
    tables: tuple[Table, ...] = ()
    if able or not lost:
        tables = (_trials_table(able, results),)
    if lost:
        tables = (*tables, _lost_table(lost, results))
    if any(trial.interruptions for trial in results.trials):
        tables = (*tables, _interruptions_table(results))
    return tables


def tabulate_space(results: SweepResults) -> Table:
    """Return which values each hyperparameter takes."""
    rows = tuple(
        (Cell(show_text(key)), Cell(type(one).__name__.lower()), Cell(describe_range(one)))
        for key, one in results.space.items()
    )
    return Table("Search space", (Column("Hyperparameter"), Column("Type"), Column("Values")), rows)


def tabulate_brackets(results: SweepResults) -> Table:
    """Return the brackets as they are planned."""
    rows = tuple(
        (
            Cell(f"{number}"),
            _count(bracket.trials),
            _count(bracket.concurrent),
            Cell(", ".join(f"{rung:,}" for rung in bracket.rungs)),
        )
        for number, bracket in enumerate(results.brackets, 1)
    )
    columns = (
        Column("Bracket"),
        Column("Trials", True),
        Column("At once", True, "Trials at the start"),
        Column(f"Rungs, {show_text(results.time_metric)}"),
    )
    return Table("Brackets", columns, rows)


def describe_range(parameter: Hyperparameter) -> str:
    """Say of a hyperparameter which values it takes."""
    if isinstance(parameter, Const):
        return show_value(parameter.val)
    if isinstance(parameter, Categorical):
        return ", ".join(map(show_value, parameter.vals))
    if isinstance(parameter, Log):
        ends = (f"{parameter.base:g}^{end:g}" for end in (parameter.minval, parameter.maxval))
        return " to ".join(ends)
    return f"{_spell(parameter.minval)} to {_spell(parameter.maxval)}"


def _spell(value: Value) -> str:
    return f"{value:g}" if isinstance(value, float) else show_value(value)


def _trials_table(trials: Sequence[Trial], results: SweepResults) -> Table:
    rows = tuple(
        _trial_row(trial, rank == 0, results) for rank, trial in enumerate(trials[:SHOWN_TRIALS])
    )
    unit = show_text(results.time_metric)
    search = (
        Column("Bracket", True),
        Column("Rung", True, "Where it was compared last, of those of its bracket"),
    )
    columns = (
        Column("Trial"),
        Column(show_text(results.metric), True, "Best measurement of the trial"),
        Column(f"after {unit}", True, "When it was measured"),
        Column(f"trained {unit}", True, "By its last measurement"),
        Column("Status"),
        *(search if results.brackets else ()),
        *_value_columns(results),
    )
    return Table(f"Best first{_first_of(trials)}", columns, rows)


def _trial_row(trial: Trial, is_best: bool, results: SweepResults) -> tuple[Cell, ...]:
    point = find_best_point(trial.curve, results.smaller_is_better)
    measured = (Cell("–"), Cell("–"))
    if point is not None:
        metric = Cell(format_metric(point.metric), value=point.metric, is_best=is_best)
        measured = (metric, _count(point.time))
    return (
        _name_trial(trial),
        *measured,
        _count(trained_time(trial)),
        Cell(trial.status),
        *_search_cells(trial, results),
        *_value_cells(trial, results),
    )


def _search_cells(trial: Trial, results: SweepResults) -> tuple[Cell, ...]:
    if not results.brackets:
        return ()
    bracket = results.brackets[trial.bracket]
    rung = reached_rung(trial, bracket)
    return _count(trial.bracket + 1), Cell(f"{rung} of {len(bracket.rungs)}", value=rung)


def _lost_table(trials: Sequence[Trial], results: SweepResults) -> Table:
    rows = tuple(
        (
            _name_trial(trial),
            Cell(trial.status),
            Cell(show_text(trial.error) or "no reason was given"),
            _count(trained_time(trial)),
            *_value_cells(trial, results),
        )
        for trial in trials[:SHOWN_TRIALS]
    )
    columns = (
        Column("Trial"),
        Column("Status"),
        Column("Reason"),
        Column(f"trained {show_text(results.time_metric)}", True),
        *_value_columns(results),
    )
    return Table(f"Failed, or of impossible values{_first_of(trials)}", columns, rows)


def _interruptions_table(results: SweepResults) -> Table:
    rows = [
        (_name_trial(trial), _count(one.time), Cell(show_text(one.why)), Cell(trial.status))
        for trial in results.trials
        for one in trial.interruptions
    ]
    columns = (
        Column("Trial"),
        Column(f"after {show_text(results.time_metric)}", True),
        Column("Why"),
        Column("Status", hint="What came of it since"),
    )
    return Table(
        f"Interrupted and taken on again{_first_of(rows)}", columns, tuple(rows[:SHOWN_TRIALS])
    )


def _name_trial(trial: Trial) -> Cell:
    return Cell(f"trial {trial.number}", show_text(PurePath(trial.folder).name))


def _count(number: int) -> Cell:
    return Cell(f"{number:,}", value=number)


def _first_of(rows: Sequence[object]) -> str:
    if len(rows) <= SHOWN_TRIALS:
        return ""
    return f": the first {SHOWN_TRIALS:,} of {len(rows):,}; trials.csv has all"


def _value_columns(results: SweepResults) -> tuple[Column, ...]:
    return tuple(
        Column(show_text(key), not isinstance(results.space[key], Categorical))
        for key in results.varied
    )


def _value_cells(trial: Trial, results: SweepResults) -> tuple[Cell, ...]:
    cells = []
    for key in results.varied:
        value = trial.values.get(key)
        if key not in trial.values:
            cells.append(Cell("–"))
        elif isinstance(value, float):
            cells.append(Cell(f"{value:.4g}", value=value))
        else:
            number = value if isinstance(value, int) else None
            cells.append(Cell(show_value(value), value=number))
    return tuple(cells)
