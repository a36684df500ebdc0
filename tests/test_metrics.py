import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from sklearn import metrics as reference
from sklearn.calibration import calibration_curve

from seentwice import metrics
from seentwice.curves import rank_pairs

Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]


def make_pairs(seed: int, *, ties: bool) -> tuple[Bools, Floats, Bools, Floats]:
    """Labels, scores, decisions and weights of 200 pairs, of which some weigh nothing."""
    rng = np.random.default_rng(seed)
    label = rng.random(200) < 0.3
    score = np.clip(0.3 * label + 0.7 * rng.random(200), 0, 1)
    score = np.round(score, 1) if ties else score
    return label, score, score >= 0.45, rng.integers(0, 4, size=200).astype(float)


CASES = [make_pairs(seed, ties=ties) for seed in range(3) for ties in (False, True)]


def slow_average_precision(label: Bools, score: Floats, weight: Floats) -> float:
    total, before = 0.0, 0.0
    for threshold in sorted(set(score.tolist()), reverse=True):
        called = score >= threshold
        hits = float(weight[called & label].sum())
        if hits > before:
            total += (hits - before) * hits / float(weight[called].sum())
        before = hits
    return total / float(weight[label].sum())


def slow_roc_auc(label: Bools, score: Floats, weight: Floats) -> float:
    won, possible = 0.0, 0.0
    for i in np.flatnonzero(label):
        for j in np.flatnonzero(~label):
            product = float(weight[i] * weight[j])
            possible += product
            won += product * ((score[i] > score[j]) + 0.5 * (score[i] == score[j]))
    return won / possible


def slow_recall_at_precision(label: Bools, score: Floats, weight: Floats, least: float) -> float:
    best = 0.0
    for threshold in set(score.tolist()):
        called = score >= threshold
        hits, everything = float(weight[called & label].sum()), float(weight[called].sum())
        if everything > 0 and hits / everything >= least:
            best = max(best, hits / float(weight[label].sum()))
    return best


@pytest.mark.parametrize(("label", "score", "decision", "weight"), CASES)
def test_ranking_metrics_agree_with_sklearn_and_with_a_slow_recomputation(
    label: Bools, score: Floats, decision: Bools, weight: Floats
) -> None:
    for w in (weight, np.ones(len(label))):
        assert metrics.average_precision(label, score, w) == pytest.approx(
            reference.average_precision_score(label, score, sample_weight=w), abs=1e-12
        )
        assert metrics.average_precision(label, score, w) == pytest.approx(
            slow_average_precision(label, score, w), abs=1e-12
        )
        assert metrics.roc_auc(label, score, w) == pytest.approx(
            reference.roc_auc_score(label, score, sample_weight=w), abs=1e-12
        )
        assert metrics.roc_auc(label, score, w) == pytest.approx(
            slow_roc_auc(label, score, w), abs=1e-12
        )


@pytest.mark.parametrize("least", [0.3, 0.5, 0.9, 0.99, 1.0])
@pytest.mark.parametrize(("label", "score", "decision", "weight"), CASES)
def test_recall_at_precision_agrees_with_sklearn_and_with_a_slow_recomputation(
    label: Bools, score: Floats, decision: Bools, weight: Floats, least: float
) -> None:
    for w in (weight, np.ones(len(label))):
        found = metrics.recall_at_precision(label, score, w, least_precision=least)
        assert found == pytest.approx(slow_recall_at_precision(label, score, w, least), abs=1e-12)
        precision, recall, _ = reference.precision_recall_curve(label, score, sample_weight=w)
        assert found == pytest.approx(recall[precision >= least].max(), abs=1e-12)


@pytest.mark.parametrize(("label", "score", "decision", "weight"), CASES)
def test_decision_metrics_agree_with_sklearn(
    label: Bools, score: Floats, decision: Bools, weight: Floats
) -> None:
    named: list[tuple[Callable[..., float], Callable[..., float]]] = [
        (metrics.accuracy, reference.accuracy_score),
        (metrics.precision, reference.precision_score),
        (metrics.recall, reference.recall_score),
        (metrics.f1, reference.f1_score),
    ]
    for ours, theirs in named:
        assert ours(label, decision) == pytest.approx(theirs(label, decision))
        assert ours(label, decision, weight) == pytest.approx(
            theirs(label, decision, sample_weight=weight)
        )


