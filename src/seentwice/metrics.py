"""How well scores and decisions about pairs agree with their labels.

In every function `label` is bool (n,), `score` is (n,) with higher for more surely a duplicate,
`decision` is bool (n,), and `weight` is (n,), at least 0, all ones when left out; other types and
lengths are a ValueError. What cannot be computed is nan, never 0: recall, F1 and average precision
without positives, ROC AUC without both classes, precision when nothing was called a duplicate. How
well a search finds what it should is measured in `retrieval`.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from seentwice.curves import (
    Bools,
    Floats,
    Ints,
    Steps,
    StepSums,
    as_bools,
    divide,
    rank_pairs,
    sum_by_group,
)

# A certain and wrong score costs at most -log(1e-7) = 16.1, so one pair cannot make the mean
# infinite; 1e-7 is about the smallest distance from 1 that a float32 score can show.
SCORE_CLIP = 1e-7

CALIBRATION_BINS = 15

LOWER_IS_BETTER = ("bce", "ece")
"""Of `pair_metrics`: the errors. Of all others, and of those in `retrieval`, more is better."""


def average_precision(label: ArrayLike, score: ArrayLike, weight: ArrayLike | None = None) -> float:
    """Area under the precision-recall steps, in [0, 1]; tied scores are one step."""
    return float(_steps(label, score, weight).average_precision()[0])


def roc_auc(label: ArrayLike, score: ArrayLike, weight: ArrayLike | None = None) -> float:
    """Chance that a duplicate outscores a non-duplicate, in [0, 1]; a tie counts as half."""
    return float(_steps(label, score, weight).roc_auc()[0])


def recall_at_precision(
    label: ArrayLike,
    score: ArrayLike,
    weight: ArrayLike | None = None,
    *,
    least_precision: float = 0.99,
) -> float:
    """Highest recall at any threshold whose precision is at least this; 0 where none is."""
    return float(_steps(label, score, weight).recall_at_precision(least_precision)[0])


def accuracy(label: ArrayLike, decision: ArrayLike, weight: ArrayLike | None = None) -> float:
    """Share of the pairs that were decided rightly."""
    labels, decisions = _same_length(label, decision)
    return _share(labels == decisions, np.ones_like(labels), weight)


def precision(label: ArrayLike, decision: ArrayLike, weight: ArrayLike | None = None) -> float:
    """Share of duplicates among the pairs called a duplicate."""
    labels, decisions = _same_length(label, decision)
    return _share(labels, decisions, weight)


def recall(label: ArrayLike, decision: ArrayLike, weight: ArrayLike | None = None) -> float:
    """Share of the duplicates that were called one."""
    labels, decisions = _same_length(label, decision)
    return _share(decisions, labels, weight)


def f1(label: ArrayLike, decision: ArrayLike, weight: ArrayLike | None = None) -> float:
    """Harmonic mean of precision and recall; 0 when duplicates exist and none was found."""
    labels, decisions = _same_length(label, decision)
    weights = _weights(weight, len(labels))[0]
    if not weights @ labels:
        return float("nan")
    return float(2 * (weights @ (labels & decisions)) / (weights @ labels + weights @ decisions))


def binary_cross_entropy(
    label: ArrayLike, score: ArrayLike, weight: ArrayLike | None = None
) -> float:
    """Mean negative log-likelihood of the labels, in nats, scores clipped to [1e-7, 1 - 1e-7].

    Raises:
        ValueError: If there are no pairs, the lengths differ or a score lies outside [0, 1].
    """
    labels, scores = _probabilities(label, score)
    weights = _weights(weight, len(labels))[0]
    return float(divide(weights @ _cross_entropy(labels, scores), weights.sum()))


def expected_calibration_error(
    label: ArrayLike, score: ArrayLike, weight: ArrayLike | None = None
) -> float:
    """How far the score of a pair is from the share of duplicates among pairs like it, in [0, 1].

    Over 15 bins of equal width (Guo et al. 2017, equation 3), open below and closed above, the mean
    distance of the mean score from the share of duplicates, each bin by its weight. The score is
    the probability of a duplicate, not of the likelier label. The bins are fixed, so that every
    weighting is asked the same. Few pairs in a bin miss their score by chance, which adds up: the
    error of few pairs is too high, and so are both ends of a bootstrap's interval.

    Raises:
        ValueError: If there are no pairs, the lengths differ or a score lies outside [0, 1].
    """
    labels, scores = _probabilities(label, score)
    weights = _weights(weight, len(labels))[0]
    gaps = sum_by_group(_calibration_bins(scores), weights * (scores - labels), CALIBRATION_BINS)
    return float(divide(np.abs(gaps).sum(), weights.sum()))


def choose_threshold(label: ArrayLike, score: ArrayLike) -> float:
    """The threshold of highest F1; a pair is called a duplicate when its score reaches it.

    It lies midway between two neighbouring scores, where new pairs are least likely to flip; below
    the lowest score the neighbour is 0. Of several equally good ones it is the highest, which
    calls the fewest pairs duplicates.

    Args:
        label: (n,) bool, with at least one duplicate.
        score: (n,) in [0, 1]. Pairs of the validation split: a threshold chosen on the pairs that
            it is then judged on is too good.

    Raises:
        ValueError: If no pair is a duplicate or a score lies outside [0, 1].
    """
    ranking = rank_pairs(label, score)
    if not ranking.label.any():
        raise ValueError("a threshold needs at least one pair that is a duplicate")
    _require_unit_range(ranking.scores)
    best = int(np.argmax(ranking.curve(_weights(None, len(ranking.label))).f1()[0]))
    upper = ranking.scores[best]
    lower = ranking.scores[best + 1] if best + 1 < len(ranking.scores) else upper * 0
    # In the scores' own precision: a float64 midpoint of two adjacent float32 scores would be
    # rounded back onto the lower one when it is compared with such scores.
    midway = lower + (upper - lower) / 2
    return float(midway if midway > lower else upper)


def pair_metrics(
    label: ArrayLike, score: ArrayLike, decision: ArrayLike, weight: ArrayLike | None = None
) -> dict[str, float]:
    """All metrics of one detector, by name.

    The decisions come ready made, because each fold of a cross-validation has a threshold of its
    own; `accuracy_at_half` is for comparing with work that cuts at 0.5 whatever the scores mean.

    Raises:
        ValueError: If the lengths differ or a score lies outside [0, 1].
    """
    pairs = len(np.asarray(label))
    judged = judge_pairs(label, score, decision, np.arange(pairs), pairs)
    measured = judged.measure(_weights(weight, pairs).T)
    return {name: float(values[0]) for name, values in measured.items()}


@dataclass(frozen=True, slots=True, eq=False)
class JudgedPairs:
    """Scored and decided pairs of g groups, so that any number of weightings is cheap to measure.

    Pairs of one group always weigh alike: each sum over pairs is one over groups.
    """

    steps: StepSums
    sums: Floats  # (terms, g): what the pairs of a group, of weight 1 each, add to each sum

    def measure(self, weight: Floats) -> dict[str, Floats]:
        """Every metric under every weighting.

        Args:
            weight: (g, weightings), at least 0, of a pair of each group.

        Returns:
            name -> (weightings,), nan where the metric is undefined.
        """
        steps = self.steps.weigh(weight)
        every, positive, called, hit, right, right_at_half, loss, *gaps = self.sums @ weight
        return {
            "average_precision": steps.average_precision(),
            "roc_auc": steps.roc_auc(),
            "accuracy": divide(right, every),
            "precision": divide(hit, called),
            "recall": divide(hit, positive),
            "f1": divide(2 * hit, np.where(positive > 0, positive + called, 0.0)),
            "recall_at_99_precision": steps.recall_at_precision(0.99),
            "bce": divide(loss, every),
            "ece": divide(np.abs(gaps).sum(axis=0), every),
            "accuracy_at_half": divide(right_at_half, every),
        }


def judge_pairs(
    label: ArrayLike, score: ArrayLike, decision: ArrayLike, group: Ints, groups: int
) -> JudgedPairs:
    """Sort the pairs and work out once what does not depend on weights.

    Args:
        label: (n,) bool.
        score: (n,) in [0, 1].
        decision: (n,) bool.
        group: (n,) in 0..groups-1: pairs of one group always weigh alike.
        groups: how many there are.

    Raises:
        ValueError: If the lengths differ or a score lies outside [0, 1].
    """
    ranking = rank_pairs(label, score)
    labels, decisions = _same_length(label, decision)
    _, scores = _probabilities(label, score)
    terms = (
        np.ones_like(labels),
        labels,
        decisions,
        labels & decisions,
        labels == decisions,
        labels == (scores >= 0.5),
        _cross_entropy(labels, scores),
    )
    # By how much the scores of each group and bin exceed their labels.
    cell = group * CALIBRATION_BINS + _calibration_bins(scores)
    gaps = sum_by_group(cell, scores - labels, groups * CALIBRATION_BINS)
    sums = np.stack(
        [
            *(sum_by_group(group, term, groups) for term in terms),
            *gaps.reshape(groups, CALIBRATION_BINS).T,
        ]
    )
    return JudgedPairs(ranking.sum_steps(group, groups), sums)


def _steps(label: ArrayLike, score: ArrayLike, weight: ArrayLike | None) -> Steps:
    ranking = rank_pairs(label, score)
    pairs = len(ranking.order)
    return ranking.sum_steps(np.arange(pairs), pairs).weigh(_weights(weight, pairs).T)


def _share(right: Bools, among: Bools, weight: ArrayLike | None) -> float:
    weights = _weights(weight, len(among))[0]
    return float(divide(weights @ (right & among), weights @ among))


def _probabilities(label: ArrayLike, score: ArrayLike) -> tuple[Bools, Floats]:
    labels, scores = as_bools("label", label), np.asarray(score, dtype=np.float64)
    if labels.shape != scores.shape or not len(labels):
        raise ValueError(
            f"label and score need one shape (n,) with n > 0, got {labels.shape}, {scores.shape}"
        )
    _require_unit_range(scores)
    return labels, scores


def _cross_entropy(labels: Bools, scores: Floats) -> Floats:
    """Negative log-likelihood of each label, (n,)."""
    likelihood = np.clip(np.where(labels, scores, 1 - scores), SCORE_CLIP, 1 - SCORE_CLIP)
    result: Floats = -np.log(likelihood)
    return result


def _calibration_bins(scores: Floats) -> Ints:
    """The bin of each score, (n,) in 0..bins-1."""
    upper_ends = np.arange(1, CALIBRATION_BINS) / CALIBRATION_BINS
    return np.searchsorted(upper_ends, scores)


def _require_unit_range(scores: ArrayLike) -> None:
    low, high = np.min(scores), np.max(scores)
    if not (low >= 0 and high <= 1):
        raise ValueError(f"scores must lie in [0, 1], got {low} to {high}")


def _same_length(label: ArrayLike, decision: ArrayLike) -> tuple[Bools, Bools]:
    labels, decisions = as_bools("label", label), as_bools("decision", decision)
    if labels.ndim != 1 or labels.shape != decisions.shape:
        raise ValueError(f"label and decision differ: {labels.shape}, {decisions.shape}")
    return labels, decisions


def _weights(weight: ArrayLike | None, pairs: int) -> Floats:
    """One weighting as (1, pairs)."""
    weights = np.ones(pairs) if weight is None else np.asarray(weight, dtype=np.float64)
    if weights.shape != (pairs,) or (weights < 0).any():
        raise ValueError(f"weight must be at least 0, of shape ({pairs},), got {weights.shape}")
    return weights[np.newaxis]
