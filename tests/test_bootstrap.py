import math
from typing import NamedTuple

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn import metrics as reference

from seentwice import bootstrap
from seentwice.metrics import pair_metrics
from seentwice.records import Interval


class Pairs(NamedTuple):
    label: NDArray[np.bool_]
    score: NDArray[np.float64]
    decision: NDArray[np.bool_]
    left: NDArray[np.int64]
    right: NDArray[np.int64]


@pytest.fixture
def pairs() -> Pairs:
    """Pairs of 12 homes with gaps in their numbering; duplicates stay inside a home."""
    rng = np.random.default_rng(3)
    label = rng.random(150) < 0.4
    left = rng.integers(12, size=150) * 7
    right = np.where(label, left, rng.integers(12, size=150) * 7)
    score = np.round(np.clip(0.25 * label + 0.75 * rng.random(150), 0, 1), 2)
    return Pairs(label, score, score >= 0.5, left, right)


def naive_weights(pairs: Pairs, resamples: int, seed: int) -> list[NDArray[np.float64]]:
    """The weights of every resample, drawn and counted one cluster at a time."""
    homes = sorted(set(pairs.left.tolist()) | set(pairs.right.tolist()))
    generator = np.random.default_rng(seed)
    weights = []
    for _ in range(resamples):
        drawn = [homes[i] for i in generator.integers(len(homes), size=len(homes))]
        sides = zip(pairs.left.tolist(), pairs.right.tolist(), strict=True)
        weights.append(
            np.array(
                [
                    drawn.count(left) * (1 if left == right else drawn.count(right))
                    for left, right in sides
                ],
                dtype=np.float64,
            )
        )
    return weights


def percentiles(draws: list[float]) -> tuple[float, float]:
    low, high = np.percentile(draws, [2.5, 97.5])
    return float(low), float(high)


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
    }
    found = bootstrap.bootstrap_intervals(*pairs, resamples=60, seed=5)
    for name, draws in expected.items():
        assert (found[name].low, found[name].high) == pytest.approx(percentiles(draws), abs=1e-12)


def test_every_metric_gets_an_interval_around_its_plain_value(pairs: Pairs) -> None:
    found = bootstrap.bootstrap_intervals(*pairs, resamples=200)
    assert {name: interval.value for name, interval in found.items()} == pytest.approx(
        pair_metrics(pairs.label, pairs.score, pairs.decision)
    )
    assert all(i.low <= i.value <= i.high for i in found.values())


def test_the_difference_equals_a_naive_loop_over_sklearn(pairs: Pairs) -> None:
    baseline = np.random.default_rng(9).random(len(pairs.label))
    found = bootstrap.bootstrap_difference(
        pairs.label, pairs.score, baseline, pairs.left, pairs.right, resamples=40, seed=1
    )
    for name, measure in (
        ("average_precision", reference.average_precision_score),
        ("roc_auc", reference.roc_auc_score),
    ):
        draws = [
            measure(pairs.label, pairs.score, sample_weight=weight)
            - measure(pairs.label, baseline, sample_weight=weight)
            for weight in naive_weights(pairs, 40, seed=1)
        ]
        assert (found[name].low, found[name].high) == pytest.approx(percentiles(draws), abs=1e-12)
        assert found[name].value == pytest.approx(
            measure(pairs.label, pairs.score) - measure(pairs.label, baseline)
        )


def test_a_detector_does_not_beat_itself(pairs: Pairs) -> None:
    found = bootstrap.bootstrap_difference(
        pairs.label, pairs.score, pairs.score**2, pairs.left, pairs.right, resamples=20
    )
    assert set(found.values()) == {Interval(0.0, 0.0, 0.0)}


def test_blocks_of_any_size_give_the_same_resamples(
    pairs: Pairs, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = bootstrap.bootstrap_intervals(*pairs, resamples=30)
    monkeypatch.setattr(bootstrap, "BLOCK_BYTES", 7 * bootstrap.BYTES_PER_PAIR * len(pairs.label))
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


def test_pairs_keep_their_expected_share_in_the_resamples(pairs: Pairs) -> None:
    """The point of counting a pair inside one home once for each time that home was drawn."""
    plan = bootstrap.plan_resampling(pairs.left, pairs.right, resamples=4000)
    weights = np.concatenate(list(plan.weights(np.arange(len(pairs.label)))))
    inside = pairs.left == pairs.right
    assert weights[:, inside].mean() == pytest.approx(1, abs=0.02)
    # Two different homes are both drawn slightly less often than independence would have it.
    assert weights[:, ~inside].mean() == pytest.approx(1 - 1 / plan.clusters, abs=0.02)


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
    assert {name: interval.value for name, interval in found.items()} == {
        name: interval.value for name, interval in plain.items()
    }
    rest = bootstrap.bootstrap_difference(
        pairs.label, pairs.score, pairs.score**2, one, one, resamples=5
    )
    share = bootstrap.bootstrap_share(pairs.label, one, one, resamples=5)
    for interval in (*found.values(), *rest.values(), share):
        assert math.isfinite(interval.value)
        assert math.isnan(interval.low)
        assert math.isnan(interval.high)


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
