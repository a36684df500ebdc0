"""The tables of a sweep's report: trials, search space and brackets."""

from collections.abc import Sequence

from seentwice.display import name_count, show_text
from seentwice.pages import Cell, Column, Table
from seentwice.sweeps.ranking import NEVER_WIN, find_best_point, rank_trials, trained_time
from seentwice.sweeps.report.looks import format_metric
from seentwice.sweeps.results import SweepResults, show_value
from seentwice.sweeps.space import Categorical, Const, Hyperparameter, Log, Value
from seentwice.sweeps.trials import Trial

SHOWN_TRIALS = 500  # trials.csv has all


def tabulate_trials(results: SweepResults) -> tuple[Table, ...]:
    """Return the trials, best first, and those that cannot win with their reasons, if any."""
    ranked = rank_trials(results.trials, results.smaller_is_better)
    able = [trial for trial in ranked if trial.status not in NEVER_WIN]
    lost = [trial for trial in ranked if trial.status in NEVER_WIN]
    tables = (_trials_table(able, results),)
    return (*tables, _lost_table(lost, results)) if lost else tables


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
            Cell(f"{bracket.trials:,}", value=bracket.trials),
            Cell(f"{bracket.concurrent:,}", value=bracket.concurrent),
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
    rows = []
    for rank, trial in enumerate(trials[:SHOWN_TRIALS]):
        best = find_best_point(trial.curve, results.smaller_is_better)
        rows.append(
            (
                Cell(f"trial {trial.number}", show_text(trial.folder)),
                Cell("–")
                if best is None
                else Cell(format_metric(best.metric), "", best.metric, rank == 0),
                Cell("–" if best is None else f"{best.time:,}", value=best and best.time),
                Cell(f"{trained_time(trial):,}", value=trained_time(trial)),
                Cell(
                    trial.status,
                    f"{name_count(trial.restarts, 'restart', 'restarts')}: {show_text(trial.error)}"
                    if trial.restarts
                    else "",
                ),
                Cell(f"{trial.bracket + 1}", value=trial.bracket),
                Cell(f"{trial.rungs}", value=trial.rungs),
                *_value_cells(trial, results),
            )
        )
    unit = show_text(results.time_metric)
    columns = (
        Column("Trial"),
        Column(show_text(results.metric), True, "Best measurement of the trial"),
        Column(f"at {unit}", True, "When it was measured"),
        Column(f"trained {unit}", True, "By its last measurement"),
        Column("Status"),
        Column("Bracket", True),
        Column("Rungs", True, "That it passed"),
        *_value_columns(results),
    )
    return Table(f"Best first{_first_of(trials)}", columns, tuple(rows))


def _lost_table(trials: Sequence[Trial], results: SweepResults) -> Table:
    rows = tuple(
        (
            Cell(f"trial {trial.number}", show_text(trial.folder)),
            Cell(trial.status),
            Cell(show_text(trial.error) or "no reason was given"),
            Cell(f"{trained_time(trial):,}", value=trained_time(trial)),
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


def _first_of(trials: Sequence[Trial]) -> str:
    if len(trials) <= SHOWN_TRIALS:
        return ""
    return f": the first {SHOWN_TRIALS:,} of {len(trials):,}; trials.csv has all"


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
