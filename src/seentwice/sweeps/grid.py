"""The trials of a grid: every combination of the values of each hyperparameter."""

from seentwice.errors import UserError
from seentwice.sweeps.space import (
    Categorical,
    Const,
    Double,
    Hyperparameter,
    Int,
    Log,
    SearchSpace,
    Value,
)


def count_grid(space: SearchSpace) -> int:
    """Return how many combinations there are; none is made.

    Raises:
        UserError: a range says no `count`.
    """
    combinations = 1
    for key, parameter in space.items():
        if isinstance(parameter, Int | Double | Log) and parameter.count is None:
            raise UserError(f"hyperparameters.{key}: a grid needs count, the number of its values")
        combinations *= _count_values(parameter)
    return combinations


def pick_from_grid(space: SearchSpace, number: int) -> dict[str, Value]:
    """Return one combination, from 0 on; from one to the next, the last name's changes fastest."""
    picked: dict[str, Value] = {}
    for key, parameter in reversed(list(space.items())):
        number, place = divmod(number, _count_values(parameter))
        picked[key] = parameter.list_values()[place]
    return {key: picked[key] for key in space}


def _count_values(parameter: Hyperparameter) -> int:
    """Return how many values a hyperparameter has in a grid, as `list_values` lists them."""
    if isinstance(parameter, Const):
        return 1
    if isinstance(parameter, Categorical):
        return len(parameter.vals)
    if isinstance(parameter, Int):
        return min(parameter.count or 1, parameter.maxval - parameter.minval + 1)
    return parameter.count or 1
