import itertools

import numpy as np
import pytest

from seentwice.compare import scoring
from seentwice.compare.scoring import score_folds
from seentwice.metrics import choose_threshold


class Fake:
    """Scores from the rows; those of tables in `shifts` are moved. Remembers what it was asked."""

    def __init__(self, shifts=None):
        self.shifts = shifts or {}
        self.asked = []

    def fit(self, train, validation, rows):
        self.asked.append(("fit", train, validation))

    def score(self, pairs, rows):
        self.asked.append(("score", pairs))
        score = rows["score"][pairs.left] * rows["score"][pairs.right]
        return np.clip(score + self.shifts.get(id(pairs), 0.0), 0, 1)


@pytest.fixture
def rows():
    return {"score": np.random.default_rng(0).random(48)}


def test_each_fold_is_fitted_then_decided_then_tested_once(folds, rows):
    made = {}

    def make(number):
        made[number] = Fake()
        return made[number]

    score_folds(make, folds, rows, ())
    assert list(made) == [0, 1]
    for number, fold in enumerate(folds):
        assert made[number].asked == [
            ("fit", fold.train, fold.validation),
            ("score", fold.validation),
            ("score", fold.test),
        ]


def test_folds_are_joined_in_order(folds, rows):
    scores = score_folds(lambda _: Fake(), folds, rows, ())
    lengths = [len(fold.test) for fold in folds]
    assert lengths[0] != lengths[1] or not np.array_equal(folds[0].test.left, folds[1].test.left)
    expected = [Fake().score(fold.test, rows) for fold in folds]
    np.testing.assert_array_equal(scores.score, np.concatenate(expected))
    decisions = [score >= t for score, t in zip(expected, scores.thresholds, strict=True)]
    np.testing.assert_array_equal(scores.decision, np.concatenate(decisions))


def test_what_was_said_of_validation_pairs_is_kept(folds, rows):
    scores = score_folds(lambda _: Fake(), folds, rows, ())
    for found, fold in zip(scores.validation_scores, folds, strict=True):
        np.testing.assert_array_equal(found, Fake().score(fold.validation, rows))


def test_thresholds_are_those_of_the_validation_pairs(folds, rows):
    scores = score_folds(lambda _: Fake(), folds, rows, ())
    assert scores.thresholds == tuple(
        choose_threshold(fold.validation.label, Fake().score(fold.validation, rows))
        for fold in folds
    )
    assert scores.thresholds[0] != scores.thresholds[1]


@pytest.mark.parametrize("shift", [-0.3, 0.3])
def test_test_scores_do_not_move_a_threshold(folds, rows, shift):
    plain = score_folds(lambda _: Fake(), folds, rows, ())
    shifts = {id(fold.test): shift for fold in folds}
    moved = score_folds(lambda _: Fake(shifts), folds, rows, ())
    assert moved.thresholds == plain.thresholds
    np.testing.assert_array_equal(moved.score, np.clip(plain.score + shift, 0, 1))
    assert (moved.decision != plain.decision).any()


def test_validation_scores_do_move_a_threshold(folds, rows):
    plain = score_folds(lambda _: Fake(), folds, rows, ())
    shifts = {id(fold.validation): 0.1 for fold in folds}
    moved = score_folds(lambda _: Fake(shifts), folds, rows, ())
    assert moved.thresholds != plain.thresholds
    np.testing.assert_array_equal(moved.score, plain.score)


def test_each_fold_searches_last_with_its_own_detector(folds, rows):
    made = []

    def make(number):
        made.append(Fake({id(searches[number]): -0.1 * number}))
        return made[-1]

    searches = [fold.train.take(np.arange(5 + n)) for n, fold in enumerate(folds)]
    scores = score_folds(make, folds, rows, searches)
    expected = [rows["score"][pairs.left] * rows["score"][pairs.right] for pairs in searches]
    expected[1] = np.clip(expected[1] - 0.1, 0, 1)
    np.testing.assert_array_equal(scores.search_score, np.concatenate(expected))
    assert [fake.asked[-1] for fake in made] == [("score", pairs) for pairs in searches]
    assert score_folds(lambda _: Fake(), folds, rows, ()).search_score.shape == (0,)


def test_fitting_and_scoring_are_timed_apart(folds, rows, monkeypatch):
    clock = itertools.cycle([0.0, 10.0, 14.0])  # start, fitted, scored
    monkeypatch.setattr(scoring, "perf_counter", lambda: next(clock))
    scores = score_folds(lambda _: Fake(), folds, rows, ())
    assert scores.fit_seconds == 20
    assert scores.pairs_per_second == len(scores.score) / 8
