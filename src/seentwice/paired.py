"""Two detectors on the same pairs: by how much one is better, and whether that may be chance."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import binom

from seentwice.bootstrap import judge_by_clusters
from seentwice.curves import as_bools
from seentwice.records import Interval
from seentwice.resampling import draw_metrics, make_interval, measure_all, plan_resampling


@dataclass(frozen=True, slots=True)
class McNemarTest:
    """Of the pairs that two detectors decide differently, how many each decides rightly."""

    only_ours: int
    only_theirs: int
    p_value: float  # in [0, 1]: the chance of a split this uneven, were either as likely


def bootstrap_difference(
    label: ArrayLike,
    score: ArrayLike,
    decision: ArrayLike,
    baseline_score: ArrayLike,
    baseline_decision: ArrayLike,
    left_cluster: ArrayLike,
    right_cluster: ArrayLike,
    *,
    resamples: int = 1000,
    seed: int = 0,
    level: float = 0.95,
) -> dict[str, Interval]:
    """By how much a detector beats a baseline on the same pairs and the same resamples.

    What makes a resample hard makes it hard for both, so the paired difference is far surer than
    two intervals that overlap suggest. The detector is better when `low` is above 0; by the errors
    `bce` and `ece`, when `high` is below 0.

    Args:
        label: (n,) bool, whether the pair is a duplicate.
        score: (n,) in [0, 1], the detector's.
        decision: (n,) bool, the detector's, at a threshold that other pairs chose.
        baseline_score: (n,) in [0, 1], the baseline's.
        baseline_decision: (n,) bool, the baseline's.
        left_cluster: (n,) int, as in `bootstrap_intervals`.
        right_cluster: (n,) int, as in `bootstrap_intervals`.
        resamples: How many times the clusters are drawn.
        seed: Equal seeds and clusters give equal resamples.
        level: Coverage of the intervals, in (0, 1).

    Returns:
        Every metric of `pair_metrics`, each detector minus baseline.

    Raises:
        ValueError: If the lengths differ, a score lies outside [0, 1], or there is no resample.
    """
    plan = plan_resampling(left_cluster, right_cluster, resamples=resamples, seed=seed)
    ours = judge_by_clusters(label, score, decision, plan)
    theirs = judge_by_clusters(label, baseline_score, baseline_decision, plan)
    our_draws, their_draws = draw_metrics(
        plan, [ours.measure, theirs.measure], ours.steps.floats + theirs.steps.floats
    )
    our_value, their_value = measure_all(plan, ours.measure), measure_all(plan, theirs.measure)
    return {
        name: make_interval(
            plan, our_value[name] - their_value[name], our_draws[name] - their_draws[name], level
        )
        for name in our_value
    }


def compare_decisions(
    label: ArrayLike, decision: ArrayLike, baseline_decision: ArrayLike
) -> McNemarTest:
    """McNemar's test of two detectors that decide the same pairs: exact, two-sided.

    Were both as accurate, a pair that one alone decides rightly would be either's with a chance of
    one half; the p-value is the binomial one, of however few or many such pairs (McNemar,
    Psychometrika 1947), and 1 where there is none. It takes the pairs for independent. Pairs of one
    home are not: they are wrong together, so p-values are too small, the more so the more pairs a
    home has. What holds for them is the interval of `accuracy` in `bootstrap_difference`.

    Args:
        label: (n,) bool.
        decision: (n,) bool, the detector's.
        baseline_decision: (n,) bool, the baseline's.

    Raises:
        ValueError: If the lengths differ or something is not bool.
    """
    labels, ours, theirs = (
        as_bools(name, each)
        for name, each in (
            ("label", label),
            ("decision", decision),
            ("baseline_decision", baseline_decision),
        )
    )
    if not labels.shape == ours.shape == theirs.shape:
        raise ValueError(
            f"label and decisions differ: {labels.shape}, {ours.shape}, {theirs.shape}"
        )
    differ = ours != theirs
    only_ours = int(np.count_nonzero(differ & (ours == labels)))
    only_theirs = int(np.count_nonzero(differ)) - only_ours
    # Of a symmetric distribution the two tails are equal; of an even split they overlap.
    tail = binom.cdf(min(only_ours, only_theirs), only_ours + only_theirs, 0.5)
    return McNemarTest(only_ours, only_theirs, min(1.0, 2 * float(tail)))
