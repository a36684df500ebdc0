"""A sweep as far as it has come: one record, kept in a file and read again."""

import csv
import io
import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, get_args

from pydantic import TypeAdapter, ValidationError

from seentwice.display import name_count, show_text
from seentwice.errors import UserError
from seentwice.sweeps.brackets import Bracket
from seentwice.sweeps.ranking import (
    NEVER_WIN,
    Budget,
    count_budget,
    find_best,
    find_best_point,
    rank_trials,
    reached_rung,
    trained_time,
)
from seentwice.sweeps.space import Const, SearchSpace, Value, read_space
from seentwice.sweeps.trials import Point, Status, Trial

SpellValue = Callable[[Value], str]
"""Gives a value as an override of the command line has it."""

OF_HYPERPARAMETER = "hyperparameters."
"""Begins the columns of hyperparameters in the table, so that none takes another column's name."""

_ONE = {"epochs": "epoch", "batches": "batch"}


@dataclass(frozen=True, slots=True)
class SweepResults:
    """All that a report of a sweep shows."""

    name: str
    metric: str
    smaller_is_better: bool
    time_metric: str  # what counts the training of a trial: "epochs"
    space: SearchSpace
    brackets: tuple[Bracket, ...]  # none where the searcher stops nothing
    trials: tuple[Trial, ...]  # by their numbers
    ends: Mapping[int, int]  # how long stopped trials would have trained by their own settings

    @property
    def varied(self) -> tuple[str, ...]:
        """Paths of the hyperparameters that are not the same in every trial by their type."""
        return tuple(key for key, one in self.space.items() if not isinstance(one, Const))

    @property
    def best(self) -> Trial | None:
        """The best trial; None before one was measured."""
        return find_best(self.trials, self.smaller_is_better)

    @property
    def best_point(self) -> Point | None:
        """The best measurement of all; None before the best trial is known."""
        best = self.best
        return None if best is None else find_best_point(best.curve, self.smaller_is_better)

    @property
    def budget(self) -> Budget:
        """What was spent, and what stopping saved."""
        return count_budget(self.trials, self.brackets, self.ends)

    @property
    def counts(self) -> dict[str, int]:
        """Trials by their status."""
        counted = Counter(trial.status for trial in self.trials)
        return {status: counted[status] for status in get_args(Status) if counted[status]}


@dataclass(frozen=True, slots=True)
class Origin:
    """Where the results of a sweep came from, and what comes to them again."""

    command: str  # that runs the sweep
    training: str = ""  # the command that trains the best trial; "" where there is none yet
    evaluation: str = ""  # the command that evaluates its checkpoint; likewise
    made_with: Mapping[str, Any] = field(default_factory=dict)  # words, photos, versions: for JSON


def spell_overrides(trial: Trial, spell: SpellValue) -> list[str]:
    """Return what sets a trial's hyperparameters."""
    return [f"{key}={spell(value)}" for key, value in trial.values.items()]


def to_json(results: SweepResults, spell: SpellValue, origin: Origin) -> str:
    """Return the results, with the best trial and what was spent; `read_results` reads them.

    Brackets and rungs of trials are counted from 1, as in `to_csv`; null where there are none.
    """
    budget = results.budget
    values = {
        "name": results.name,
        "metric": results.metric,
        "smaller_is_better": results.smaller_is_better,
        "time_metric": results.time_metric,
        "command": origin.command,
        "made_with": dict(origin.made_with),
        "best": _summarise_best(results, spell, origin),
        "counts": results.counts,
        "spent": budget.spent,
        "saved": budget.saved,
        "share_saved": budget.share_saved,
        "brackets": [asdict(bracket) for bracket in results.brackets],
        "space": {
            key: {"type": type(one).__name__.lower(), **asdict(one)}
            for key, one in results.space.items()
        },
        "trials": [_to_dict(trial, results.brackets) for trial in results.trials],
        "ends": dict(results.ends),
    }
    # A constant of the space may be no number, which JSON cannot tell.
    finite = json.loads(json.dumps(values), parse_constant=lambda _: None)
    return json.dumps(finite, indent=2) + "\n"


def read_results(path: Path) -> SweepResults:
    """Read what `to_json` gave.

    Raises:
        UserError: the file is not there, or no results of a sweep.
    """
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        values["space"] = read_space(values["space"])
        trials = values.pop("trials", None)
        bare = TypeAdapter(SweepResults).validate_python({**values, "trials": ()})
        return replace(bare, trials=tuple(_read_trial(one, bare.brackets) for one in trials))
    except OSError as error:
        raise UserError(
            f"{path}: {error.strerror}; name the folder that seentwice sweep wrote"
        ) from error
    except (ValueError, LookupError, TypeError, UserError) as error:
        raise UserError(f"{path}: no results of a sweep: {_explain(error)}") from error


