"""What an experiment configuration for Determined 0.38 asks for: searcher, budget and space."""

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import yaml
from pydantic import (
    ConfigDict,
    Field,
    StrictBool,
    StrictInt,
    StrictStr,
    TypeAdapter,
    ValidationError,
)

from seentwice.errors import UserError
from seentwice.sweeps.asha import Asha
from seentwice.sweeps.brackets import AshaSettings, Concurrent, Count
from seentwice.sweeps.searcher import Searcher, Unstopped
from seentwice.sweeps.space import SearchSpace, Value, list_grid, read_space, sample_values

_CLOSED = ConfigDict(extra="forbid")
_KEYS_OF_THE_MASTER = frozenset(
    {
        "bind_mounts",
        "checkpoint_policy",
        "checkpoint_storage",
        "data",
        "debug",
        "description",
        "environment",
        "integrations",
        "labels",
        "log_policies",
        "min_checkpoint_period",
        "min_validation_period",
        "optimizations",
        "pbs",
        "perform_initial_validation",
        "preemption_timeout",
        "profiling",
        "project",
        "records_per_epoch",
        "resources",
        "retention_policy",
        "scheduling_unit",
        "slurm",
        "tensorboard_storage",
        "workspace",
    }
)
"""Keys at the top that a cluster reads and that mean nothing here."""

MAX_RESTARTS = 5  # the master's default
LARGEST_SEED = 2**32 - 1  # that the master takes

Restarts = Annotated[StrictInt, Field(ge=0)]
MasterSeed = Annotated[StrictInt, Field(ge=0, le=LARGEST_SEED)]


@dataclass(frozen=True, slots=True)
class Reproducibility:
    """The section of that name."""

    __pydantic_config__ = _CLOSED
    experiment_seed: MasterSeed = 0  # the master's default is the time


@dataclass(frozen=True, slots=True)
class Watched:
    """What every searcher takes."""

    metric: StrictStr
    smaller_is_better: StrictBool = True
    source_trial_id: StrictInt | None = None  # this and the next: where trials go on, on a cluster
    source_checkpoint_uuid: StrictStr | None = None


@dataclass(frozen=True, slots=True)
class Single:
    """One trial."""

    __pydantic_config__ = _CLOSED


@dataclass(frozen=True, slots=True)
class Random:
    """Trials with values that are drawn, none of which is stopped."""

    __pydantic_config__ = _CLOSED
    max_trials: Count
    max_concurrent_trials: Concurrent = 16  # 0: all


@dataclass(frozen=True, slots=True)
class Grid:
    """A trial for every combination of values."""

    __pydantic_config__ = _CLOSED
    max_concurrent_trials: Concurrent = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class AdaptiveAsha(AshaSettings):
    """Trials with values that are drawn, which stop where others are better."""

    __pydantic_config__ = _CLOSED
    time_metric: StrictStr  # among the reported metrics: counts the training of a trial


SearcherSettings = Single | Random | Grid | AdaptiveAsha
SEARCHERS: Mapping[str, type[SearcherSettings]] = {
    "single": Single,
    "random": Random,
    "grid": Grid,
    "adaptive_asha": AdaptiveAsha,
}


@dataclass(frozen=True, slots=True)
class Plan:
    """An experiment configuration, read."""

    name: str
    entrypoint: tuple[str, ...]  # the command of a trial, word by word
    watched: Watched
    searcher: SearcherSettings
    space: SearchSpace
    max_restarts: int = MAX_RESTARTS  # of a trial that crashes; then it has failed
    seed: int = 0  # of the values that are drawn

    def open_searcher(self) -> Searcher:
        """Return the searcher, before its first trial.

        Raises:
            UserError: a grid of a range without `count`.
        """
        chosen = self.searcher
        if isinstance(chosen, AdaptiveAsha):
            return Asha(chosen, self.watched.smaller_is_better)
        if isinstance(chosen, Random):
            return Unstopped(chosen.max_trials, chosen.max_concurrent_trials, replaces=True)
        if isinstance(chosen, Grid):
            trials = len(list_grid(self.space))
            return Unstopped(trials, chosen.max_concurrent_trials, replaces=False)
        return Unstopped(1, 1, replaces=False)

    def values_of(self, trial: int, seed: int) -> dict[str, Value]:
        """Return the hyperparameters of a trial, by the dotted paths of their keys."""
        if isinstance(self.searcher, Grid):
            return list_grid(self.space)[trial]
        return sample_values(self.space, seed, trial)


