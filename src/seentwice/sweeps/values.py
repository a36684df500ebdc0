"""Which hyperparameters a trial gets."""

from collections.abc import Mapping, Sequence
from enum import StrEnum

import numpy as np
import optuna
from optuna.samplers import TPESampler
from optuna.trial import TrialState

from seentwice.errors import UserError
from seentwice.sweeps.optuna_trials import find_state, list_distributions, to_optuna, to_values
from seentwice.sweeps.plan import Grid, Plan
from seentwice.sweeps.space import Value
from seentwice.sweeps.trials import Trial


class Sampler(StrEnum):
    """Who chooses the values of trials."""

    SEARCHER = "searcher"  # as on a cluster: by chance, or of the grid
    TPE = "tpe"  # a model of where good ones lie, by the trials before (Bergstra et al. 2011)


def choose_sampler(name: str, plan: Plan) -> Sampler:
    """Return the sampler of that name.

    Raises:
        UserError: there is none, or the plan leaves it nothing to choose.
    """
    if name not in list(Sampler):
        raise UserError(f"sampler={name}: choose one of {', '.join(Sampler)}")
    sampler = Sampler(name)
    if sampler is Sampler.TPE and isinstance(plan.searcher, Grid):
        raise UserError("sampler=tpe: a grid says all values itself; leave the sampler out")
    return sampler


def choose_values(
    plan: Plan, sampler: Sampler, trials: Sequence[Trial], number: int
) -> Mapping[str, Value]:
    """Return the hyperparameters of a trial: those that it began with, if it did.

    They follow from the arguments alone.

    Args:
        plan: Of the sweep.
        sampler: Who chooses.
        trials: All of the sweep, as they are when the trial is claimed.
        number: Of the trial, among them.
    """
    if trials[number].folder:
        return trials[number].values
    if sampler is Sampler.SEARCHER:
        return plan.values_of(number, plan.seed)
    return _ask_tpe(plan, trials, number)


def _ask_tpe(plan: Plan, trials: Sequence[Trial], number: int) -> dict[str, Value]:
    """Ask in a study of its own, which holds the trials by the log: no other row sways it."""
    seed = np.random.SeedSequence([plan.seed, number]).generate_state(1)[0]
    smaller_is_better = plan.watched.smaller_is_better
    study = optuna.create_study(
        sampler=TPESampler(seed=int(seed)),  # trials that run count as bad ones: none beside them
        direction="minimize" if smaller_is_better else "maximize",
    )
    for trial in trials:
        state = find_state(trial)
        if trial.folder and state != TrialState.FAIL:
            study.add_trial(to_optuna(trial, plan.space, state, smaller_is_better))
    return to_values(plan.space, study.ask(list_distributions(plan.space)).params)
