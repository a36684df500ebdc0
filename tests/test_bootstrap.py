import math

import numpy as np
import pytest
from clustered_pairs import Pairs, make_clustered_pairs, naive_weights, percentiles
from numpy.typing import NDArray
from sklearn import metrics as reference

from seentwice import bootstrap, resampling
from seentwice.metrics import expected_calibration_error, pair_metrics
from seentwice.records import Interval


@pytest.fixture
def pairs() -> Pairs:
    return make_clustered_pairs()


def recall_slowly(pairs: Pairs, weight: NDArray[np.float64]) -> float:
    """The highest recall at a precision of 99 %, of one weighting."""
    precision, recall, _ = reference.precision_recall_curve(
        pairs.label, pairs.score, sample_weight=weight
    )
    return float(recall[precision >= 0.99].max())


def test_intervals_equal_a_naive_loop_over_sklearn(pairs: Pairs) -> None:
    weights = naive_weights(pairs, 60, seed=5)
    expected = {
        "average_precision": [
            reference.average_precision_score(pairs.label, pairs.score, sample_weight=weight)
            for weight in weights
        ],
        "roc_auc": [
            reference.roc_auc_score(pairs.label, pairs.score, sample_weight=weight)
            for weight in weights
        ],
        "accuracy": [
            reference.accuracy_score(pairs.label, pairs.decision, sample_weight=weight)
            for weight in weights
        ],
        "precision": [
            reference.precision_score(pairs.label, pairs.decision, sample_weight=weight)
            for weight in weights
        ],
        "recall": [
            reference.recall_score(pairs.label, pairs.decision, sample_weight=weight)
            for weight in weights
        ],
        "f1": [
            reference.f1_score(pairs.label, pairs.decision, sample_weight=weight)
            for weight in weights
        ],
        "bce": [
            reference.log_loss(
                pairs.label, np.clip(pairs.score, 1e-7, 1 - 1e-7), sample_weight=weight
            )
            for weight in weights
        ],
        "ece": [expected_calibration_error(pairs.label, pairs.score, weight) for weight in weights],
        "recall_at_99_precision": [recall_slowly(pairs, weight) for weight in weights],
        "accuracy_at_half": [
            reference.accuracy_score(pairs.label, pairs.score >= 0.5, sample_weight=weight)
            for weight in weights
        ],
    }
    found = bootstrap.bootstrap_intervals(*pairs, resamples=60, seed=5)
    assert found.keys() == expected.keys()
    for name, draws in expected.items():
        assert (found[name].low, found[name].high) == pytest.approx(percentiles(draws), abs=1e-12)


def test_every_metric_gets_an_interval_around_its_plain_value(pairs: Pairs) -> None:
    found = bootstrap.bootstrap_intervals(*pairs, resamples=200)
    assert {name: interval.value for name, interval in found.items()} == pytest.approx(
        pair_metrics(pairs.label, pairs.score, pairs.decision)
    )
    # The error of few pairs is too high, and resamples hold fewer different ones than there are.
    assert found["ece"].value <= found["ece"].high
    assert all(i.low <= i.value <= i.high for name, i in found.items() if name != "ece")


