from dataclasses import replace

import numpy as np
import pytest

from seentwice.compare.combining import combine_folds, measure_combination
from seentwice.compare.scoring import score_folds
from seentwice.compare.summary import Bootstrap
from seentwice.data.tables import FoldTables
from seentwice.detectors.combined import fit_combination
from seentwice.metrics import average_precision, choose_threshold
from seentwice.paired import bootstrap_difference


class Noisy:
    """Scores duplicates higher, with noise of its own; knows the labels of all tables."""

    def __init__(self, seed, noise):
        self.seed, self.noise = seed, noise

    def fit(self, train, validation, rows):
        """Learn nothing."""

    def score(self, pairs, rows):
        # By the views, so that a table with other labels has the same noise.
        rng = np.random.default_rng([self.seed, int(pairs.left.sum()), len(pairs)])
        return np.clip(
            0.3 + 0.4 * rows["truth"](pairs) + self.noise * rng.normal(size=len(pairs)), 0, 1
        )


def same_place(pairs):
    place = np.array([view.photo.place for view in pairs.views])
    return place[pairs.left] == place[pairs.right]


NOISES = {"good": 0.2, "fair": 0.3, "poor": 1.0}


@pytest.fixture
def members(folds):
    return {
        name: score_folds(
            lambda _, n=n, noise=noise: Noisy(n, noise), folds, {"truth": same_place}, ()
        )
        for n, (name, noise) in enumerate(NOISES.items())
    }


def columns_of(members, fold):
    return np.stack([one.validation_scores[fold] for one in members.values()], axis=1)


def test_each_fold_is_combined_by_its_own_validation_pairs(folds, members):
    """Of four places in two homes."""
    scores = combine_folds(members, folds, ())
    tested = np.split(
        np.stack([one.score for one in members.values()], axis=1), [len(folds[0].test)]
    )
    expected = []
    for number, tables in enumerate(folds):
        combination = fit_combination(columns_of(members, number), tables.validation.label, homes=2)
        expected.append(combination(tested[number]))
        said = combination(columns_of(members, number))
        np.testing.assert_array_equal(scores.validation_scores[number], said)
        assert scores.thresholds[number] == choose_threshold(tables.validation.label, said)
        weights = [scores.weights[name][number] for name in members]
        assert weights == combination.weights.tolist()
    np.testing.assert_array_equal(scores.score, np.concatenate(expected))
    assert list(scores.weights) == list(members)
    assert scores.weights["good"] > scores.weights["poor"]


def test_labels_and_scores_of_test_pairs_have_no_part_in_it(folds, members):
    plain = combine_folds(members, folds, ())
    rng = np.random.default_rng(0)
    turned = [
        FoldTables(
            replace(tables.train, label=rng.permutation(tables.train.label)),
            tables.validation,
            replace(tables.test, label=rng.permutation(tables.test.label)),
        )
        for tables in folds
    ]
    shuffled = {
        name: replace(one, score=rng.permutation(one.score)) for name, one in members.items()
    }
    assert combine_folds(members, turned, ()).score.tolist() == plain.score.tolist()
    for found in (combine_folds(members, turned, ()), combine_folds(shuffled, folds, ())):
        assert (found.weights, found.thresholds) == (plain.weights, plain.thresholds)
    assert combine_folds(shuffled, folds, ()).score.tolist() != plain.score.tolist()


def test_where_no_home_is_known_each_place_is_one(make_views, make_folds):
    folds = make_folds(make_views(with_properties=False))
    seen = {"truth": same_place}
    members = {
        name: score_folds(lambda _, n=n: Noisy(n, 0.3), folds, seen, ())
        for n, name in enumerate("ab")
    }
    scores = combine_folds(members, folds, ())
    label = folds[0].validation.label
    expected = fit_combination(columns_of(members, 0), label, homes=4).weights.tolist()
    assert [scores.weights[name][0] for name in "ab"] == expected


def test_labels_of_validation_pairs_do_have_a_part_in_it(folds, members):
    turned = [replace_validation(tables, np.roll(tables.validation.label, 7)) for tables in folds]
    assert combine_folds(members, turned, ()).weights != combine_folds(members, folds, ()).weights


def replace_validation(tables, label):
    return FoldTables(tables.train, replace(tables.validation, label=label), tables.test)


def test_its_times_are_those_of_all_together(folds, members):
    timed = {
        name: replace(one, fit_seconds=10.0, pairs_per_second=30.0) for name, one in members.items()
    }
    scores = combine_folds(timed, folds, ())
    assert 30 < scores.fit_seconds < 40
    assert 9 < scores.pairs_per_second < 10


def test_a_threshold_that_is_given_is_kept(folds, members):
    scores = combine_folds(members, folds, (), lambda label, score: 0.25)
    assert scores.thresholds == (0.25, 0.25)
    np.testing.assert_array_equal(scores.decision, scores.score >= 0.25)


def test_what_it_adds_to_the_best_on_validation_pairs(folds, members, tested):
    # The best where it counts is not the one that is luckiest on the test pairs.
    members["fair"] = replace(members["fair"], score=tested.pairs.label.astype(float))
    scores = {**members, "combined": combine_folds(members, folds, ())}
    found = measure_combination("combined", scores, tested, Bootstrap(20, 3))
    assert (found.name, found.best) == ("combined", "good")
    assert found.weights == scores["combined"].weights
    assert found.over_best == bootstrap_difference(
        tested.pairs.label,
        scores["combined"].score,
        scores["combined"].decision,
        scores["good"].score,
        scores["good"].decision,
        tested.left_cluster,
        tested.right_cluster,
        resamples=20,
        seed=3,
    )
    label = tested.pairs.label
    gain = average_precision(label, scores["combined"].score) - average_precision(
        label, scores["good"].score
    )
    assert found.over_best["average_precision"].value == pytest.approx(gain)
