"""What an experiment configuration for Determined 0.38 asks for: searcher, budget and space."""

import shlex
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

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
from seentwice.sweeps.grid import count_grid, pick_from_grid
from seentwice.sweeps.plan_file import read_yaml
from seentwice.sweeps.plan_keys import refuse_unknown
from seentwice.sweeps.searcher import Searcher, Unstopped
from seentwice.sweeps.space import SearchSpace, Value, read_space, sample_values

_CLOSED = ConfigDict(extra="forbid")
_NEEDED = ("name", "entrypoint", "searcher", "hyperparameters")
_READ = (*_NEEDED, "max_restarts", "reproducibility")
_KEYS_OF_THE_MASTER = (
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
)
"""Keys at the top that a cluster reads and that mean nothing here."""

MAX_RESTARTS = 5  # the master's default
LARGEST_SEED = 2**32 - 1  # that the master takes
MOST_TRIALS = 100_000  # each is a folder, and a row of every table

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


class PlanError(UserError):
    """What the file of a plan says cannot be done; the message begins with its key."""


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
            UserError: a grid of a range without `count`, or more trials than `MOST_TRIALS`.
        """
        chosen = self.searcher
        if isinstance(chosen, Single):
            return Unstopped(1, 1, replaces=False)
        if isinstance(chosen, Grid):
            trials = count_grid(self.space)
            if trials > MOST_TRIALS:
                raise UserError(
                    f"hyperparameters: a grid of {trials:,} trials, of at most {MOST_TRIALS:,}; "
                    "give fewer values, or let searcher.name=random draw some"
                )
            return Unstopped(trials, chosen.max_concurrent_trials, replaces=False)
        if chosen.max_trials > MOST_TRIALS:
            raise UserError(f"searcher.max_trials={chosen.max_trials}: at most {MOST_TRIALS:,}")
        if isinstance(chosen, Random):
            return Unstopped(chosen.max_trials, chosen.max_concurrent_trials, replaces=True)
        return Asha(chosen, self.watched.smaller_is_better)

    def values_of(self, trial: int, seed: int) -> dict[str, Value]:
        """Return the hyperparameters of a trial, by the dotted paths of their keys."""
        if isinstance(self.searcher, Grid):
            return pick_from_grid(self.space, trial)
        return sample_values(self.space, seed, trial)


def read_plan(path: Path) -> Plan:
    """Read an experiment configuration.

    Raises:
        UserError: the file is not there, or no YAML; a key is missing, given twice, unknown to the
            master, or has a wrong value; there are too many trials. The message names the file and
            the key, or the line.
    """
    values = read_yaml(path)
    try:
        plan = _read_keys(values)
        plan.open_searcher()  # refuses too many trials, and a grid of a range without a count
    except UserError as error:
        raise UserError(f"{path}: {error}") from error
    except RecursionError as error:
        raise UserError(f"{path}: hyperparameters: nested too deeply") from error
    return plan


@contextmanager
def name_file(path: Path) -> Iterator[None]:
    """Let errors of a plan in the block begin with its file, as those of `read_plan` do.

    Raises:
        UserError: in place of a `PlanError`.
    """
    try:
        yield
    except PlanError as error:
        raise UserError(f"{path}: {error}") from error


def _read_keys(values: object) -> Plan:
    if not isinstance(values, Mapping):
        raise UserError(f"give keys with values: {', '.join(_NEEDED)}")
    refuse_unknown(values, sorted([*_READ, *_KEYS_OF_THE_MASTER]), "", "an experiment")
    for key in _NEEDED:
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
    if isinstance(value, Mapping):
        refuse_unknown(value, ["experiment_seed"], "reproducibility", "it")
    try:
        return TypeAdapter(Reproducibility).validate_python(value).experiment_seed
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(["reproducibility", *map(str, first["loc"])])
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
    _refuse_former(given, SEARCHERS[name])
    fields = [*Watched.__dataclass_fields__, *SEARCHERS[name].__dataclass_fields__]
    refuse_unknown(given, fields, "searcher", name)
    watched = {key: given.pop(key) for key in Watched.__dataclass_fields__ if key in given}
    try:
        return (
            TypeAdapter(Watched).validate_python(watched),
            TypeAdapter(SEARCHERS[name]).validate_python(given),
        )
    except ValidationError as error:
        raise UserError(_explain(error, name)) from error


def _refuse_former(given: Mapping[str, object], kind: type[SearcherSettings]) -> None:
    """Say what took the place of keys that the master takes from former versions and reads not.

    Raises:
        UserError: there is one.
    """
    if "max_length" in given:
        instead = "leave it out; training.epochs says how long a trial trains"
        if kind is AdaptiveAsha:
            instead = "give max_time and time_metric instead"
        raise UserError(f"searcher.max_length: {instead}")
    if "stop_once" in given and kind is AdaptiveAsha:
        raise UserError("searcher.stop_once: leave it out; a trial that is stopped never goes on")


def _explain(error: ValidationError, name: str) -> str:
    first = error.errors()[0]
    key = ".".join(map(str, first["loc"]))
    if first["type"] == "missing":
        return f"searcher: {name} needs {key}"
    return f"searcher.{key}={first['input']!r}: {first['msg']}"
