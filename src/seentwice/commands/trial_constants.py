"""Refuse a constant of a plan that no trial can be trained with, before the first is."""

from collections.abc import Mapping, Sequence

from seentwice.commands.application import compose_words
from seentwice.commands.trial_words import words_of_values
from seentwice.errors import UserError
from seentwice.sweeps.plan import Plan, PlanError
from seentwice.sweeps.space import Const


def check_constants(plan: Plan, words: Sequence[str]) -> None:
    """Read every setting of the first trial, as its training will.

    What is wrong by its drawn values is no fault of the plan: another trial has others.

    Args:
        plan: the sweep's, whose hyperparameters can be composed, see `check_plan`.
        words: the overrides of every trial.

    Raises:
        PlanError: a constant is impossible, whatever the other values; or all of them together.
        UserError: the words are.
    """
    constants = {key: one.val for key, one in plan.space.items() if isinstance(one, Const)}
    told = _tell_fault(words, plan.values_of(0, plan.seed))
    if told is None:
        return
    if _tell_fault(words, {}) == told:
        raise UserError(told)
    for key, value in constants.items():
        if _tell_fault(words, {key: value}) == told:
            raise PlanError(f"hyperparameters.{key}: {told}")
    if _tell_fault(words, constants) == told:
        raise PlanError(f"hyperparameters: {told}")


def _tell_fault(words: Sequence[str], values: Mapping[str, object]) -> str | None:
    """Return why nothing can be trained with the values; None where it can."""
    # Imported here: it imports torch, for which no --help should wait.
    from seentwice.commands.training_job import check_values, with_absolute_paths

    own = [*words, *words_of_values(values)]
    try:
        check_values(with_absolute_paths(compose_words("train", own)), own)
    except UserError as error:
        return str(error)
    return None
