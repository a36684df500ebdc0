import math

import numpy as np
import pytest
from clustered_pairs import Pairs, make_clustered_pairs, naive_weights, percentiles
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest, chi2
from sklearn import metrics as reference

from seentwice.metrics import pair_metrics
from seentwice.paired import bootstrap_difference, compare_decisions
from seentwice.records import Interval


@pytest.fixture
def pairs() -> Pairs:
    return make_clustered_pairs()


def test_the_difference_equals_a_naive_loop_over_sklearn(pairs: Pairs) -> None:
    label, score, decision = pairs[:3]
    baseline = np.random.default_rng(9).random(len(label))
    called = baseline >= 0.6
    found = bootstrap_difference(
        label, score, decision, baseline, called, pairs.left, pairs.right, resamples=40, seed=1
    )
    weights = naive_weights(pairs, 40, seed=1)
    for name, measure, ours, theirs in (
        ("average_precision", reference.average_precision_score, score, baseline),
        ("roc_auc", reference.roc_auc_score, score, baseline),
        ("accuracy", reference.accuracy_score, decision, called),
        ("precision", reference.precision_score, decision, called),
        ("recall", reference.recall_score, decision, called),
        ("f1", reference.f1_score, decision, called),
    ):
        draws = [
            measure(label, ours, sample_weight=weight)
            - measure(label, theirs, sample_weight=weight)
            for weight in weights
        ]
        assert (found[name].low, found[name].high) == pytest.approx(percentiles(draws), abs=1e-12)
        assert found[name].value == pytest.approx(measure(label, ours) - measure(label, theirs))
    assert found.keys() == pair_metrics(label, score, decision).keys()


def test_a_detector_does_not_beat_itself(pairs: Pairs) -> None:
    label, score, decision = pairs[:3]
    found = bootstrap_difference(
        label, score, decision, score, decision, pairs.left, pairs.right, resamples=20
    )
    assert set(found.values()) == {Interval(0.0, 0.0, 0.0)}


def test_one_cluster_has_a_difference_and_no_interval(pairs: Pairs) -> None:
    label, score, decision = pairs[:3]
    one = np.zeros(len(label), int)
    found = bootstrap_difference(label, score, decision, 1 - score, ~decision, one, one)
    assert found["accuracy"].value == pytest.approx(2 * (decision == label).mean() - 1)
    assert all(math.isnan(interval.low) for interval in found.values())


def test_clusters_of_other_pairs_are_refused(pairs: Pairs) -> None:
    with pytest.raises(ValueError, match="150 pairs have clusters for 3"):
        bootstrap_difference(*pairs[:3], *pairs[1:3], [0, 1, 2], [0, 1, 2])


def split_decisions(only_ours: int, only_theirs: int, both: int, neither: int):
    """Labels, and decisions of two detectors of which each is right as often as is told."""
    ours = np.repeat([True, False, True, False], [only_ours, only_theirs, both, neither])
    theirs = np.repeat([False, True, True, False], [only_ours, only_theirs, both, neither])
    label = np.arange(len(ours)) % 3 == 0
    return label, ours == label, theirs == label


COUNTS = st.integers(0, 40)


@settings(max_examples=60, deadline=None)
@given(COUNTS, COUNTS, COUNTS, COUNTS)
def test_mcnemar_is_the_exact_binomial_test_of_the_pairs_decided_differently(
    only_ours: int, only_theirs: int, both: int, neither: int
) -> None:
    test = compare_decisions(*split_decisions(only_ours, only_theirs, both, neither))
    assert (test.only_ours, test.only_theirs) == (only_ours, only_theirs)
    differ = only_ours + only_theirs
    as_uneven = sum(
        math.comb(differ, k)
        for k in range(differ + 1)
        if abs(2 * k - differ) >= abs(only_ours - only_theirs)
    )
    assert test.p_value == pytest.approx(as_uneven / 2**differ)
    if differ:
        assert test.p_value == pytest.approx(binomtest(only_ours, differ).pvalue)


def test_of_many_pairs_mcnemar_is_the_corrected_chi_squared_test() -> None:
    test = compare_decisions(*split_decisions(52_000, 51_000, 900_000, 10))
    statistic = (abs(52_000 - 51_000) - 1) ** 2 / 103_000
    assert test.p_value == pytest.approx(chi2.sf(statistic, 1), rel=1e-3)


def test_mcnemar_takes_pairs_of_one_home_for_independent() -> None:
    """What its docstring warns of, and why the clustered interval stands beside it."""
    home = np.repeat(np.arange(20), 50)
    label = np.zeros(len(home), dtype=bool)
    ours, theirs = home >= 10, (home >= 5) & (home < 18)  # a home is right as a whole, or wrong
    assert compare_decisions(label, ours, theirs).p_value < 1e-6
    accuracy = bootstrap_difference(label, ours * 1.0, ours, theirs * 1.0, theirs, home, home)
    assert accuracy["accuracy"].low < 0 < accuracy["accuracy"].high


def test_decisions_of_other_pairs_are_refused() -> None:
    with pytest.raises(ValueError, match=r"differ: \(2,\), \(2,\), \(1,\)"):
        compare_decisions([True, False], [True, True], [True])
    with pytest.raises(ValueError, match="baseline_decision must be bool, got float64"):
        compare_decisions([True, False], [True, True], [0.9, 0.1])


def test_of_very_many_pairs_the_chance_may_be_too_small_for_a_float() -> None:
    assert compare_decisions(*split_decisions(1000, 0, 5, 0)).p_value > 0
    assert compare_decisions(*split_decisions(5000, 0, 5, 0)).p_value == 0
