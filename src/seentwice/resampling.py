"""Draw homes or places again and again: the weights that a bootstrap over clusters gives to pairs.

Pairs are not independent: one home takes part in many of them, so resampling pairs would give
intervals that are far too narrow. A resample draws clusters (homes or places) with replacement. A
pair inside one cluster weighs as often as that cluster was drawn; the product of both its counts
would be wrong, since the square of a count is 2 on average: resamples would hold twice the
duplicates, and every interval would shift. A pair across two clusters weighs the product of their
counts (the pigeonhole bootstrap of Owen, Annals of Applied Statistics 2007) times n / (n - 1) of n
clusters: two clusters that are drawn without regard to each other are both there 1 - 1/n times on
average, since what one is drawn the other is not. So every pair weighs 1 on average, and a resample
of few homes keeps the share of duplicates that all pairs have.

Intervals are percentiles over the resamples. A resample in which a metric is undefined, because it
happened to draw no duplicate for example, is left out of that metric's interval. Of one cluster
there is no interval: how far others would differ cannot be told.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from seentwice.curves import Floats, Ints
from seentwice.records import Interval

# What is computed at once stays in the processor's cache; a few rows at a time would be slower.
BLOCK_BYTES = 16 * 1024**2

Measure = Callable[[Floats], Mapping[str, Floats]]
"""From weights of groups, (groups, weightings), to metrics by name, (weightings,) each."""


@dataclass(frozen=True, slots=True, eq=False)
class Resampling:
    """Which clusters the pairs join, and how to draw them again and again."""

    group: Ints  # (n,): which two clusters a pair joins; pairs of one group always weigh alike
    left: Ints  # (groups,): one of the two clusters, in 0..clusters-1
    right: Ints  # (groups,): the other one; `clusters` where it is the same
    clusters: int
    resamples: int
    seed: int

    @property
    def groups(self) -> int:
        """How many different two clusters the pairs join."""
        return len(self.left)

    def weights(self, floats: int) -> Iterator[Floats]:
        """Blocks of (groups, resamples) weights of a pair of each group.

        A second call gives the same resamples, so two detectors can be compared resample by
        resample.

        Args:
            floats: numbers that are computed of each resample, which decides the size of a block.
        """
        generator = np.random.default_rng(self.seed)
        width = max(1, BLOCK_BYTES // (np.dtype(np.float64).itemsize * floats))
        for start in range(0, self.resamples, width):
            counts = self._draw(generator, min(width, self.resamples - start))
            across = counts * (self.clusters / max(1, self.clusters - 1))
            within = np.ones((1, counts.shape[1]))
            weight = counts.take(self.left, axis=0)
            weight *= np.concatenate([across, within]).take(self.right, axis=0)
            yield weight

    def _draw(self, generator: np.random.Generator, resamples: int) -> Floats:
        """How often each cluster was drawn, (clusters, resamples)."""
        drawn = generator.integers(self.clusters, size=(resamples, self.clusters))
        drawn += self.clusters * np.arange(resamples)[:, np.newaxis]
        counts = np.bincount(drawn.ravel(), minlength=resamples * self.clusters)
        # A cluster's counts side by side in memory, as they are read.
        return np.ascontiguousarray(counts.reshape(resamples, -1).T, dtype=np.float64)


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
    numbers = numbers.reshape(sides.shape)
    low, high = numbers.min(axis=0), numbers.max(axis=0)
    clusters = len(names)
    joined, group = np.unique(low * clusters + high, return_inverse=True)
    left, right = np.divmod(joined, clusters)
    return Resampling(
        group, left, np.where(left == right, clusters, right), clusters, resamples, seed
    )


def draw_metrics(
    plan: Resampling, measures: Sequence[Measure], floats: int
) -> list[dict[str, Floats]]:
    """Measure every resample.

    Args:
        plan: what is drawn.
        measures: what is measured of each resample, all of the same.
        floats: numbers that all of them together compute of each resample.

    Returns:
        By measure, name -> (resamples,).
    """
    blocks = [
        [measure(weight) for measure in measures] for weight in plan.weights(plan.groups + floats)
    ]
    return [
        {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
        for parts in zip(*blocks, strict=True)
    ]


def measure_all(plan: Resampling, measure: Measure) -> dict[str, float]:
    """Return the metrics of all pairs, each of weight 1."""
    found = measure(np.ones((plan.groups, 1)))
    return {name: float(value[0]) for name, value in found.items()}


def require_length(plan: Resampling, pairs: int) -> None:
    """Refuse clusters of other pairs.

    Raises:
        ValueError: If there are not as many as pairs.
    """
    if len(plan.group) != pairs:
        raise ValueError(f"{pairs} pairs have clusters for {len(plan.group)}")


def make_interval(plan: Resampling, value: float, draws: Floats, level: float) -> Interval:
    """Return the percentiles of the resamples in which a metric is defined.

    nan when it never is, and of one cluster, whose resamples are all the same.

    Args:
        plan: what was drawn.
        value: of all pairs.
        draws: (resamples,) nan where it is undefined.
        level: Coverage of the interval, in (0, 1).

    Raises:
        ValueError: If the level is none.
    """
    if not 0 < level < 1:
        raise ValueError(f"level must lie between 0 and 1, got {level}")
    defined = draws[np.isfinite(draws)]
    if plan.clusters == 1 or not len(defined):
        return Interval(value, float("nan"), float("nan"))
    low, high = np.quantile(defined, [(1 - level) / 2, (1 + level) / 2])
    return Interval(value, float(low), float(high))
