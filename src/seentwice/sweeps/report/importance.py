"""Which hyperparameters decide how well a trial ranks.

A random forest learns the rank from the hyperparameters; what matters is how much its error grows
where one of them is mixed up, on trials that a tree has not seen (Breiman 2001, "Random Forests",
section 10). Half of that is the share of the variance that the hyperparameter decides, alone or
with others, its total Sobol index (Gregorutti et al. 2017, arXiv:1310.5726). scikit-learn's forest
and not Optuna's evaluators: those take complete trials alone, of which successive halving leaves
few.
"""

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from seentwice.sweeps.ranking import NEVER_WIN, find_best_point, trained_time
from seentwice.sweeps.results import SweepResults
from seentwice.sweeps.space import Categorical, Hyperparameter, Value
from seentwice.sweeps.trials import Trial

FEWEST_TRIALS = 4
TREES = 100

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Importance:
    """Of hyperparameters, among trials that trained equally long."""

    time: int  # of training: a trial's rank is that of its best metric up to here
    trials: int  # that trained so long
    explained: float  # share of the variance of ranks of unseen trials, at most 1, below 0 for none
    shares: dict[str, float]  # of that variance, by path; an estimate, so it may be below 0

    @property
    def tells(self) -> bool:
        """Whether it is more than chance.

        Where ranks were drawn by lot, at most 2 forests of 40 explained so much, for each of 4, 6,
        8, 12, 16 and 30 trials with 4 hyperparameters; above 0 came up to 6 of 40.
        """
        return self.explained > 1 / math.sqrt(self.trials)


def measure_importance(results: SweepResults) -> tuple[Importance, ...]:
    """Return the importances at each rung that enough trials reached, the first rung first.

    A trial that was stopped early has a worse best metric for that alone, so only what it reached
    up to the same training time as the others counts. Where nothing is stopped, that is the
    shortest training of any trial that is not under way.
    """
    able = [trial for trial in results.trials if trial.curve and trial.status not in NEVER_WIN]
    found = []
    for time in _times(able, results):
        trials = [trial for trial in able if trained_time(trial) >= time]
        features = _encode(trials, results)
        ranks = _rank_at(time, trials, results)
        if len(trials) >= FEWEST_TRIALS and features and np.ptp(ranks):
            found.append(_measure(time, features, ranks))
    return tuple(found)


def _times(trials: Sequence[Trial], results: SweepResults) -> list[int]:
    if results.brackets:
        return sorted({rung for bracket in results.brackets for rung in bracket.rungs})
    ended = [trained_time(trial) for trial in trials if trial.status != "running"]
    return [min(ended)] if ended else []


def _encode(trials: Sequence[Trial], results: SweepResults) -> dict[str, Floats]:
    """Return the hyperparameters that differ among n trials, each as (n,) numbers."""
    features = {}
    for key in results.varied:
        values = [trial.values.get(key) for trial in trials]
        numbers = np.array(_number(values, results.space[key]))
        if len(set(numbers.tolist())) > 1:
            features[key] = numbers
    return features


def _number(values: Sequence[Value], parameter: Hyperparameter) -> list[float]:
    if isinstance(parameter, Categorical):
        codes = {json.dumps(choice): code for code, choice in enumerate(parameter.vals)}
        return [float(codes.get(json.dumps(value), -1)) for value in values]
    # Trees ask for the order of numbers alone, so a logarithm would change nothing.
    return [float(value) if isinstance(value, int | float) else -1.0 for value in values]


def _rank_at(time: int, trials: Sequence[Trial], results: SweepResults) -> Floats:
    """Return the ranks (n,) from 0 to 1; ranks, since one diverged loss outweighs all the rest."""
    sign = 1 if results.smaller_is_better else -1
    best = []
    for trial in trials:
        early = [point for point in trial.curve if point.time <= time]
        point = find_best_point(early or trial.curve[:1], results.smaller_is_better)
        assert point is not None  # every trial here is measured
        best.append(sign * point.metric)
    ranks: Floats = rankdata(best) / max(1, len(best))
    return ranks


def _measure(time: int, features: dict[str, Floats], ranks: Floats) -> Importance:
    # Loading it takes a second, which not every command with sweeps in it needs.
    from sklearn.ensemble import RandomForestRegressor

    inputs = np.stack(list(features.values()), axis=1)
    forest = RandomForestRegressor(TREES, oob_score=True, random_state=0).fit(inputs, ranks)
    generator = np.random.default_rng(0)
    lost = np.zeros((TREES, inputs.shape[1]))
    for number, (tree, drawn) in enumerate(
        zip(forest.estimators_, forest.estimators_samples_, strict=True)
    ):
        unseen = np.setdiff1d(np.arange(len(ranks)), drawn)
        if len(unseen) == 0:
            continue
        # The rows as they are, then once for each column with a value of any trial there, for few
        # are unseen by one tree; all at once, since each call of a tree takes long to begin.
        mixed = np.repeat(inputs[None, unseen], inputs.shape[1] + 1, axis=0)
        for column in range(inputs.shape[1]):
            mixed[column + 1, :, column] = generator.choice(inputs[:, column], len(unseen))
        told = tree.predict(mixed.reshape(-1, inputs.shape[1])).reshape(len(mixed), -1)
        errors = np.mean((told - ranks[unseen]) ** 2, axis=1)
        lost[number] = errors[1:] - errors[0]
    shares = lost.mean(axis=0) / (2 * ranks.var())
    return Importance(
        time,
        len(ranks),
        float(forest.oob_score_),
        dict(zip(features, shares.tolist(), strict=True)),
    )