def read_plan(path: Path) -> Plan:
    """Read an experiment configuration.

    Raises:
        UserError: the file is not there, or no YAML; a key is missing, unknown to the master, or
            has a wrong value. The message names the file and the key, or the line.
    """
    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8"
        raise UserError(f"{path}: {reason}") from error
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = "" if mark is None else f" line {mark.line + 1}:"
        raise UserError(f"{path}:{where} no YAML: {getattr(error, 'problem', error)}") from error
    except ValueError as error:  # of a number or date that is none
        raise UserError(f"{path}: no YAML: {error}") from error
    try:
        return _read_keys(values)
    except UserError as error:
        raise UserError(f"{path}: {error}") from error


def _read_keys(values: object) -> Plan:
    if not isinstance(values, Mapping):
        raise UserError("give keys with values: name, entrypoint, searcher, hyperparameters")
    needed = ("name", "entrypoint", "searcher", "hyperparameters")
    read = (*needed, "max_restarts", "reproducibility")
    for key in values:
        if key not in read and key not in _KEYS_OF_THE_MASTER:
            known = ", ".join(sorted([*read, *_KEYS_OF_THE_MASTER]))
            raise UserError(f"{key}: no such key; choose of {known}")
    for key in needed:
        if values.get(key) is None:
            raise UserError(f"{key} is missing")
    return Plan(
        str(values["name"]),
        _read_entrypoint(values["entrypoint"]),
        *_read_searcher(values["searcher"]),
        read_space(values["hyperparameters"]),
        _read_restarts(values.get("max_restarts", MAX_RESTARTS)),
        _read_seed(values.get("reproducibility", {})),
    )


def _read_restarts(value: object) -> int:
    try:
        return TypeAdapter(Restarts).validate_python(value)
    except ValidationError as error:
        raise UserError(f"max_restarts={value!r}: {error.errors()[0]['msg']}") from error


def _read_seed(value: object) -> int:
    try:
        return TypeAdapter(Reproducibility).validate_python(value).experiment_seed
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(["reproducibility", *map(str, first["loc"])])
        if first["type"] == "unexpected_keyword_argument":
            raise UserError(f"{key}: no such key; it has experiment_seed") from error
        raise UserError(f"{key}={first['input']!r}: {first['msg']}") from error


def _read_entrypoint(value: object) -> tuple[str, ...]:
    if isinstance(value, str):
        try:
            return tuple(shlex.split(value))
        except ValueError as error:  # a quotation without its end
            raise UserError(f"entrypoint: {error}") from error
    if isinstance(value, list) and all(isinstance(word, str) for word in value):
        return tuple(value)
    raise UserError("entrypoint: give a command, as a text or as a list of words")


def _read_searcher(value: object) -> tuple[Watched, SearcherSettings]:
    if not isinstance(value, Mapping):
        raise UserError(f"searcher: give its name, one of {', '.join(SEARCHERS)}, and its settings")
    given = dict(value)
    name = given.pop("name", None)
    if not isinstance(name, str) or name not in SEARCHERS:
        raise UserError(f"searcher.name={name!r}: choose one of {', '.join(SEARCHERS)}")
    watched = {key: given.pop(key) for key in Watched.__dataclass_fields__ if key in given}
    try:
        return (
            TypeAdapter(Watched).validate_python(watched),
            TypeAdapter(SEARCHERS[name]).validate_python(given),
        )
    except ValidationError as error:
        raise UserError(_explain(error, name)) from error


def _explain(error: ValidationError, name: str) -> str:
    first = error.errors()[0]
    key = ".".join(map(str, first["loc"]))
    if first["type"] == "missing":
        return f"searcher: {name} needs {key}"
    if first["type"] == "unexpected_keyword_argument":
        if key == "max_length":
            return "searcher.max_length: give max_time and time_metric instead"
        fields = [*Watched.__dataclass_fields__, *SEARCHERS[name].__dataclass_fields__]
        return f"searcher.{key}: no such key; {name} has {', '.join(fields)}"
    return f"searcher.{key}={first['input']!r}: {first['msg']}"