@pytest.mark.parametrize(("label", "score", "decision", "weight"), CASES)
def test_cross_entropy_agrees_with_sklearn(
    label: Bools, score: Floats, decision: Bools, weight: Floats
) -> None:
    clipped = np.clip(score, 1e-7, 1 - 1e-7)
    assert metrics.binary_cross_entropy(label, score, weight) == pytest.approx(
        reference.log_loss(label, clipped, sample_weight=weight)
    )


def test_cross_entropy_of_a_certain_mistake_is_finite() -> None:
    assert metrics.binary_cross_entropy([True], [0.0]) == pytest.approx(-math.log(1e-7))
    assert metrics.binary_cross_entropy([True, False], [1.0, 0.0]) == pytest.approx(0, abs=1e-6)


def slow_calibration_error(label: Bools, score: Floats, weight: Floats) -> float:
    total = 0.0
    for number in range(15):
        inside = (score > number / 15) & (score <= (number + 1) / 15)
        if number == 0:
            inside |= score == 0
        if weight[inside].sum() > 0:
            mean_score = np.average(score[inside], weights=weight[inside])
            share = np.average(label[inside], weights=weight[inside])
            total += weight[inside].sum() * abs(mean_score - share)
    return total / float(weight.sum())


@pytest.mark.parametrize(("label", "score", "decision", "weight"), CASES)
def test_calibration_error_agrees_with_a_slow_recomputation_and_with_sklearns_curve(
    label: Bools, score: Floats, decision: Bools, weight: Floats
) -> None:
    for w in (weight, np.ones(len(label))):
        assert metrics.expected_calibration_error(label, score, w) == pytest.approx(
            slow_calibration_error(label, score, w), abs=1e-12
        )
    share, mean_score = calibration_curve(label, score, n_bins=15)
    filled = np.bincount(np.ceil(np.maximum(score, 1e-9) * 15).astype(int))
    expected = (filled[filled > 0] * abs(share - mean_score)).sum() / len(score)
    assert metrics.expected_calibration_error(label, score) == pytest.approx(expected, abs=1e-12)


def test_calibration_error_of_scores_that_say_what_they_mean_and_that_do_not() -> None:
    label = np.arange(100) < 20
    assert metrics.expected_calibration_error(label, np.full(100, 0.2)) == pytest.approx(0)
    assert metrics.expected_calibration_error(label, np.full(100, 0.9)) == pytest.approx(0.7)
    assert metrics.expected_calibration_error(label, label.astype(float)) == 0
    assert metrics.expected_calibration_error(label, 1.0 - label) == 1


def test_a_score_between_two_bins_is_in_the_lower_one() -> None:
    edge = 7 / 15
    assert metrics.expected_calibration_error([True, False], [edge, edge - 0.01]) == pytest.approx(
        abs(2 * edge - 1.01) / 2
    )
    assert metrics.expected_calibration_error([True, False], [edge, edge + 0.01]) == pytest.approx(
        (1 - edge + edge + 0.01) / 2
    )


@pytest.mark.parametrize(("label", "score", "decision", "weight"), CASES)
def test_all_at_once_equals_one_at_a_time(
    label: Bools, score: Floats, decision: Bools, weight: Floats
) -> None:
    assert metrics.pair_metrics(label, score, decision, weight) == pytest.approx(
        {
            "average_precision": metrics.average_precision(label, score, weight),
            "roc_auc": metrics.roc_auc(label, score, weight),
            "accuracy": metrics.accuracy(label, decision, weight),
            "precision": metrics.precision(label, decision, weight),
            "recall": metrics.recall(label, decision, weight),
            "f1": metrics.f1(label, decision, weight),
            "recall_at_99_precision": metrics.recall_at_precision(label, score, weight),
            "bce": metrics.binary_cross_entropy(label, score, weight),
            "ece": metrics.expected_calibration_error(label, score, weight),
            "accuracy_at_half": metrics.accuracy(label, score >= 0.5, weight),
        }
    )


