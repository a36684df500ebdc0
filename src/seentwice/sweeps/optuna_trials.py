"""Trials of a sweep as Optuna has them, for its dashboard, its importances and its samplers."""

import json
import sys
from collections.abc import Mapping
from typing import Any

import optuna
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from optuna.trial import FrozenTrial, TrialState

from seentwice.sweeps.space import Categorical, Const, Double, Int, Log, SearchSpace, Value
from seentwice.sweeps.trials import Trial


def list_distributions(space: SearchSpace) -> dict[str, BaseDistribution]:
    """Return Optuna's ranges of what varies; what is constant has none."""
    found: dict[str, BaseDistribution] = {}
    for key, parameter in space.items():
        if isinstance(parameter, Int):
            found[key] = IntDistribution(parameter.minval, parameter.maxval)
        elif isinstance(parameter, Double | Log):
            found[key] = FloatDistribution(*_find_ends(parameter), log=isinstance(parameter, Log))
        elif isinstance(parameter, Categorical):
            found[key] = CategoricalDistribution(list(dict.fromkeys(_list_choices(parameter))))
    return found


def to_params(space: SearchSpace, values: Mapping[str, Value]) -> dict[str, Any]:
    """Return a trial's values as Optuna has them, each within its range."""
    found: dict[str, Any] = {}
    for key, parameter in space.items():
        if isinstance(parameter, Double | Log):
            # What was rounded on its way may lie beyond the ends by its last bit.
            low, high = _find_ends(parameter)
            found[key] = min(max(float(values[key]), low), high)  # type: ignore[arg-type]
        elif isinstance(parameter, Categorical):
            place = list(map(json.dumps, parameter.vals)).index(json.dumps(values[key]))
            found[key] = _list_choices(parameter)[place]
        elif not isinstance(parameter, Const):
            found[key] = values[key]
    return found


def to_values(space: SearchSpace, params: Mapping[str, Any]) -> dict[str, Value]:
    """Return a trial's values of what Optuna chose, in the order of the space."""
    found: dict[str, Value] = {}
    for key, parameter in space.items():
        if isinstance(parameter, Const):
            found[key] = parameter.val
        elif isinstance(parameter, Categorical):
            found[key] = parameter.vals[_list_choices(parameter).index(params[key])]
        else:
            found[key] = params[key]
    return found


def to_optuna(
    trial: Trial, space: SearchSpace, state: TrialState, smaller_is_better: bool
) -> FrozenTrial:
    """Return a trial that has begun, in a state that it has or will have, see `find_state`.

    Its value is the best of its metrics, where the state has one.
    """
    return optuna.create_trial(
        state=state,
        values=find_optuna_values(trial, state, smaller_is_better),
        params=to_params(space, trial.values),
        distributions=list_distributions(space),
        intermediate_values={point.time: point.metric for point in trial.curve},
        user_attrs=list_attributes(trial),
    )


def find_state(trial: Trial) -> TrialState:
    """Return what Optuna calls the status of a trial."""
    if trial.status in ("waiting", "running"):
        return TrialState.RUNNING
    if trial.status in ("failed", "impossible") or not trial.curve:
        return TrialState.FAIL
    return TrialState.COMPLETE if trial.status == "finished" else TrialState.PRUNED


def find_optuna_values(
    trial: Trial, state: TrialState, smaller_is_better: bool
) -> list[float] | None:
    """Return the best metric of a trial that was not in vain, as Optuna's list of objectives."""
    if state not in (TrialState.COMPLETE, TrialState.PRUNED):
        return None
    choose = min if smaller_is_better else max
    return [choose(point.metric for point in trial.curve)]


def list_attributes(trial: Trial) -> dict[str, Any]:
    """Return what else is known of a trial, by names of its own."""
    return {
        "trial": trial.number,
        "bracket": trial.bracket + 1,
        "rungs": trial.rungs,
        "folder": trial.folder,
        "checkpoint": trial.checkpoint,
        "restarts": trial.restarts,
        "error": trial.error,
        "values": dict(trial.values),
    }


def _find_ends(parameter: Double | Log) -> tuple[float, float]:
    """Return the lowest and the highest value; powers are above 0, as Optuna asks for."""
    if isinstance(parameter, Double):
        return parameter.minval, parameter.maxval
    ends = sorted(parameter.base**power for power in (parameter.minval, parameter.maxval))
    return max(ends[0], sys.float_info.min), max(ends[1], sys.float_info.min)


def _list_choices(parameter: Categorical) -> list[bool | int | float | str | None]:
    """Return the values themselves, or all as JSON where Optuna could not tell them apart.

    It takes no lists, and 1 for True and for 1.0.
    """
    choices = [
        value for value in parameter.vals if value is None or isinstance(value, int | float | str)
    ]
    if len(set(choices)) == len(parameter.vals):
        return list(choices)
    return [json.dumps(value) for value in parameter.vals]
