from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit, logit
from sklearn.linear_model import LogisticRegression

from seentwice.detectors.combined import fit_combination


def make_scores(seed, shifts, count=600, share=0.2):
    """Scores (n, k) of detectors whose logits are higher for duplicates by these shifts."""
    rng = np.random.default_rng(seed)
    label = rng.random(count) < share
    noise = rng.normal(size=(count, 1)) + rng.normal(size=(count, len(shifts)))
    return expit(label[:, None] * np.array(shifts) + noise - 1), label


def scale(scores):
    logits = logit(scores)
    return (logits - logits.mean(axis=0)) / logits.std(axis=0)


def loss(weights, offset, scores, label, ridge):
    total = scale(scores) @ weights + offset
    return (np.logaddexp(0, total) - label * total).mean() + ridge / 2 * weights @ weights


def fit_every_subset(scores, label, ridge):
    """The least loss of all fits without bounds whose weights are none below 0, and its weights.

    Where the bounds hold a weight at 0, the fit of the others alone is the constrained one.
    """
    count = scores.shape[1]
    best = np.inf, np.zeros(count)
    for size in range(1, count + 1):
        for chosen in map(list, combinations(range(count), size)):
            model = LogisticRegression(C=1 / (ridge * len(label)), tol=1e-10, max_iter=10_000)
            model.fit(scale(scores)[:, chosen], label)
            weights = np.zeros(count)
            weights[chosen] = model.coef_[0]
            value = loss(weights, model.intercept_[0], scores, label, ridge)
            if (weights >= 0).all() and value < best[0]:
                best = value, weights
    return best[1]


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("ridge", [1e-4, 0.01, 1.0])
@pytest.mark.parametrize("shifts", [(1.0, 2.0), (2.0, 1.5, 0.1, 2.5), (3.0, 0.0, -1.0, 0.5)])
def test_the_weights_are_the_best_that_are_not_below_0(seed, ridge, shifts):
    scores, label = make_scores(seed, shifts)
    found = fit_combination(scores, label, ridge)
    expected = fit_every_subset(scores, label, ridge)
    assert found.weights == pytest.approx(expected, abs=2e-4)
    assert (found.weights == 0).tolist() == (expected == 0).tolist()


def test_without_bounds_in_the_way_it_is_a_logistic_regression():
    scores, label = make_scores(0, (1.0, 2.0, 1.5))
    model = LogisticRegression(C=1 / (0.01 * len(label)), tol=1e-10, max_iter=10_000)
    model.fit(scale(scores), label)
    assert (model.coef_ > 0).all()
    found = fit_combination(scores, label, 0.01)
    assert found(scores) == pytest.approx(model.predict_proba(scale(scores))[:, 1], abs=1e-4)
    assert found.weights == pytest.approx(model.coef_[0], abs=1e-4)
    assert found.offset == pytest.approx(model.intercept_[0], abs=1e-4)


def test_what_several_see_ranks_better_than_what_one_sees():
    rng = np.random.default_rng(1)
    label = rng.random(2000) < 0.3
    scores = expit(label[:, None] * 1.5 + rng.normal(size=(2000, 3)))  # each errs by itself
    combination = fit_combination(scores[:1000], label[:1000])
    above = [
        np.mean(values[label[1000:]][:, None] > values[~label[1000:]])
        for values in (combination(scores[1000:]), *scores[1000:].T)
    ]
    assert above[0] > max(above[1:]) + 0.05


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10**6), st.integers(0, 3), st.floats(0, 1), st.floats(0, 1))
def test_a_surer_detector_never_lowers_the_probability(seed, detector, low, high):
    scores, label = make_scores(seed, (2.0, 0.3, -1.0, 1.0), count=80, share=0.5)
    combination = fit_combination(scores, label)
    doubted, sure = scores.copy(), scores.copy()
    doubted[:, detector], sure[:, detector] = min(low, high), max(low, high)
    assert (combination.weights >= 0).all()
    assert (combination(sure) >= combination(doubted)).all()


def test_the_order_of_detectors_and_pairs_does_not_matter():
    scores, label = make_scores(2, (1.0, -0.5, 2.0))
    expected = fit_combination(scores, label)
    columns, rows = [2, 0, 1], np.random.default_rng(0).permutation(len(label))
    found = fit_combination(scores[rows][:, columns], label[rows])
    assert found.weights == pytest.approx(expected.weights[columns], abs=1e-5)
    assert found.offset == pytest.approx(expected.offset, abs=1e-5)


@pytest.mark.parametrize("share", [0.05, 0.5, 0.9])
def test_the_mean_probability_is_the_share_of_duplicates(share):
    scores, label = make_scores(3, (1.0, 2.0), share=share)
    assert fit_combination(scores, label)(scores).mean() == pytest.approx(label.mean(), abs=1e-6)


def test_detectors_that_say_nothing_or_the_opposite_are_left_out():
    scores, label = make_scores(4, (-2.0, -1.0))
    constant = np.full((len(label), 1), 0.3)
    combination = fit_combination(np.concatenate([scores, constant], axis=1), label)
    assert combination.weights.tolist() == [0, 0, 0]
    assert combination(np.array([[0.9, 0.1, 0.3], [0.1, 0.9, 0.8]])) == pytest.approx(
        [label.mean()] * 2, abs=1e-6
    )


def test_scores_of_0_and_1_and_classes_that_part_stay_finite():
    label = np.arange(40) < 10
    combination = fit_combination(np.stack([label, 0.2 + 0.6 * label], axis=1), label)
    assert np.isfinite([*combination.weights, combination.offset]).all()
    probability = combination(np.array([[1.0, 0.8], [0.0, 0.2], [0.0, 0.8]]))
    assert probability[0] > 0.9
    assert probability[1] < 0.1
    assert probability[1] < probability[2] < probability[0]


def test_more_pairs_of_the_same_kind_give_the_same_weights():
    scores, label = make_scores(5, (1.0, 2.0), count=100)
    once = fit_combination(scores, label)
    often = fit_combination(np.repeat(scores, 50, axis=0), np.repeat(label, 50))
    assert often.weights == pytest.approx(once.weights, abs=1e-5)