def test_equal_scores_rank_nothing() -> None:
    label, score = np.array([True, False, False, False]), np.full(4, 0.7)
    assert metrics.average_precision(label, score) == 0.25
    assert metrics.roc_auc(label, score) == 0.5
    assert metrics.recall_at_precision(label, score) == 0.0


def test_ties_do_not_depend_on_the_order_of_the_pairs() -> None:
    label, score, decision, _ = make_pairs(0, ties=True)
    flipped = metrics.pair_metrics(label[::-1], score[::-1], decision[::-1])
    assert metrics.pair_metrics(label, score, decision) == pytest.approx(flipped)


def test_what_one_class_leaves_undefined_is_nan() -> None:
    score, decision = np.array([0.2, 0.8]), np.array([False, True])
    without_positives = metrics.pair_metrics(np.zeros(2, bool), score, decision)
    undefined = {name for name, value in without_positives.items() if math.isnan(value)}
    assert undefined == {"average_precision", "roc_auc", "recall", "f1", "recall_at_99_precision"}
    assert math.isnan(metrics.f1(np.zeros(2, bool), decision))
    without_negatives = metrics.pair_metrics(np.ones(2, bool), score, decision)
    assert {name for name, value in without_negatives.items() if math.isnan(value)} == {"roc_auc"}


def test_nothing_called_a_duplicate_has_no_precision_and_no_f1() -> None:
    label, decision = np.array([True, False]), np.array([False, False])
    assert math.isnan(metrics.precision(label, decision))
    assert metrics.f1(label, decision) == 0.0


