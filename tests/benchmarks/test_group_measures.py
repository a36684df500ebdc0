from itertools import combinations

import numpy as np
import pytest
from group_measures import (
    join_pairs,
    measure_groups,
    measure_pairs,
    measure_pairs_within,
)
from hypothesis import given
from hypothesis import strategies as st

labels = st.integers(1, 12).flatmap(
    lambda count: st.tuples(
        *(st.lists(st.integers(0, 5), min_size=count, max_size=count) for _ in range(2))
    )
)


def list_groups(labels):
    return [{n for n, own in enumerate(labels) if own == label} for label in set(labels)]


@given(labels)
def test_pairs_within_groups_are_those_of_a_slow_count(both):
    truth, groups = both
    pairs = list(combinations(range(len(truth)), 2))
    true = {(a, b) for a, b in pairs if truth[a] == truth[b]}
    found = {(a, b) for a, b in pairs if groups[a] == groups[b]}

    within = measure_pairs_within(np.array(truth), np.array(groups))

    assert (within.true, within.found, within.wrong) == (len(true), len(found), len(found - true))
    assert within.precision == (len(found & true) / len(found) if found else 1)
    assert within.recall == (len(found & true) / len(true) if true else 1)
    listed = np.array(sorted(found), np.int64).reshape(-1, 2)
    assert measure_pairs(np.array(truth), listed[:, 0], listed[:, 1]) == within


@given(labels)
def test_groups_are_measured_as_a_slow_recomputation_does(both):
    truth, groups = both
    true, found = list_groups(truth), list_groups(groups)
    count = len(truth)
    own = [next(group for group in true if n in group) for n in range(count)]
    put = [next(group for group in found if n in group) for n in range(count)]

    measured = measure_groups(np.array(truth), np.array(groups))

    shared = [len(a & b) for a, b in zip(own, put, strict=True)]
    precision = np.mean([k / len(group) for k, group in zip(shared, put, strict=True)])
    recall = np.mean([k / len(group) for k, group in zip(shared, own, strict=True)])
    assert measured.bcubed_precision == pytest.approx(precision)
    assert measured.bcubed_recall == pytest.approx(recall)
    true, found = ([group for group in one if len(group) > 1] for one in (true, found))
    assert (measured.true, measured.found) == (len(true), len(found))
    assert measured.whole == (sum(g in found for g in true) / len(true) if true else 1)
    pure = [any(group <= other for other in list_groups(truth)) for group in found]
    assert measured.pure == pytest.approx(np.mean(pure) if found else 1)
    assert measured.largest == max(map(len, found), default=0)


def test_nothing_found_is_precise_and_recalls_nothing():
    truth, alone = np.array([0, 0, 1, 1, 1]), np.arange(5)

    pairs, groups = measure_pairs_within(truth, alone), measure_groups(truth, alone)

    assert (pairs.precision, pairs.recall, pairs.f1) == (1, 0, 0)
    assert (groups.bcubed_precision, groups.whole, groups.pure) == (1, 0, 1)
    assert groups.bcubed_recall == pytest.approx((2 / 2 + 3 / 3) / 5)


def test_pairs_that_chain_make_one_group():
    found = join_pairs(6, np.array([0, 1, 4]), np.array([1, 2, 5]))

    assert list_groups(found.tolist()) == [{0, 1, 2}, {3}, {4, 5}]


def test_the_harmonic_mean_is_between_its_two():
    pairs = measure_pairs(np.array([0, 0, 0, 1]), np.array([0, 0]), np.array([1, 3]))

    assert (pairs.precision, pairs.recall) == (1 / 2, 1 / 3)
    assert pairs.f1 == pytest.approx(0.4)
