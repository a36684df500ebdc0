"""The search space of an experiment configuration, as Determined 0.38 reads it.

Hyperparameters are nested under the names of Hydra's keys, so a value's path is the override that
sets it: `hyperparameters: {optimizer: {lr: {type: log, ...}}}` is `optimizer.lr=...`.
"""

import math
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from pydantic import ConfigDict, StrictFloat, StrictInt, TypeAdapter, ValidationError

from seentwice.errors import UserError
from seentwice.sweeps.plan_keys import refuse_unknown

Value = bool | int | float | str | list[Any] | None
"""Of one hyperparameter in one trial."""

_CLOSED = ConfigDict(extra="forbid")


@dataclass(frozen=True, slots=True)
class Const:
    """One value for every trial."""

    __pydantic_config__ = _CLOSED
    val: Value

    def sample(self, generator: np.random.Generator) -> Value:
        """Return the value."""
        return self.val

    def list_values(self) -> list[Value]:
        """Return the one value of the grid."""
        return [self.val]


@dataclass(frozen=True, slots=True)
class Int:
    """A whole number, both ends included."""

    __pydantic_config__ = _CLOSED
    minval: StrictInt
    maxval: StrictInt
    count: StrictInt | None = None  # of values in a grid

    def sample(self, generator: np.random.Generator) -> Value:
        """Draw one, each as likely as the others."""
        return int(generator.integers(self.minval, self.maxval, endpoint=True))

    def list_values(self) -> list[Value]:
        """Return `count` numbers at equal distances, rounded, or as many as there are."""
        count = min(self.count or 1, self.maxval - self.minval + 1)
        return [_round(number) for number in _spread(self.minval, self.maxval, count)]


@dataclass(frozen=True, slots=True)
class Double:
    """A number."""

    __pydantic_config__ = _CLOSED
    minval: StrictFloat
    maxval: StrictFloat
    count: StrictInt | None = None

    def sample(self, generator: np.random.Generator) -> Value:
        """Draw one uniformly."""
        return float(generator.uniform(self.minval, self.maxval))

    def list_values(self) -> list[Value]:
        """Return `count` numbers at equal distances."""
        return list(_spread(self.minval, self.maxval, self.count or 1))


@dataclass(frozen=True, slots=True)
class Log:
    """A power of a base; the ends are exponents."""

    __pydantic_config__ = _CLOSED
    minval: StrictFloat
    maxval: StrictFloat
    base: StrictFloat
    count: StrictInt | None = None

    def sample(self, generator: np.random.Generator) -> Value:
        """Draw one whose exponent is uniform."""
        return float(self.base ** generator.uniform(self.minval, self.maxval))

    def list_values(self) -> list[Value]:
        """Return `count` powers whose exponents are at equal distances."""
        return [self.base**power for power in _spread(self.minval, self.maxval, self.count or 1)]


@dataclass(frozen=True, slots=True)
class Categorical:
    """One of some values."""

    __pydantic_config__ = _CLOSED
    vals: list[Value]

    def sample(self, generator: np.random.Generator) -> Value:
        """Draw one, each as likely as the others."""
        return self.vals[int(generator.integers(len(self.vals)))]

    def list_values(self) -> list[Value]:
        """Return all."""
        return list(self.vals)


Hyperparameter = Const | Int | Double | Log | Categorical
SearchSpace = Mapping[str, Hyperparameter]
"""By the dotted path of the key that it sets, in the order of the file."""

_KINDS: Mapping[str, type[Hyperparameter]] = {
    "const": Const,
    "int": Int,
    "double": Double,
    "log": Log,
    "categorical": Categorical,
}


def read_space(values: object, path: str = "hyperparameters") -> dict[str, Hyperparameter]:
    """Read nested hyperparameters.

    Args:
        values: what stands under the key `path` of a YAML file.
        path: for the errors.

    Raises:
        UserError: a type that does not exist, a missing or unknown key, a value out of range, or
            one path in two spellings; the message begins with its path.
    """
    if not isinstance(values, Mapping):
        raise UserError(f"{path}: give names with their ranges, as in lr: {{type: log, ...}}")
    found: dict[str, Hyperparameter] = {}
    for name, value in values.items():
        here = f"{path}.{name}"
        if not isinstance(name, str):
            raise UserError(f"{here}: a name is a text; put quotes around it")
        if isinstance(value, Mapping) and "type" not in value:
            inner = read_space(value, here)
            read = {f"{name}.{key}": parameter for key, parameter in inner.items()}
        elif isinstance(value, Mapping):
            read = {name: _read_one(dict(value), here)}
        else:
            read = {name: Const(value)}
        twice = found.keys() & read.keys()
        if twice:  # a.b: 1 beside a: {b: 1}
            raise UserError(f"{path}.{min(twice)} is given twice; leave one out")
        found |= read
    return found


def sample_values(space: SearchSpace, seed: int, trial: int) -> dict[str, Value]:
    """Draw a trial's values; they follow from the seed and the trial's number alone."""
    generator = np.random.default_rng([seed, trial])
    return {key: parameter.sample(generator) for key, parameter in space.items()}


def _read_one(values: dict[str, Any], path: str) -> Hyperparameter:
    kind = values.pop("type")
    if not isinstance(kind, str) or kind not in _KINDS:
        raise UserError(f"{path}.type={kind!r}: choose one of {', '.join(_KINDS)}")
    refuse_unknown(values, ["type", *_KINDS[kind].__dataclass_fields__], path, kind)
    try:
        parameter = TypeAdapter(_KINDS[kind]).validate_python(values)
    except ValidationError as error:
        raise UserError(f"{path}: {_explain(error, kind)}") from error
    problem = _find_problem(parameter)
    if problem:
        raise UserError(f"{path}: {problem}")
    return parameter


def _explain(error: ValidationError, kind: str) -> str:
    first = error.errors()[0]
    key = str(first["loc"][0])
    if first["type"] == "missing":
        return f"{kind} needs {key}"
    return f"{key}={first['input']!r}: {first['msg']}"


def _find_problem(parameter: Hyperparameter) -> str | None:
    if isinstance(parameter, Categorical):
        return None if parameter.vals else "categorical needs at least one of vals"
    if isinstance(parameter, Const):
        return None
    ends = (parameter.minval, parameter.maxval)
    if not all(map(math.isfinite, ends)):
        return f"minval and maxval must be finite, not {ends[0]} and {ends[1]}"
    if parameter.minval >= parameter.maxval:
        return f"minval={parameter.minval} must be below maxval={parameter.maxval}"
    if parameter.count is not None and parameter.count < 1:
        return f"count={parameter.count}: at least 1"
    if isinstance(parameter, Log):
        return _find_problem_of_powers(parameter)
    return None


def _find_problem_of_powers(parameter: Log) -> str | None:
    if not parameter.base > 0 or parameter.base == 1:
        return f"base={parameter.base} must be above 0, and not 1"
    for exponent in (parameter.minval, parameter.maxval):
        if abs(exponent * math.log(parameter.base)) > math.log(sys.float_info.max):
            return f"{exponent} is an exponent: {parameter.base} to its power is no number"
    return None


def _spread(first: float, last: float, count: int) -> list[float]:
    """Return numbers from the first to the last at equal distances; one alone is their middle."""
    if count == 1:
        return [(first + last) / 2]
    return [first + number * (last - first) / (count - 1) for number in range(count)]


def _round(number: float) -> int:
    """Round to the nearest whole number, halves away from 0, as the master does."""
    return int(math.copysign(math.floor(abs(number) + 0.5), number))
