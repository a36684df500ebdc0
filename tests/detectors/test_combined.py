from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit, logit
from sklearn.linear_model import LogisticRegression

from seentwice.detectors.calibration import fit_calibration
from seentwice.detectors.combined import fit_combination, fit_weights


def make_scores(seed, shifts, count=600, share=0.2):
    """Scores (n, k) of detectors whose logits are higher for duplicates by these shifts."""
    rng = np.random.default_rng(seed)
    label = rng.random(count) < share
    noise = rng.normal(size=(count, 1)) + rng.normal(size=(count, len(shifts)))
    return expit(label[:, None] * np.array(shifts) + noise - 1), label


def scale(scores):
    logits = logit(scores)
    return (logits - logits.mean(axis=0)) / logits.std(axis=0)


def regress(scaled, label, ridge):
    """The logistic regression of scikit-learn, whose weights may have any sign."""
    model = LogisticRegression(C=1 / (ridge * len(label)), tol=1e-10, max_iter=10_000)
    return model.fit(scaled, label)


def fit_every_subset(scaled, label, ridge):
    """The weights of least loss among the regressions on some detectors that have none below 0.

    Where the bounds hold a weight at 0, the regression on the others alone is the bounded one.
    """
    count = scaled.shape[1]
    best, least = np.zeros(count), np.inf
    for size in range(1, count + 1):
        for chosen in map(list, combinations(range(count), size)):
            model = regress(scaled[:, chosen], label, ridge)
            weights = np.zeros(count)
            weights[chosen] = model.coef_[0]
            total = scaled @ weights + model.intercept_[0]
            loss = (np.logaddexp(0, total) - label * total).mean() + ridge / 2 * weights @ weights
            if (weights >= 0).all() and loss < least:
                best, least = weights, loss
    return best


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("ridge", [1e-3, 0.03, 1.0])
@pytest.mark.parametrize("shifts", [(1.0, 2.0), (2.0, 1.5, 0.1, 2.5), (3.0, 0.0, -1.0, 0.5)])
def test_the_weights_are_the_best_that_are_not_below_0(seed, ridge, shifts):
    scores, label = make_scores(seed, shifts)
    found = fit_weights(scale(scores), label, ridge)
    expected = fit_every_subset(scale(scores), label, ridge)
    assert found == pytest.approx(expected, abs=2e-4)
    assert (found == 0).tolist() == (expected == 0).tolist()


def test_without_bounds_in_the_way_it_is_a_logistic_regression():
    scores, label = make_scores(1, (1.8, 2.0, 1.9), count=3000)
    model = regress(scale(scores), label, 0.01)
    assert (model.coef_ > 0).all()
    assert fit_weights(scale(scores), label, 0.01) == pytest.approx(model.coef_[0], abs=1e-4)


@pytest.mark.parametrize("homes", [1, 2, 40])
def test_each_home_is_one_observation_and_the_sum_is_calibrated(homes):
    scores, label = make_scores(0, (1.0, 2.0, -1.0))
    combination = fit_combination(scores, label, homes)
    evidence = scale(scores) @ fit_weights(scale(scores), label, 1 / homes)
    expected = fit_calibration(evidence, label)(evidence)
    assert combination(scores) == pytest.approx(expected, abs=1e-9)


def test_the_fewer_homes_the_more_a_detector_counts_by_itself():
    """The second adds nothing to the first, which a fit of many homes sees."""
    rng = np.random.default_rng(2)
    label = rng.random(4000) < 0.5
    first = 1.5 * label + rng.normal(size=4000)
    scores = expit(np.stack([first, first + rng.normal(size=4000)], axis=1))
    shares = []
    for homes in (1, 10, 10_000):
        weights = fit_combination(scores, label, homes).weights
        shares.append(weights[1] / weights.sum())
    assert shares[0] > 0.4
    assert shares == sorted(shares, reverse=True)
    assert shares[2] < 0.1


def test_what_several_see_ranks_better_than_what_one_sees():
    rng = np.random.default_rng(1)
    label = rng.random(2000) < 0.3
    scores = expit(label[:, None] * 1.5 + rng.normal(size=(2000, 3)))  # each errs by itself
    combination = fit_combination(scores[:1000], label[:1000], homes=20)
    above = [
        np.mean(values[label[1000:]][:, None] > values[~label[1000:]])
        for values in (combination(scores[1000:]), *scores[1000:].T)
    ]
    assert above[0] > max(above[1:]) + 0.05


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10**6), st.integers(0, 3), st.floats(0, 1), st.floats(0, 1))
def test_a_surer_detector_never_lowers_the_probability(seed, detector, low, high):
    scores, label = make_scores(seed, (2.0, 0.3, -1.0, 1.0), count=80, share=0.5)
    combination = fit_combination(scores, label, homes=8)
    doubted, sure = scores.copy(), scores.copy()
    doubted[:, detector], sure[:, detector] = min(low, high), max(low, high)
    assert (combination.weights >= 0).all()
    assert (combination(sure) >= combination(doubted)).all()


def test_the_order_of_detectors_and_pairs_does_not_matter():
    scores, label = make_scores(2, (1.0, -0.5, 2.0))
    expected = fit_combination(scores, label, homes=30)
    columns, rows = [2, 0, 1], np.random.default_rng(0).permutation(len(label))
    found = fit_combination(scores[rows][:, columns], label[rows], homes=30)
    assert found.weights == pytest.approx(expected.weights[columns], abs=1e-4)
    assert found.offset == pytest.approx(expected.offset, abs=1e-4)


@pytest.mark.parametrize("share", [0.05, 0.5, 0.9])
def test_the_mean_probability_is_the_share_of_duplicates(share):
    scores, label = make_scores(3, (1.0, 2.0), share=share)
    probability = fit_combination(scores, label, homes=2)(scores)
    assert probability.mean() == pytest.approx(label.mean(), abs=1e-4)


def test_detectors_that_say_nothing_or_the_opposite_are_left_out():
    scores, label = make_scores(4, (-2.0, -1.0))
    constant = np.full((len(label), 1), 0.3)
    combination = fit_combination(np.concatenate([scores, constant], axis=1), label, homes=5)
    assert combination.weights.tolist() == [0, 0, 0]
    assert combination(np.array([[0.9, 0.1, 0.3], [0.1, 0.9, 0.8]])) == pytest.approx(
        [label.mean()] * 2, abs=1e-4
    )


def test_scores_of_0_and_1_and_classes_that_part_stay_finite():
    label = np.arange(40) < 10
    combination = fit_combination(np.stack([label, 0.2 + 0.6 * label], axis=1), label, homes=1000)
    assert np.isfinite([*combination.weights, combination.offset]).all()
    probability = combination(np.array([[1.0, 0.8], [0.0, 0.2], [0.0, 0.8]]))
    assert probability[0] > 0.9
    assert probability[1] < 0.1
    assert probability[1] < probability[2] < probability[0]


def test_more_pairs_of_the_same_homes_give_the_same_weights():
    scores, label = make_scores(5, (1.0, 2.0), count=100)
    once = fit_combination(scores, label, homes=10)
    often = fit_combination(np.repeat(scores, 50, axis=0), np.repeat(label, 50), homes=10)
    assert often.weights == pytest.approx(once.weights, rel=1e-2)