def to_csv(results: SweepResults) -> str:
    """Return a table of the trials by their numbers, a row each.

    Values are written as in JSON, but texts as they are; what is unknown is empty. `rung` is that
    where the trial was compared last, of the `rungs` of its bracket; both are counted from 1.
    """
    ranks = {
        trial.number: rank
        for rank, trial in enumerate(rank_trials(results.trials, results.smaller_is_better), 1)
        if trial.curve and trial.status not in NEVER_WIN
    }
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(
        (
            *("trial", "rank", "bracket", "status", "rung", "rungs"),
            *("trained", "best_metric", "best_at"),
            *(OF_HYPERPARAMETER + show_text(key) for key in results.space),
            *("restarts", "folder", "checkpoint", "error", "interruptions"),
        )
    )
    for trial in results.trials:
        best = find_best_point(trial.curve, results.smaller_is_better)
        writer.writerow(
            (
                trial.number,
                ranks.get(trial.number, ""),
                *_place_in_search(trial, results.brackets),
                trained_time(trial),
                "" if best is None else best.metric,
                "" if best is None else best.time,
                *(
                    show_value(trial.values[key]) if key in trial.values else ""
                    for key in results.space
                ),
                trial.restarts,
                show_text(trial.folder),
                show_text(trial.checkpoint),
                show_text(trial.error),
                show_text(describe_interruptions(trial, results.time_metric)),
            )
        )
    return text.getvalue()


def describe_interruptions(trial: Trial, time_metric: str) -> str:
    """Say when a trial was interrupted and why; "" where it never was."""
    return "; ".join(
        f"after {name_time(one.time, time_metric)}: {one.why}" for one in trial.interruptions
    )


def name_time(time: int, time_metric: str) -> str:
    """Return a training time with its unit: "1 epoch", "7 epochs"."""
    return name_count(time, _ONE.get(time_metric, time_metric), time_metric)


def show_value(value: Value) -> str:
    """Return a value in one line: texts as they are, all else as in JSON."""
    return (
        show_text(value)
        if isinstance(value, str)
        else show_text(json.dumps(value, ensure_ascii=False))
    )


def _summarise_best(
    results: SweepResults, spell: SpellValue, origin: Origin
) -> Mapping[str, Any] | None:
    best, point = results.best, results.best_point
    if best is None or point is None:
        return None
    return {
        "trial": best.number,
        "metric": point.metric,
        "time": point.time,
        "overrides": spell_overrides(best, spell),
        "command": origin.training,
        "folder": best.folder,
        "checkpoint": best.checkpoint,
    }


def _place_in_search(trial: Trial, brackets: Sequence[Bracket]) -> tuple[int | str, ...]:
    """Return bracket, status, rung and number of rungs."""
    if not brackets:
        return "", trial.status, "", ""
    bracket = brackets[trial.bracket]
    return trial.bracket + 1, trial.status, reached_rung(trial, bracket), len(bracket.rungs)


def _to_dict(trial: Trial, brackets: Sequence[Bracket]) -> dict[str, Any]:
    fields = {name: getattr(trial, name) for name in Trial.__dataclass_fields__}
    bracket, _, rung, rungs = _place_in_search(trial, brackets)
    return fields | {
        "bracket": bracket if brackets else None,
        "rung": rung if brackets else None,
        "rungs": rungs if brackets else None,
        "values": dict(trial.values),
        "curve": [asdict(point) for point in trial.curve],
        "interruptions": [asdict(one) for one in trial.interruptions],
    }


def _read_trial(values: Mapping[str, Any], brackets: Sequence[Bracket]) -> Trial:
    """Read what `_to_dict` gave.

    Raises:
        ValueError, LookupError, TypeError: it is no trial, or in no bracket.
    """
    place = values["bracket"] - 1 if brackets else 0
    trial = TypeAdapter(Trial).validate_python({**values, "bracket": place, "rungs": 0})
    if not brackets:
        return trial
    return replace(trial, rungs=values["rung"] - reached_rung(trial, brackets[place]))


def _explain(error: Exception) -> str:
    if isinstance(error, ValidationError):
        first = error.errors()[0]
        return f"{'.'.join(map(str, first['loc']))}: {first['msg']}"
    if isinstance(error, KeyError):
        return f"{error.args[0]} is missing"
    return " ".join(str(error).split())
