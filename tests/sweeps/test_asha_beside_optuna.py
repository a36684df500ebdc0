"""Where both have the same rungs, the searcher decides as Optuna's successive halving."""

import random

import optuna
from hypothesis import given, settings
from hypothesis import strategies as st
from optuna.pruners import SuccessiveHalvingPruner
from optuna.trial import TrialState

from seentwice.sweeps.asha import Asha
from seentwice.sweeps.brackets import AshaSettings
from seentwice.sweeps.searcher import Stop


def train_one_after_another_by_asha(search: Asha, curves: list[list[float]]) -> list[int]:
    """Return after how many epochs each trial stopped."""
    search.start()
    stopped = []
    for trial, curve in enumerate(curves):
        for time, metric in enumerate(curve, 1):
            if Stop(trial) in search.report(trial, time, metric):
                break
        stopped.append(time)
    return stopped


def train_one_after_another_by_optuna(study: optuna.Study, curves: list[list[float]]) -> list[int]:
    stopped = []
    for curve in curves:
        trial = study.ask()
        for time, metric in enumerate(curve, 1):
            trial.report(metric, time)
            if trial.should_prune():
                study.tell(trial, state=TrialState.PRUNED)
                break
        else:
            study.tell(trial, curve[-1])
        stopped.append(time)
    return stopped


@settings(max_examples=30)
@given(
    divisor=st.sampled_from([2, 3, 4]),
    rungs=st.integers(1, 3),
    first_power=st.integers(0, 1),
    trials=st.integers(1, 12),
    smaller_is_better=st.booleans(),
    chance=st.randoms(use_true_random=False),
)
def test_decides_as_optuna_one_trial_after_another(
    divisor: int,
    rungs: int,
    first_power: int,
    trials: int,
    smaller_is_better: bool,
    chance: random.Random,
):
    time = divisor ** (first_power + rungs - 1)
    budget = AshaSettings(
        trials, time, divisor=divisor, bracket_rungs=(rungs,), max_concurrent_trials=1
    )
    search = Asha(budget, smaller_is_better)
    first = search.brackets[0].rungs[0]
    assert first == divisor**first_power
    study = optuna.create_study(
        pruner=SuccessiveHalvingPruner(min_resource=first, reduction_factor=divisor),
        direction="minimize" if smaller_is_better else "maximize",
    )
    # Few values, so that there are equals.
    curves = [[float(chance.randint(0, 6)) for _ in range(time)] for _ in range(trials)]
    assert train_one_after_another_by_asha(search, curves) == train_one_after_another_by_optuna(
        study, curves
    )
    assert search.running == ()
