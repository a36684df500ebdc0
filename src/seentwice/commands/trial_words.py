"""The overrides that a trial of a sweep is trained with, checked before any trial starts."""

from collections.abc import Mapping, Sequence

from seentwice.commands.application import compose_words
from seentwice.commands.next_steps import spell_value
from seentwice.commands.overrides import key_of
from seentwice.commands.settings import read_source
from seentwice.data.source import Source
from seentwice.errors import UserError
from seentwice.sweeps.plan import Plan
from seentwice.sweeps.space import Categorical, sample_values

_ENTRY = "seentwice.commands.train"


def words_of_trials(plan: Plan, given: Sequence[str]) -> list[str]:
    """Return the overrides of every trial: the entrypoint's, or those given in their place.

    Raises:
        UserError: the entrypoint is not the training of this package, so only a cluster can run
            it; or a word is given of which the plan chooses the value.
    """
    words = list(plan.entrypoint)
    if _ENTRY not in words:
        raise UserError(
            f"entrypoint: {' '.join(words)!r} cannot be swept on this machine: give python3 -m "
            f"{_ENTRY} key=value"
        )
    for word in given:
        if key_of(word) in plan.space:
            raise UserError(
                f"{word}: the sweep chooses it for every trial; change hyperparameters."
                f"{key_of(word)} in its file instead"
            )
    replaced = {key_of(word) for word in given}
    own = words[words.index(_ENTRY) + 1 :]
    return [*(word for word in own if key_of(word) not in replaced), *given]


def words_of_values(values: Mapping[str, object]) -> list[str]:
    """Return a trial's hyperparameters as overrides."""
    return [f"{key}={spell_value(value)}" for key, value in values.items()]


def check_plan(plan: Plan, words: Sequence[str]) -> Source:
    """Compose the first trial, and so with every other choice of a categorical hyperparameter.

    Args:
        plan: the sweep's.
        words: the overrides of every trial.

    Returns:
        The data of the first trial.

    Raises:
        UserError: a key or a choice does not exist, or the data lack a value.
    """
    first = sample_values(plan.space, plan.seed, 0)
    source = read_source(compose_words("train", [*words, *words_of_values(first)]))
    for key, parameter in plan.space.items():
        for value in parameter.vals if isinstance(parameter, Categorical) else ():
            if value != first[key]:
                compose_words("train", [*words, *words_of_values({**first, key: value})])
    return source