@pytest.mark.parametrize(
    ("label", "score", "message"),
    [
        ([], [], "n > 0"),
        ([True], [0.5, 0.5], "one shape"),
        ([1, 0], [0.5, 0.5], "must be bool"),
        ([True, False], [0.5, math.nan], "1 values not finite"),
    ],
)
def test_wrong_pairs_are_refused(label: list[bool], score: list[float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        metrics.average_precision(label, score)


def test_scores_that_are_no_probabilities_are_refused() -> None:
    with pytest.raises(ValueError, match=r"in \[0, 1\], got 0\.5 to 1\.5"):
        metrics.binary_cross_entropy([True, False], [0.5, 1.5])
    with pytest.raises(ValueError, match=r"in \[0, 1\]"):
        metrics.expected_calibration_error([True, False], [0.5, -0.5])
    with pytest.raises(ValueError, match="need one shape"):
        metrics.expected_calibration_error([True, False], [0.5])
    with pytest.raises(ValueError, match=r"in \[0, 1\]"):
        metrics.choose_threshold([True, False], [0.5, -0.5])


def test_scores_in_the_place_of_labels_or_decisions_are_refused() -> None:
    label, score, decision, _ = make_pairs(0, ties=False)
    for measure in (metrics.accuracy, metrics.precision, metrics.recall, metrics.f1):
        with pytest.raises(ValueError, match="decision must be bool, got float64"):
            measure(label, score)
        with pytest.raises(ValueError, match="label must be bool, got int64"):
            measure(label.astype(int), decision)
    for rate in (metrics.binary_cross_entropy, metrics.expected_calibration_error):
        with pytest.raises(ValueError, match="label must be bool, got float64"):
            rate(score, score)
        with pytest.raises(ValueError, match="n > 0"):
            rate(label[:0], score[:0])
    with pytest.raises(ValueError, match="decision must be bool"):
        metrics.pair_metrics(label, score, score)


def test_wrong_weights_are_refused() -> None:
    with pytest.raises(ValueError, match=r"of shape \(2,\), got \(1,\)"):
        metrics.roc_auc([True, False], [0.5, 0.4], [1.0])
    with pytest.raises(ValueError, match="at least 0"):
        metrics.accuracy([True, False], [True, False], [1.0, -1.0])


def test_the_threshold_lies_midway_between_the_two_scores_it_separates() -> None:
    assert metrics.choose_threshold([True, True, False], [0.9, 0.8, 0.4]) == pytest.approx(0.6)


def test_the_threshold_below_every_score_lies_midway_to_zero() -> None:
    assert metrics.choose_threshold([True, True], [0.8, 0.4]) == pytest.approx(0.2)
    assert metrics.choose_threshold([True, True], [0.8, 0.0]) == 0.0


def test_the_highest_of_equally_good_thresholds_is_chosen() -> None:
    # F1 is 2/3 after one pair, 1/2 after two and three, and 2/3 again after four.
    label, score = [True, False, False, True], [0.9, 0.7, 0.5, 0.3]
    assert metrics.choose_threshold(label, score) == pytest.approx(0.8)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_adjacent_scores_are_separated_in_their_own_precision(dtype: type[np.floating]) -> None:
    low = dtype(0.5)
    high = np.nextafter(low, dtype(1))
    score = np.array([high, low], dtype=dtype)
    threshold = metrics.choose_threshold([True, False], score)
    np.testing.assert_array_equal(score >= threshold, [True, False])


def test_a_threshold_needs_a_duplicate() -> None:
    with pytest.raises(ValueError, match="at least one pair that is a duplicate"):
        metrics.choose_threshold([False, False], [0.1, 0.2])


@pytest.mark.parametrize(("label", "score", "decision", "weight"), CASES)
def test_no_threshold_has_a_higher_f1_than_the_chosen_one(
    label: Bools, score: Floats, decision: Bools, weight: Floats
) -> None:
    chosen = metrics.f1(label, score >= metrics.choose_threshold(label, score))
    assert chosen == max(metrics.f1(label, score >= t) for t in np.unique(score))


def test_curves_end_with_every_pair_called_a_duplicate() -> None:
    label, score, _, _ = make_pairs(0, ties=True)
    curve = rank_pairs(label, score).curve(np.ones((1, len(label))))
    assert curve.recall()[0, -1] == 1
    assert curve.false_positive_rate()[0, -1] == 1
    assert curve.precision()[0, -1] == pytest.approx(label.mean())


pairs = st.lists(st.tuples(st.booleans(), st.integers(0, 20)), min_size=1, max_size=40)


def unzip(drawn: list[tuple[bool, int]]) -> tuple[Bools, Floats]:
    label, score = zip(*drawn, strict=True)
    return np.array(label), np.array(score) / 20


@settings(max_examples=60, deadline=None)
@given(pairs)
def test_a_rising_transform_of_the_scores_changes_no_ranking_metric(
    drawn: list[tuple[bool, int]],
) -> None:
    label, score = unzip(drawn)
    for transformed in (score**3, np.sqrt(score), 5 * score - 2, np.exp(score)):
        assert metrics.average_precision(label, transformed) == pytest.approx(
            metrics.average_precision(label, score), nan_ok=True
        )
        assert metrics.roc_auc(label, transformed) == pytest.approx(
            metrics.roc_auc(label, score), nan_ok=True
        )


@settings(max_examples=60, deadline=None)
@given(pairs, st.data())
def test_a_weight_of_two_equals_the_pair_twice_and_of_zero_its_absence(
    drawn: list[tuple[bool, int]], data: st.DataObject
) -> None:
    label, score = unzip(drawn)
    some = st.lists(st.integers(0, 3), min_size=len(drawn), max_size=len(drawn))
    weight = np.array(data.draw(some.filter(any)))
    repeated = np.repeat(np.arange(len(drawn)), weight)
    assert metrics.pair_metrics(label, score, score >= 0.5, weight) == pytest.approx(
        metrics.pair_metrics(label[repeated], score[repeated], score[repeated] >= 0.5),
        nan_ok=True,
    )
