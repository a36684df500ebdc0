"""How far a metric would move if other homes had been photographed: a bootstrap over clusters.

What is drawn and how pairs are weighed is told in `resampling`, differences between two detectors
are in `paired`.
"""

import numpy as np
from numpy.typing import ArrayLike

from seentwice.curves import Floats, as_bools, divide, rank_pairs, sum_by_group
from seentwice.metrics import JudgedPairs, judge_pairs
from seentwice.records import Interval
from seentwice.resampling import (
    Resampling,
    draw_metrics,
    make_interval,
    measure_all,
    plan_resampling,
    require_length,
)


def bootstrap_intervals(
    label: ArrayLike,
    score: ArrayLike,
    decision: ArrayLike,
    left_cluster: ArrayLike,
    right_cluster: ArrayLike,
    *,
    resamples: int = 1000,
    seed: int = 0,
    level: float = 0.95,
) -> dict[str, Interval]:
    """Every metric of `pair_metrics` with its confidence interval.

    Args:
        label: (n,) bool, whether the pair is a duplicate.
        score: (n,) in [0, 1].
        decision: (n,) bool, whether the pair was called a duplicate.
        left_cluster: (n,) int, the home or place of each pair's left photo.
        right_cluster: (n,) int, the same for its right photo, from the same numbering.
        resamples: How many times the clusters are drawn.
        seed: Equal seeds and clusters give equal resamples.
        level: Coverage of the intervals, in (0, 1).

    Returns:
        name -> interval, whose value is the plain metric of all pairs.

    Raises:
        ValueError: If the lengths differ, a score lies outside [0, 1], or there is no resample.
    """
    plan = plan_resampling(left_cluster, right_cluster, resamples=resamples, seed=seed)
    judged = judge_by_clusters(label, score, decision, plan)
    [draws] = draw_metrics(plan, [judged.measure], judged.steps.floats)
    return {
        name: make_interval(plan, value, draws[name], level)
        for name, value in measure_all(plan, judged.measure).items()
    }


def bootstrap_ranking(
    label: ArrayLike,
    score: ArrayLike,
    left_cluster: ArrayLike,
    right_cluster: ArrayLike,
    *,
    resamples: int = 1000,
    seed: int = 0,
    level: float = 0.95,
) -> dict[str, Interval]:
    """`average_precision` and `roc_auc` alone, for scores on any finite scale.

    Arguments and errors are those of `bootstrap_intervals`, without decisions.
    """
    plan = plan_resampling(left_cluster, right_cluster, resamples=resamples, seed=seed)
    ranking = rank_pairs(label, score)
    require_length(plan, len(ranking.order))
    sums = ranking.sum_steps(plan.group, plan.groups)

    def measure(weight: Floats) -> dict[str, Floats]:
        steps = sums.weigh(weight)
        return {"average_precision": steps.average_precision(), "roc_auc": steps.roc_auc()}

    [draws] = draw_metrics(plan, [measure], sums.floats)
    return {
        name: make_interval(plan, value, draws[name], level)
        for name, value in measure_all(plan, measure).items()
    }


def bootstrap_share(
    hits: ArrayLike,
    left_cluster: ArrayLike,
    right_cluster: ArrayLike,
    *,
    resamples: int = 1000,
    seed: int = 0,
    level: float = 0.95,
) -> Interval:
    """The share of pairs that are hits, and its confidence interval.

    Args:
        hits: (n,) bool.
        left_cluster: (n,) int, as in `bootstrap_intervals`.
        right_cluster: (n,) int, as in `bootstrap_intervals`; the left one for what has one side.
        resamples: How many times the clusters are drawn.
        seed: Equal seeds and clusters give equal resamples.
        level: Coverage of the interval, in (0, 1).

    Raises:
        ValueError: If the lengths differ, `hits` is not bool or there is no resample.
    """
    plan = plan_resampling(left_cluster, right_cluster, resamples=resamples, seed=seed)
    hit = as_bools("hits", hits)
    require_length(plan, len(hit))
    pairs = sum_by_group(plan.group, np.ones_like(hit), plan.groups)
    hits_of = sum_by_group(plan.group, hit, plan.groups)

    def measure(weight: Floats) -> dict[str, Floats]:
        return {"share": divide(hits_of @ weight, pairs @ weight)}

    [draws] = draw_metrics(plan, [measure], 0)
    return make_interval(plan, float(hit.mean()), draws["share"], level)


def judge_by_clusters(
    label: ArrayLike, score: ArrayLike, decision: ArrayLike, plan: Resampling
) -> JudgedPairs:
    """Prepare one detector's pairs for the resamples of a plan.

    Raises:
        ValueError: If the lengths differ or a score lies outside [0, 1].
    """
    require_length(plan, len(np.asarray(label)))
    return judge_pairs(label, score, decision, plan.group, plan.groups)
