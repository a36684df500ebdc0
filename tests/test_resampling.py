from itertools import product

import numpy as np
import pytest
from clustered_pairs import make_clustered_pairs, naive_weights

from seentwice.resampling import Resampling, plan_resampling


def weights_of_pairs(plan: Resampling) -> np.ndarray:
    """The weight of every pair in every resample, (resamples, n)."""
    return np.concatenate(list(plan.weights(plan.groups)), axis=1)[plan.group].T


def test_weights_are_those_of_a_slow_count() -> None:
    pairs = make_clustered_pairs()
    plan = plan_resampling(pairs.left, pairs.right, resamples=40, seed=2)
    np.testing.assert_allclose(weights_of_pairs(plan), naive_weights(pairs, 40, seed=2), rtol=1e-12)


@pytest.mark.parametrize("clusters", [2, 3, 4])
def test_every_pair_weighs_one_on_average(clusters: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Exactly, over all that can be drawn: within a home, and across two however few there are."""
    every = np.array(list(product(range(clusters), repeat=clusters)))
    counts = np.stack([np.bincount(drawn, minlength=clusters) for drawn in every], axis=1)
    monkeypatch.setattr(Resampling, "_draw", lambda plan, generator, resamples: counts * 1.0)
    left, right = np.array(list(product(range(clusters), repeat=2))).T
    plan = plan_resampling(left, right, resamples=1)
    np.testing.assert_allclose(weights_of_pairs(plan).mean(axis=0), 1, rtol=1e-12)


def test_both_orders_of_two_homes_are_one_group() -> None:
    plan = plan_resampling([5, 9, 5, 7, 9], [9, 5, 5, 7, 9])
    assert plan.group[0] == plan.group[1]
    assert plan.groups == 4
    assert plan.clusters == 3


@pytest.mark.parametrize("floats", [1, 10**5, 10**9])
def test_blocks_of_any_size_hold_the_same_resamples(floats: int) -> None:
    pairs = make_clustered_pairs()
    plan = plan_resampling(pairs.left, pairs.right, resamples=50, seed=1)
    whole = np.concatenate(list(plan.weights(1)), axis=1)
    np.testing.assert_array_equal(np.concatenate(list(plan.weights(floats)), axis=1), whole)
    assert whole.shape == (plan.groups, 50)


def test_wrong_clusters_are_refused() -> None:
    with pytest.raises(ValueError, match="resamples must be at least 1, got 0"):
        plan_resampling([1], [1], resamples=0)
    with pytest.raises(ValueError, match=r"\(n,\) with n > 0"):
        plan_resampling([], [])
