"""What a detector gets right at every threshold, for one or for many weightings of the pairs.

Sorting is the expensive step and does not depend on the weights, so a `Ranking` is made once and
gives a `Curve` for each block of weightings: a bootstrap of 1,000 resamples sorts once.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def divide(numerator: Floats, denominator: Floats) -> Floats:
    """Ratios, elementwise; nan where the denominator is 0."""
    undefined = np.full(np.broadcast_shapes(numerator.shape, denominator.shape), np.nan)
    ratios: Floats = np.divide(numerator, denominator, out=undefined, where=denominator != 0)
    return ratios


@dataclass(frozen=True, slots=True, eq=False)
class Curve:
    """Weight of the pairs at or above each distinct score, for several weightings at once.

    Column g holds what would be called a duplicate if the threshold were the g-th highest
    distinct score, so pairs of equal score always enter together.
    """

    true_positives: Floats  # (weightings, scores), rising along axis 1
    false_positives: Floats  # (weightings, scores), rising along axis 1

    def precision(self) -> Floats:
        """Precision at each score, (weightings, scores); 0 where nothing has weight so far."""
        called = self.true_positives + self.false_positives
        return np.divide(self.true_positives, called, out=np.zeros_like(called), where=called > 0)

    def recall(self) -> Floats:
        """Recall at each score, (weightings, scores); nan without positives."""
        return divide(self.true_positives, self.true_positives[:, -1:])

    def false_positive_rate(self) -> Floats:
        """Share of the negatives called a duplicate, (weightings, scores); nan without any."""
        return divide(self.false_positives, self.false_positives[:, -1:])

    def f1(self) -> Floats:
        """F1 at each score, (weightings, scores); nan without positives."""
        positives = self.true_positives[:, -1:]
        score = 2 * self.true_positives / (positives + self.true_positives + self.false_positives)
        return np.where(positives > 0, score, np.nan)

    def average_precision(self) -> Floats:
        """Mean precision over the steps of recall, (weightings,); nan without positives.

        A sum over steps, not a trapezium: interpolating between points of a precision-recall
        curve is too optimistic (Davis & Goadrich, ICML 2006).
        """
        hits, precision = self.true_positives, self.precision()
        steps = hits[:, 0] * precision[:, 0]
        steps += np.einsum("ws,ws->w", np.diff(hits, axis=1), precision[:, 1:])
        return divide(steps, hits[:, -1])

    def roc_auc(self) -> Floats:
        """Chance that a positive outscores a negative, (weightings,); a tie counts as half.

        nan unless both classes have weight.
        """
        hits, alarms = self.true_positives, self.false_positives
        area = hits[:, 0] * alarms[:, 0]
        area += np.einsum("ws,ws->w", np.diff(alarms, axis=1), hits[:, 1:] + hits[:, :-1])
        return divide(area / 2, hits[:, -1] * alarms[:, -1])

    def recall_at_precision(self, precision: float) -> Floats:
        """Highest recall among the thresholds that reach the precision, (weightings,).

        0 where no threshold reaches it; nan without positives.
        """
        reached = np.where(self.precision() >= precision, self.true_positives, 0.0)
        return divide(reached.max(axis=1), self.true_positives[:, -1])


@dataclass(frozen=True, slots=True, eq=False)
class Ranking:
    """Pairs sorted from the highest score to the lowest."""

    order: Ints  # (n,): position in the ranking -> index of the pair
    label: Bools  # (n,), in ranking order
    ends: Ints  # (s,): last position of each distinct score
    scores: NDArray[np.floating]  # (s,): the distinct scores, falling, in their own precision

    def curve(self, weight: Floats) -> Curve:
        """The curve of each weighting.

        Args:
            weight: (weightings, n), at least 0, in ranking order.
        """
        hits = np.cumsum(np.where(self.label, weight, 0.0), axis=1)
        alarms = np.cumsum(np.where(self.label, 0.0, weight), axis=1)
        if len(self.ends) < len(self.label):
            hits, alarms = hits[:, self.ends], alarms[:, self.ends]
        return Curve(hits, alarms)


def rank_pairs(label: ArrayLike, score: ArrayLike) -> Ranking:
    """Sort pairs once, for any number of weightings.

    Args:
        label: (n,) bool, whether the pair is a duplicate.
        score: (n,), higher is more surely a duplicate; any finite values.

    Raises:
        ValueError: If there are no pairs, the lengths differ, the labels are not bool, or a
            score is not finite.
    """
    labels, scores = np.asarray(label), np.asarray(score)
    if not np.issubdtype(scores.dtype, np.floating):
        scores = scores.astype(np.float64)
    if labels.ndim != 1 or labels.shape != scores.shape or not len(labels):
        raise ValueError(
            f"label and score need one shape (n,) with n > 0, got {labels.shape}, {scores.shape}"
        )
    if labels.dtype != np.bool_:
        raise ValueError(f"label must be bool, got {labels.dtype}")
    if not np.isfinite(scores).all():
        raise ValueError(f"score has {np.count_nonzero(~np.isfinite(scores))} values not finite")
    # Stable, so that equal scores keep the order of the pairs and results repeat exactly.
    order = np.argsort(-scores, kind="stable")
    ranked = scores[order]
    ends = np.append(np.flatnonzero(ranked[1:] != ranked[:-1]), len(ranked) - 1)
    return Ranking(order, labels[order], ends, ranked[ends])
