"""All detectors of a comparison as one: what it says, what it weighs, and what it adds."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from seentwice.compare.results import CombinationResult
from seentwice.compare.scoring import ChooseThreshold, Scores, score_folds
from seentwice.compare.summary import Bootstrap, HeldOutPairs
from seentwice.data.pairs import PairTable
from seentwice.data.splits import groups_of
from seentwice.data.tables import FoldTables
from seentwice.detectors.combined import Combination, fit_combination
from seentwice.detectors.descriptor import Rows
from seentwice.metrics import choose_threshold
from seentwice.paired import bootstrap_difference


class CombinedDetector:
    """Weighs what other detectors of a fold have said; it looks at no photo itself."""

    def __init__(self, said: Sequence[tuple[PairTable, NDArray[np.float64]]]) -> None:
        """Take the scores (n, k) of k fitted detectors for each table of the fold."""
        self.said = said
        self.combination: Combination

    def fit(self, train: PairTable, validation: PairTable, rows: Rows) -> None:
        """Fit the weights on the validation pairs, since the others learned the training pairs.

        They are not untouched either: nets stop, k of KNN and every calibration are chosen on them,
        and so is the threshold of the combination, on pairs that its weights fit. So validation
        metrics of a combination are too good, and detectors that choose much get some more weight
        than they should. Test pairs have no part in any of it.
        """
        members = np.union1d(validation.left, validation.right)
        homes = set(groups_of([validation.views[index].photo for index in members]))
        self.combination = fit_combination(self._of(validation), validation.label, len(homes))

    def score(self, pairs: PairTable, rows: Rows) -> NDArray[np.float64]:
        """Return the probability (n,) of each pair of one of the tables."""
        return self.combination(self._of(pairs))

    def _of(self, pairs: PairTable) -> NDArray[np.float64]:
        (said,) = (scores for table, scores in self.said if table is pairs)
        return said


def combine_folds(
    members: Mapping[str, Scores],
    folds: Sequence[FoldTables],
    searches: Sequence[PairTable],
    find_threshold: ChooseThreshold = choose_threshold,
) -> Scores:
    """Combine detectors that `score_folds` scored: each fold by itself, and no pair again.

    Its times are those of all detectors together, since it needs all of them.

    Args:
        members: two or more, by name.
        folds: that they were scored on.
        searches: likewise; one table a fold, or none at all.
        find_threshold: on the validation pairs of a fold.
    """
    tested = _split([one.score for one in members.values()], [fold.test for fold in folds])
    found = _split([one.search_score for one in members.values()], searches)
    detectors = []
    for fold, tables in enumerate(folds):
        validated = np.stack([one.validation_scores[fold] for one in members.values()], axis=1)
        said = [(tables.validation, validated), (tables.test, tested[fold])]
        if searches:
            said.append((searches[fold], found[fold]))
        detectors.append(CombinedDetector(said))
    scores = score_folds(detectors.__getitem__, folds, {}, searches, find_threshold)
    weights = np.stack([detector.combination.weights for detector in detectors], axis=1)
    seconds_a_pair = sum(1 / one.pairs_per_second for one in (scores, *members.values()))
    return replace(
        scores,
        fit_seconds=scores.fit_seconds + sum(one.fit_seconds for one in members.values()),
        pairs_per_second=1 / seconds_a_pair,
        weights=dict(zip(members, map(tuple, weights.tolist()), strict=True)),
    )


def _split(
    said: Sequence[NDArray[np.float64]], tables: Sequence[PairTable]
) -> list[NDArray[np.float64]]:
    """Return what k detectors said of each table, (n, k), out of one column a detector."""
    ends = np.cumsum([len(table) for table in tables])
    return np.split(np.stack(said, axis=1), ends[:-1])


def measure_combination(
    name: str, scores: Mapping[str, Scores], test: HeldOutPairs, bootstrap: Bootstrap
) -> CombinationResult:
    """Measure a combination against the best of what it combines, pair by pair.

    The best on validation pairs: the best of many on the test pairs looks better than it is.

    Args:
        name: of the combination.
        scores: its own, and those of all that it combines.
        test: the pairs.
        bootstrap: of the difference.
    """
    weights = scores[name].weights
    best = max(weights, key=lambda member: scores[member].validation_average_precision)
    over_best = bootstrap_difference(
        test.pairs.label,
        scores[name].score,
        scores[name].decision,
        scores[best].score,
        scores[best].decision,
        test.left_cluster,
        test.right_cluster,
        resamples=bootstrap.resamples,
        seed=bootstrap.seed,
    )
    return CombinationResult(name, weights, best, over_best)
