"""The overrides that a trial of a sweep is trained with, checked before any trial starts."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice

from omegaconf import DictConfig, OmegaConf

from seentwice.commands.application import compose_words
from seentwice.commands.next_steps import spell_value
from seentwice.commands.overrides import key_of
from seentwice.commands.settings import read_source
from seentwice.errors import UserError
from seentwice.sweeps.plan import AdaptiveAsha, Plan, PlanError
from seentwice.sweeps.space import Categorical, sample_values

_ENTRY = "seentwice.commands.train"
_TIME = "epochs"  # what a trial's training is counted by
_REGISTER = "tracking.register"
_NOT_REGISTERED = (
    "a sweep registers none of its trials; leave it out, and give it to seentwice train with the "
    "overrides of the best"
)
PHOTOS_OF = "photos of "  # begins the keys by which workers agree on photos
SMALLER_IS_BETTER = {
    "validation_loss": True,
    "validation_average_precision": False,
}
"""The metrics of every epoch that a cluster's searcher reads; of the first, embedding heads have
none. Not `train_loss`, which the master keeps among those of the training."""


def words_of_trials(plan: Plan, given: Sequence[str]) -> list[str]:
    """Return the overrides of every trial: the entrypoint's, or those given in their place.

    Raises:
        PlanError: the entrypoint is not the training of this package, so only a cluster can run it.
        UserError: a word is given of which the plan chooses the value.
    """
    words = list(plan.entrypoint)
    if _ENTRY not in words:
        raise PlanError(
            f"entrypoint: {' '.join(words)!r} cannot be swept on this machine: give python3 -m "
            f"{_ENTRY} key=value"
        )
    own = words[words.index(_ENTRY) + 1 :]
    for word in own:
        if word.startswith("-"):
            raise PlanError(f"entrypoint: {word} is of no use on this machine; leave it out")
    for word in given:
        if key_of(word) in plan.space:
            raise UserError(
                f"{word}: the sweep chooses it for every trial; change hyperparameters."
                f"{key_of(word)} in its file instead"
            )
    replaced = {key_of(word) for word in given}
    return [*(word for word in own if key_of(word) not in replaced), *sorted(given)]


def words_of_values(values: Mapping[str, object]) -> list[str]:
    """Return a trial's hyperparameters as overrides."""
    return [f"{key}={spell_value(value)}" for key, value in values.items()]


def name_photos(config: DictConfig) -> str:
    """Return the key by which workers agree on the photos of a trial.

    Args:
        config: as composed: paths that were made absolute differ from machine to machine.
    """
    return PHOTOS_OF + OmegaConf.to_yaml(config.data, resolve=True)


def check_plan(plan: Plan, words: Sequence[str]) -> tuple[DictConfig, list[str]]:
    """Compose the first trial, and so with every other choice of a categorical hyperparameter.

    Args:
        plan: the sweep's.
        words: the overrides of every trial.

    Returns:
        The configuration of the first trial, and what to know of the plan beside it.

    Raises:
        PlanError: a hyperparameter or a choice does not exist or would register trials, or the
            searcher goes by what no training reports.
        UserError: a key of the words does not exist or registers trials, or the data lack a value.
    """
    _check_metric(plan)
    if _REGISTER in plan.space:
        raise PlanError(f"hyperparameters.{_REGISTER}: {_NOT_REGISTERED}")
    first = sample_values(plan.space, plan.seed, 0)
    config = _compose(words, first)
    read_source(config)
    if config.tracking.register is not None:
        raise UserError(f"{_REGISTER}={config.tracking.register}: {_NOT_REGISTERED}")
    for key, parameter in plan.space.items():
        for value in parameter.vals if isinstance(parameter, Categorical) else ():
            if value != first[key]:
                read_source(_compose(words, {**first, key: value}))
    return config, list(_remark_on(plan, config))


def _compose(words: Sequence[str], values: Mapping[str, object]) -> DictConfig:
    """Compose a trial.

    Args:
        words: the overrides of every trial.
        values: its own.

    Raises:
        PlanError: the values do not fit; it names the first that does not, by itself.
        UserError: the words do not, whatever the values.
    """
    try:
        return compose_words("train", [*words, *words_of_values(values)])
    except UserError as error:
        if _tell_error(words, {}) == str(error):
            raise
        alike = (key for key in values if _tell_error(words, {key: values[key]}) == str(error))
        path = ".".join(["hyperparameters", *islice(alike, 1)])
        raise PlanError(f"{path}: {error}") from error


def _tell_error(words: Sequence[str], values: Mapping[str, object]) -> str | None:
    """Return why nothing can be composed of the words with the values; None where it can."""
    try:
        compose_words("train", [*words, *words_of_values(values)])
    except UserError as error:
        return str(error)
    return None


def _check_metric(plan: Plan) -> None:
    """Refuse a metric that no training has, and one of which the worst would be taken for the best.

    Raises:
        PlanError: it is such.
    """
    metric = plan.watched.metric
    if metric not in SMALLER_IS_BETTER:
        raise PlanError(f"searcher.metric={metric}: choose one of {', '.join(SMALLER_IS_BETTER)}")
    smaller = SMALLER_IS_BETTER[metric]
    if plan.watched.smaller_is_better != smaller:
        raise PlanError(
            f"searcher.smaller_is_better: give {str(smaller).lower()} with searcher.metric={metric}"
        )


def _remark_on(plan: Plan, config: DictConfig) -> Iterator[str]:
    metric, monitor = plan.watched.metric, f"validation_{config.training.monitor}"
    if metric != monitor:
        yield (
            f"searcher.metric={metric}, but training.monitor={config.training.monitor}: a trial's "
            "checkpoint is that of its best epoch by the latter"
        )
    if not isinstance(plan.searcher, AdaptiveAsha):
        return
    if plan.searcher.time_metric != _TIME:
        raise PlanError(f"searcher.time_metric={plan.searcher.time_metric}: choose {_TIME}")
    if config.training.epochs < plan.searcher.max_time:
        yield (
            f"training.epochs={config.training.epochs} are fewer than searcher.max_time="
            f"{plan.searcher.max_time}: no trial comes to the last rung"
        )
