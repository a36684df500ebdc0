"""Weights of the score learned from triplets: which of two photos is more like a third.

A score that ranks a triplet rightly gives its positive more than its negative, so the weights are
those of a logistic regression on the differences of the parts, as a ranking SVM's are (Joachims
2002, "Optimizing search engines using clickthrough data").
"""

from contextlib import suppress
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold

from seentwice.errors import UserError
from seentwice.recommend.scores import ScoreWeights

FOLDS = 5
_LARGEST = 100.0  # times the weight of the visual similarity: then a part decides alone
_INVERSE_PENALTY = 1e3  # so weak that it keeps weights finite where one part tells all, no more
Parts = NDArray[np.float64]
"""Class share, tag share and visual similarity of n pairs, (n, 3), each in [0, 1]."""


@dataclass(frozen=True, slots=True)
class LearnedWeights:
    """Weights, and the share of triplets whose positive they put first; a tie counts half."""

    weights: ScoreWeights
    accuracy: (
        float | None
    )  # of triplets whose query was not learned from; None: others tell too little
    accuracy_before: float  # of the weights that were given


def learn_weights(
    positive: Parts, negative: Parts, query: NDArray[np.int64], before: ScoreWeights
) -> LearnedWeights:
    """Fit the weights to triplets; that of the visual similarity stays as it is.

    A part in which no positive differs from its negative keeps its weight, and one that would
    have a negative weight has 0. None is more than `_LARGEST` times that of the visual similarity.
    Weights that rank every triplet rightly are kept: triplets tell of none that are better.

    Args:
        positive: of each query and its positive.
        negative: of each query and its negative.
        query: (n,) equal for triplets of one query.
        before: weights to compare with, and to keep where triplets do not tell.

    Raises:
        UserError: no triplet, or by the fit positives do not look more alike than negatives.
    """
    differences = positive - negative
    if not len(differences):
        raise UserError("no triplet to learn from; give some hundred")
    accuracy_before = float(_rank(differences, before).mean())
    if accuracy_before == 1:
        return LearnedWeights(before, None, accuracy_before)
    weights = _fit(differences, before)
    groups = len(np.unique(query))
    accuracy = None
    if groups >= FOLDS:
        with suppress(UserError):  # triplets of some queries may tell nothing without the others
            accuracy = _rank_others(differences, query, before)
    return LearnedWeights(weights, accuracy, accuracy_before)


def _rank_others(differences: Parts, query: NDArray[np.int64], before: ScoreWeights) -> float:
    """Return the share that is ranked rightly by weights of other queries.

    Raises:
        UserError: the triplets of the others have no weights.
    """
    right = np.zeros(len(differences))
    for train, test in GroupKFold(FOLDS).split(differences, groups=query):
        right[test] = _rank(differences[test], _fit(differences[train], before))
    return float(right.mean())


def _rank(differences: Parts, weights: ScoreWeights) -> NDArray[np.float64]:
    """Return 1 for each triplet whose positive scores more, 0.5 for a tie, (n,)."""
    margin = (differences @ _to_array(weights)).round(9)
    return (1 + np.sign(margin)) / 2


def _fit(differences: Parts, before: ScoreWeights) -> ScoreWeights:
    told = np.any(differences != 0, axis=0)
    told[2] = True
    while True:
        both = np.concatenate([differences, -differences])[:, told]
        label = np.repeat([1, 0], len(differences))
        fitted = (
            LogisticRegression(C=_INVERSE_PENALTY, fit_intercept=False, max_iter=1_000)
            .fit(both, label)
            .coef_[0]
        )
        found = np.where(np.any(differences != 0, axis=0), 0.0, np.nan)
        found[told] = fitted
        if found[2] <= 0:
            raise UserError(
                "the positives of the triplets look no more alike than their negatives; are the "
                "columns exchanged?"
            )
        negative = told & (found < 0)
        if not negative.any():
            break
        told &= ~negative
    kept = _to_array(before)
    scale = before.visual_similarity or 1.0
    class_points, tag_points, visual = np.where(
        np.isnan(found), kept, np.minimum(found / found[2], _LARGEST) * scale
    )
    return ScoreWeights(float(class_points), float(tag_points), float(visual))


def _to_array(weights: ScoreWeights) -> NDArray[np.float64]:
    return np.array([weights.class_points, weights.tag_points, weights.visual_similarity])
