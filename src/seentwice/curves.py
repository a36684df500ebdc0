"""What a detector gets right at every threshold, for one or for many weightings of the pairs.

Sorting is the expensive step and does not depend on the weights, so a `Ranking` is made once: a
bootstrap of 1,000 resamples sorts once. It gives a `Curve`, which holds every threshold of one or a
few weightings, to be drawn or searched; and `StepSums`, which hold the thresholds at the scores of
positives alone and give the `Steps` of many weightings fast. Average precision, ROC AUC and recall
at a precision need no others: at any other threshold they have gained nothing but false alarms.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import csr_array
from scipy.special import digamma

Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def divide(numerator: Floats, denominator: Floats) -> Floats:
    """Ratios, elementwise; nan where the denominator is 0."""
    undefined = np.full(np.broadcast_shapes(numerator.shape, denominator.shape), np.nan)
    ratios: Floats = np.divide(numerator, denominator, out=undefined, where=denominator != 0)
    return ratios


def as_bools(name: str, values: ArrayLike) -> Bools:
    """Return what is bool as an array; scores in its place would all count as True.

    Raises:
        ValueError: If it is not bool.
    """
    given = np.asarray(values)
    if given.dtype != np.bool_:
        raise ValueError(f"{name} must be bool, got {given.dtype}")
    return given


def sum_by_group(group: Ints, values: NDArray[np.generic], groups: int) -> Floats:
    """The sum of the values (n,) of each group, (groups,)."""
    return np.bincount(group, values.astype(np.float64), groups).astype(np.float64, copy=False)


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


@dataclass(frozen=True, slots=True, eq=False)
class Steps:
    """Weights at each distinct score that a positive has, from the highest, of several weightings.

    Weightings lie along axis 1, so that a sum over scores takes whole rows at a time.
    """

    hits: Floats  # (scores, weightings): positives of this very score
    found: Floats  # (scores, weightings): positives of at least this score
    alarms: Floats  # (scores + 1, weightings): negatives of at least this score; last, all of them
    precision: Floats  # (scores, weightings): 0 where nothing has weight so far
    tied: Ints  # (t,): rows of scores that a positive and a negative share
    tied_alarms: Floats  # (t, weightings): negatives of these very scores

    def average_precision(self) -> Floats:
        """Mean precision over the steps of recall, (weightings,); nan without positives.

        A sum over steps, not a trapezium: interpolating between points of a precision-recall
        curve is too optimistic (Davis & Goadrich, ICML 2006).
        """
        return divide(np.einsum("sw,sw->w", self.hits, self.precision), self._positives())

    def average_precision_worst_first(self, positives: Floats) -> Floats:
        """Average precision with ties ranked as badly as can be, (weightings,); nan without any.

        Of one score the negatives come first and then the positives, one after another. A weight
        of w is w such pairs: below f negatives the precisions of the positives h + 1 to h + w,
        j / (j + f), sum to w - f · (digamma(h + w + f + 1) - digamma(h + f + 1)).

        Args:
            positives: (weightings,) of all positives, those that were not ranked among them.
        """
        alarms = self.alarms[:-1]
        last = self.found + alarms + 1
        lost = alarms * (digamma(last) - digamma(last - self.hits))
        return divide((self.hits - lost).sum(axis=0), positives)

    def roc_auc(self) -> Floats:
        """Chance that a positive outscores a negative, (weightings,); a tie counts as half.

        nan unless both classes have weight.
        """
        possible = self._positives() * self.alarms[-1]
        lost = np.einsum("sw,sw->w", self.hits, self.alarms[:-1])
        lost -= np.einsum("tw,tw->w", self.hits[self.tied], self.tied_alarms) / 2
        return divide(possible - lost, possible)

    def recall_at_precision(self, precision: float) -> Floats:
        """Highest recall among the thresholds that reach the precision, (weightings,).

        0 where no threshold reaches it; nan without positives.
        """
        if not len(self.found):
            return np.full(self.found.shape[1], np.nan)
        reached = self.precision >= precision
        # Recall only rises, so it is highest at the last threshold that reaches the precision.
        last = len(reached) - 1 - reached[::-1].argmax(axis=0), np.arange(reached.shape[1])
        return divide(np.where(reached[last], self.found[last], 0.0), self._positives())

    def _positives(self) -> Floats:
        return self.found[-1] if len(self.found) else np.zeros(self.found.shape[1])


@dataclass(frozen=True, slots=True, eq=False)
class StepSums:
    """How many pairs of each of g groups are at each step; pairs of a group always weigh alike."""

    hits: csr_array  # (scores, g)
    alarms: csr_array  # (scores + 1, g): negatives below the score before and not below this one
    tied: Ints  # (t,)
    tied_alarms: csr_array  # (t, g)

    @property
    def floats(self) -> int:
        """How many numbers are computed of each weighting."""
        scores: int = self.hits.shape[0]
        return 6 * (scores + 1)

    def weigh(self, weight: Floats) -> Steps:
        """Return the steps of each weighting.

        Args:
            weight: (g, weightings), at least 0: of a pair of each group.
        """
        hits = self.hits @ weight
        found, alarms = np.cumsum(hits, axis=0), self.alarms @ weight
        np.cumsum(alarms, axis=0, out=alarms)
        called = found + alarms[:-1]
        precision = np.divide(found, called, out=np.zeros_like(called), where=called > 0)
        return Steps(hits, found, alarms, precision, self.tied, self.tied_alarms @ weight)


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

    def sum_steps(self, group: Ints, groups: int) -> StepSums:
        """Count the pairs of each group at each step.

        Args:
            group: (n,) in 0..groups-1, in the order of the pairs, not of the ranking.
            groups: how many there are.
        """
        # Which distinct score each pair has, and at which a positive is found.
        score = np.repeat(np.arange(len(self.ends)), np.diff(self.ends, prepend=-1))
        has_positive = np.zeros(len(self.ends), dtype=bool)
        has_positive[score[self.label]] = True
        # The first step whose threshold calls a pair a duplicate; one more than there are: none.
        step = (np.cumsum(has_positive) - has_positive)[score]
        steps = int(np.count_nonzero(has_positive))
        ranked = group[self.order]
        tied_pair = ~self.label & has_positive[score]
        tied, tied_row = np.unique(step[tied_pair], return_inverse=True)
        return StepSums(
            _count(step[self.label], ranked[self.label], (steps, groups)),
            _count(step[~self.label], ranked[~self.label], (steps + 1, groups)),
            tied,
            _count(tied_row, ranked[tied_pair], (len(tied), groups)),
        )


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
    labels = as_bools("label", labels)
    if not np.isfinite(scores).all():
        raise ValueError(f"score has {np.count_nonzero(~np.isfinite(scores))} values not finite")
    # Stable, so that equal scores keep the order of the pairs and results repeat exactly.
    order = np.argsort(-scores, kind="stable")
    ranked = scores[order]
    ends = np.append(np.flatnonzero(ranked[1:] != ranked[:-1]), len(ranked) - 1)
    return Ranking(order, labels[order], ends, ranked[ends])


def _count(row: Ints, column: Ints, shape: tuple[int, int]) -> csr_array:
    """How often each row meets each column."""
    return csr_array((np.ones(len(row)), (row, column)), shape=shape)
