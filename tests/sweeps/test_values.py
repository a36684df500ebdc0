"""Who chooses the hyperparameters of a trial."""

import math
from dataclasses import replace

import pytest
from example_plans import plan_asha, plan_with

from seentwice.errors import UserError
from seentwice.sweeps.optuna_trials import list_distributions, to_params
from seentwice.sweeps.plan import Grid
from seentwice.sweeps.state import SweepState
from seentwice.sweeps.trials import Point, Trial
from seentwice.sweeps.values import Sampler, choose_sampler, choose_values

PLAN = replace(plan_asha(), seed=3)
(FIRST, _) = SweepState(PLAN).trials


def finished(number: int) -> Trial:
    """Return a trial that is the better the nearer its learning rate is to 0.001."""
    values = PLAN.values_of(number, seed=11)
    metric = abs(math.log10(values["optimizer.lr"]) + 3.0)
    return replace(
        FIRST,
        number=number,
        status="finished" if number % 3 else "stopped",
        values=values,
        curve=(Point(1, metric, 0.0),),
        folder="/trial",
        checkpoint="/checkpoint",
    )


def test_the_searcher_chooses_as_on_a_cluster():
    trials = SweepState(PLAN).trials
    for number in (0, 1):
        chosen = choose_values(PLAN, Sampler.SEARCHER, trials, number)
        assert chosen == PLAN.values_of(number, 3)


@pytest.mark.parametrize("sampler", Sampler)
def test_a_trial_that_began_keeps_its_values(sampler):
    begun = finished(0)
    assert choose_values(PLAN, sampler, [begun], 0) == begun.values


def test_a_model_chooses_by_the_trials_before():
    before = [finished(number) for number in range(30)]
    before[5] = replace(before[5], status="failed")
    before[6] = replace(before[6], status="running")
    before[7] = replace(before[7], status="impossible", curve=())
    trials = [*before, *(replace(FIRST, number=30 + n) for n in range(10))]
    chosen = [choose_values(PLAN, Sampler.TPE, trials, number) for number in range(30, 40)]
    for values in chosen:
        assert list(values) == list(PLAN.space)
        assert values["seed"] == 7
        for key, param in to_params(PLAN.space, values).items():
            assert list_distributions(PLAN.space)[key]._contains(
                list_distributions(PLAN.space)[key].to_internal_repr(param)
            )
    assert chosen == [choose_values(PLAN, Sampler.TPE, trials, number) for number in range(30, 40)]
    assert len({values["optimizer.lr"] for values in chosen}) == 10
    distances = [abs(math.log10(values["optimizer.lr"]) + 3.0) for values in chosen]
    assert sum(distances) / len(distances) < 0.25  # 0.5 by chance


def test_a_model_begins_by_chance():
    trials = SweepState(PLAN).trials
    assert choose_values(PLAN, Sampler.TPE, trials, 0) != choose_values(
        PLAN, Sampler.TPE, trials, 1
    )


def test_samplers_by_name():
    assert choose_sampler("tpe", PLAN) is Sampler.TPE
    assert choose_sampler("searcher", plan_with(Grid())) is Sampler.SEARCHER
    with pytest.raises(UserError, match="sampler=best: choose one of searcher, tpe"):
        choose_sampler("best", PLAN)
    with pytest.raises(UserError, match="sampler=tpe: a grid says all values itself"):
        choose_sampler("tpe", plan_with(Grid()))
