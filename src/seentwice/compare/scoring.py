"""Fit a detector on training pairs, choose its threshold on validation pairs, score the test.

The test pairs of a fold are scored once, after everything was chosen.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import fmean
from time import perf_counter

import numpy as np
from numpy.typing import NDArray

from seentwice.data.pairs import PairTable
from seentwice.data.tables import FoldTables
from seentwice.detectors.descriptor import Rows
from seentwice.detectors.protocol import Detector
from seentwice.metrics import average_precision, choose_threshold

ChooseThreshold = Callable[[NDArray[np.bool_], NDArray[np.float64]], float]
"""From labels and probabilities of validation pairs, (n,) each, to a threshold."""


@dataclass(frozen=True, slots=True)
class Scores:
    """What one detector said of the pairs of all folds, one fold after another."""

    score: NDArray[np.float64]  # (n,) in [0, 1], of the test pairs
    decision: NDArray[np.bool_]  # (n,) at or above its fold's threshold
    search_score: NDArray[np.float64]  # (m,) in [0, 1], of the pairs of its searches, likewise
    thresholds: tuple[float, ...]  # one a fold
    validation_average_precision: float  # mean over folds; what may choose among detectors
    fit_seconds: float  # over all folds, calibration and threshold included
    pairs_per_second: float  # scoring test pairs of described views
    validation_scores: tuple[NDArray[np.float64], ...]  # one a fold, (m,) of its validation pairs
    # Of a combination, by what it combines: one a fold.
    weights: Mapping[str, tuple[float, ...]] = field(default_factory=dict)


def score_folds(
    make_detector: Callable[[int], Detector],
    folds: Sequence[FoldTables],
    rows: Rows,
    searches: Sequence[PairTable],
    find_threshold: ChooseThreshold = choose_threshold,
) -> Scores:
    """Fit and score a fresh detector on every fold.

    Args:
        make_detector: called with the fold's number.
        folds: their tables share the views that `rows` describes.
        rows: what the detectors see of each view.
        searches: pairs of a query and a candidate, one table a fold; or none at all.
        find_threshold: on the validation pairs of a fold.
    """
    scores, decisions, searched, thresholds, validated = [], [], [], [], []
    of_validation = []
    fit_seconds = score_seconds = 0.0
    for number, tables in enumerate(folds):
        detector = make_detector(number)
        start = perf_counter()
        detector.fit(tables.train, tables.validation, rows)
        validation = detector.score(tables.validation, rows)
        thresholds.append(find_threshold(tables.validation.label, validation))
        validated.append(average_precision(tables.validation.label, validation))
        of_validation.append(validation)
        fitted = perf_counter()
        scores.append(detector.score(tables.test, rows))
        score_seconds += perf_counter() - fitted
        fit_seconds += fitted - start
        decisions.append(scores[-1] >= thresholds[-1])
        searched.append(detector.score(searches[number], rows) if searches else np.empty(0))
    score = np.concatenate(scores)
    return Scores(
        score,
        np.concatenate(decisions),
        np.concatenate(searched),
        tuple(thresholds),
        fmean(validated),
        fit_seconds,
        len(score) / max(score_seconds, 1e-9),
        tuple(of_validation),
    )