def test_blocks_of_any_size_give_the_same_resamples(
    pairs: Pairs, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = bootstrap.bootstrap_intervals(*pairs, resamples=30)
    monkeypatch.setattr(resampling, "BLOCK_BYTES", 0)  # one resample at a time
    in_blocks = bootstrap.bootstrap_intervals(*pairs, resamples=30)
    for name, interval in whole.items():
        assert (interval.low, interval.high) == pytest.approx(
            (in_blocks[name].low, in_blocks[name].high)
        )


def test_the_seed_decides_the_resamples(pairs: Pairs) -> None:
    first, again, other = (
        bootstrap.bootstrap_intervals(*pairs, resamples=30, seed=seed) for seed in (0, 0, 1)
    )
    assert first == again
    assert first["roc_auc"] != other["roc_auc"]


def test_resamples_without_duplicates_are_left_out_of_the_interval() -> None:
    label, score = np.array([True, False, False]), np.array([0.9, 0.5, 0.1])
    found = bootstrap.bootstrap_intervals(
        label, score, score >= 0.7, [0, 1, 2], [0, 2, 3], resamples=50
    )
    assert found["recall"] == Interval(1.0, 1.0, 1.0)
    assert found["average_precision"] == Interval(1.0, 1.0, 1.0)


def test_a_metric_that_is_never_defined_has_no_interval() -> None:
    found = bootstrap.bootstrap_intervals(
        np.zeros(3, bool), np.array([0.9, 0.5, 0.1]), np.zeros(3, bool), [0, 1, 2], [1, 2, 0]
    )
    interval = found["average_precision"]
    assert all(math.isnan(x) for x in (interval.value, interval.low, interval.high))
    assert found["accuracy"].value == 1.0


def test_one_cluster_has_values_and_no_interval(pairs: Pairs) -> None:
    one = np.zeros(len(pairs.label), int)
    plain = bootstrap.bootstrap_intervals(*pairs, resamples=5)
    found = bootstrap.bootstrap_intervals(*pairs[:3], one, one, resamples=5)
    assert {name: interval.value for name, interval in found.items()} == pytest.approx(
        {name: interval.value for name, interval in plain.items()}
    )
    share = bootstrap.bootstrap_share(pairs.label, one, one, resamples=5)
    for interval in (*found.values(), share):
        assert math.isfinite(interval.value)
        assert math.isnan(interval.low)
        assert math.isnan(interval.high)


def test_one_score_for_all_has_an_area_of_exactly_one_half(pairs: Pairs) -> None:
    """By which a detector that has learned nothing is told; its weights are not whole numbers."""
    score = np.full(len(pairs.label), 0.3)
    found = bootstrap.bootstrap_ranking(pairs.label, score, pairs.left, pairs.right)
    assert found["roc_auc"] == Interval(0.5, 0.5, 0.5)


def test_of_few_homes_the_share_of_duplicates_stays_what_it_is() -> None:
    """Which is the precision of calling all of them one."""
    left, right = np.array([(a, b) for a in range(3) for b in range(3) for _ in range(4)]).T
    label = left == right
    score = np.full(len(label), 0.5)
    found = bootstrap.bootstrap_intervals(
        label, score, score > 0.4, left, right, resamples=4000, level=0.0002
    )
    assert found["precision"].value == pytest.approx(1 / 3)
    # 18 of 27 ways to draw three homes draw one twice and another once: 2 + 1 times the duplicates
    # of a home, and 2 · 1 times 3/2 those of two homes, each in both orders. Without the 3/2 it
    # would be 3/7.
    assert found["precision"].low == pytest.approx(3 / (3 + 2 * 2 * 3 / 2))


def test_wrong_input_is_refused(pairs: Pairs) -> None:
    with pytest.raises(ValueError, match="resamples must be at least 1, got 0"):
        bootstrap.bootstrap_intervals(*pairs, resamples=0)
    with pytest.raises(ValueError, match="150 pairs have clusters for 3"):
        bootstrap.bootstrap_intervals(*pairs[:3], [0, 1, 2], [0, 1, 2])
    with pytest.raises(ValueError, match=r"level must lie between 0 and 1, got 95"):
        bootstrap.bootstrap_intervals(*pairs, resamples=2, level=95)


def test_the_interval_of_a_share():
    hits = np.array([True, False, True, True, False, False, True, True, True])
    cluster = np.array([0, 0, 0, 1, 1, 2, 2, 3, 3])
    found = bootstrap.bootstrap_share(hits, cluster, cluster, resamples=400, seed=3)
    assert found.value == pytest.approx(6 / 9)
    # The same resamples by hand: clusters drawn with replacement, shares of the drawn queries.
    generator, shares = np.random.default_rng(3), []
    for drawn in generator.integers(4, size=(400, 4)):
        queries = np.concatenate([np.flatnonzero(cluster == number) for number in drawn])
        shares.append(hits[queries].mean())
    assert [found.low, found.high] == pytest.approx(np.quantile(shares, [0.025, 0.975]).tolist())


@pytest.mark.parametrize("hit", [True, False])
def test_a_share_of_all_or_none_has_no_width(hit):
    cluster = np.arange(6) // 2
    found = bootstrap.bootstrap_share(np.full(6, hit), cluster, cluster, resamples=50)
    assert found == Interval(hit, hit, hit)


def test_a_share_is_the_recall_of_pairs_that_all_are_duplicates():
    generator = np.random.default_rng(0)
    hits = generator.random(300) < 0.3
    left, right = generator.integers(12, size=(2, 300))
    all_true = np.ones(300, dtype=bool)
    measured = bootstrap.bootstrap_intervals(all_true, hits, hits, left, right, resamples=80)
    recall = measured["recall"]
    share = bootstrap.bootstrap_share(hits, left, right, resamples=80)
    assert [share.value, share.low, share.high] == pytest.approx(
        [recall.value, recall.low, recall.high]
    )
