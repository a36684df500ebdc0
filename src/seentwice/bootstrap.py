"""How far a metric would move if other homes had been photographed: a bootstrap over clusters.

Pairs are not independent: one home takes part in many of them, so resampling pairs would give
intervals that are far too narrow. A resample draws clusters (homes or places) with replacement; a
pair between two clusters counts as often as both were drawn together (the product of their counts:
the pigeonhole bootstrap of Owen, Annals of Applied Statistics 2007), and a pair inside one cluster
as often as that cluster was drawn. The product would be wrong for the latter: the square of a count
is 2 on average, so resamples would hold twice the duplicates and every interval would shift.

Intervals are percentiles over the resamples. A resample in which a metric is undefined, because it
happened to draw no duplicate for example, is left out of that metric's interval. Of one cluster
there is no interval: how far others would differ cannot be told.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike

from seentwice.curves import Curve, Floats, Ints, divide, rank_pairs
from seentwice.metrics import judge_pairs
from seentwice.records import Interval

# Weights, two cumulative sums, precision and their temporaries, all float64.
BYTES_PER_PAIR = 80
# Blocks are small because one resample of 200,000 pairs already fills the processor's cache.
BLOCK_BYTES = 32 * 1024**2


@dataclass(frozen=True, slots=True, eq=False)
class Resampling:
    """Which clusters the pairs join, and how to draw them again and again."""

    left: Ints  # (n,): cluster of the left photo, in 0..clusters-1
    right: Ints  # (n,): cluster of the right photo; `clusters` where it is the left one
    clusters: int
    resamples: int
    seed: int

    def weights(self, order: Ints) -> Iterator[Floats]:
        """Blocks of (resamples, n) weights of the pairs in this order, whole numbers as float64.

        A second call gives the same resamples, so two detectors that rank the pairs differently
        can be compared resample by resample.
        """
        generator = np.random.default_rng(self.seed)
        left, right = self.left[order], self.right[order]
        rows = max(1, BLOCK_BYTES // (BYTES_PER_PAIR * len(order)))
        for start in range(0, self.resamples, rows):
            counts = self._draw(generator, min(rows, self.resamples - start))
            yield counts.take(left, axis=1) * counts.take(right, axis=1)

    def _draw(self, generator: np.random.Generator, rows: int) -> Floats:
        """How often each cluster was drawn, (rows, clusters + 1); the last column is 1."""
        drawn = generator.integers(self.clusters, size=(rows, self.clusters))
        width = self.clusters + 1
        drawn += width * np.arange(rows)[:, np.newaxis]
        counts = np.bincount(drawn.ravel(), minlength=rows * width).reshape(rows, width)
        counts[:, -1] = 1
        return counts.astype(np.float64)


def plan_resampling(
    left_cluster: ArrayLike, right_cluster: ArrayLike, *, resamples: int = 1000, seed: int = 0
) -> Resampling:
    """Number the clusters of the pairs' photos and fix what will be drawn.

    Args:
        left_cluster: (n,) int, the home or place of each pair's left photo.
        right_cluster: (n,) int, the same for its right photo, from the same numbering.
        resamples: At least 1.
        seed: Equal seeds and clusters give equal resamples, whatever is measured on them.

    Raises:
        ValueError: If the lengths differ, there are no pairs, or there is no resample.
    """
    sides = np.stack([np.asarray(left_cluster), np.asarray(right_cluster)])
    if sides.ndim != 2 or not sides.size:
        raise ValueError(f"clusters must be (n,) with n > 0, got {sides.shape[1:]}")
    if resamples < 1:
        raise ValueError(f"resamples must be at least 1, got {resamples}")
    names, numbers = np.unique(sides, return_inverse=True)
    left, right = numbers.reshape(sides.shape)
    return Resampling(left, np.where(left == right, len(names), right), len(names), resamples, seed)


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
    judged = judge_pairs(label, score, decision)
    plan = plan_resampling(left_cluster, right_cluster, resamples=resamples, seed=seed)
    _require_length(plan, len(judged.ranking.order))
    blocks = [judged.measure(weight) for weight in plan.weights(judged.ranking.order)]
    plain = judged.measure(np.ones((1, len(judged.ranking.order))))
    return {
        name: _interval(plan, value[0], np.concatenate([block[name] for block in blocks]), level)
        for name, value in plain.items()
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
        ValueError: If the lengths differ or there is no resample.
    """
    plan = plan_resampling(left_cluster, right_cluster, resamples=resamples, seed=seed)
    hit = np.asarray(hits, dtype=bool)
    _require_length(plan, len(hit))
    # Pairs that join the same two clusters always have the same weight, so they are counted once.
    width = plan.clusters + 1
    joined, group = np.unique(plan.left * width + plan.right, return_inverse=True)
    grouped = replace(plan, left=joined // width, right=joined % width)
    pairs = np.bincount(group).astype(np.float64)
    hits_of = np.bincount(group, weights=hit)
    draws = [
        divide(weight @ hits_of, weight @ pairs)
        for weight in grouped.weights(np.arange(len(joined)))
    ]
    return _interval(plan, float(hit.mean()), np.concatenate(draws), level)


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

    Arguments and errors are those of `bootstrap_difference`, without a baseline.
    """
    plan = plan_resampling(left_cluster, right_cluster, resamples=resamples, seed=seed)
    plain, draws = _rank_metrics(label, score, plan)
    return {name: _interval(plan, plain[name], draws[name], level) for name in plain}


def bootstrap_difference(
    label: ArrayLike,
    score: ArrayLike,
    baseline_score: ArrayLike,
    left_cluster: ArrayLike,
    right_cluster: ArrayLike,
    *,
    resamples: int = 1000,
    seed: int = 0,
    level: float = 0.95,
) -> dict[str, Interval]:
    """By how much a detector beats a baseline on the same pairs and the same resamples.

    What makes a resample hard makes it hard for both, so the paired difference is far surer than
    two intervals that overlap suggest. The detector is better when `low` is above 0.

    Args:
        label: (n,) bool, whether the pair is a duplicate.
        score: (n,), the detector; any finite scale, since only the ranking counts here.
        baseline_score: (n,), the baseline, on its own scale.
        left_cluster: (n,) int, as in `bootstrap_intervals`.
        right_cluster: (n,) int, as in `bootstrap_intervals`.
        resamples: How many times the clusters are drawn.
        seed: Equal seeds and clusters give equal resamples.
        level: Coverage of the intervals, in (0, 1).

    Returns:
        `average_precision` and `roc_auc`, each detector minus baseline, in [-1, 1].

    Raises:
        ValueError: If the lengths differ or there is no resample.
    """
    plan = plan_resampling(left_cluster, right_cluster, resamples=resamples, seed=seed)
    (ours, our_draws), (theirs, their_draws) = (
        _rank_metrics(label, scores, plan) for scores in (score, baseline_score)
    )
    return {
        name: _interval(plan, ours[name] - theirs[name], our_draws[name] - their_draws[name], level)
        for name in ours
    }


def _rank_metrics(
    label: ArrayLike, score: ArrayLike, plan: Resampling
) -> tuple[dict[str, float], dict[str, Floats]]:
    """The metrics of all pairs, and of every resample, (resamples,)."""
    ranking = rank_pairs(label, score)
    _require_length(plan, len(ranking.order))
    plain = _measure_ranks(ranking.curve(np.ones((1, len(ranking.order)))))
    blocks = [_measure_ranks(ranking.curve(weight)) for weight in plan.weights(ranking.order)]
    draws = {name: np.concatenate([block[name] for block in blocks]) for name in plain}
    return {name: float(value[0]) for name, value in plain.items()}, draws


def _measure_ranks(curve: Curve) -> dict[str, Floats]:
    return {"average_precision": curve.average_precision(), "roc_auc": curve.roc_auc()}


def _require_length(plan: Resampling, pairs: int) -> None:
    if len(plan.left) != pairs:
        raise ValueError(f"{pairs} pairs have clusters for {len(plan.left)}")


def _interval(plan: Resampling, value: float, draws: Floats, level: float) -> Interval:
    """Percentiles of the resamples in which the metric is defined.

    nan when it never is, and of one cluster, whose resamples are all the same.
    """
    if not 0 < level < 1:
        raise ValueError(f"level must lie between 0 and 1, got {level}")
    defined = draws[np.isfinite(draws)]
    if plan.clusters == 1 or not len(defined):
        return Interval(float(value), float("nan"), float("nan"))
    low, high = np.quantile(defined, [(1 - level) / 2, (1 + level) / 2])
    return Interval(float(value), float(low), float(high))
