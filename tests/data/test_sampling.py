import tracemalloc
from collections import Counter
from itertools import combinations, permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seentwice.data.sampling import draw_negatives, draw_positives, draw_ranks, pairs_at


def all_pairs(count):
    return set(combinations(range(count), 2))


def as_set(pairs):
    return {tuple(sorted(pair)) for pair in pairs.tolist()}


def test_ranks_count_every_pair_once():
    low, high = pairs_at(np.arange(45))
    assert set(zip(low.tolist(), high.tolist(), strict=True)) == all_pairs(10)


@given(st.integers(0, 2**31 * (2**31 - 1) // 2 - 1))
def test_rank_and_pair_agree_up_to_two_billion_items(rank):
    low, high = (int(side[0]) for side in pairs_at(np.array([rank])))
    assert 0 <= low < high
    assert high * (high - 1) // 2 + low == rank


@given(st.integers(0, 300), st.data())
def test_ranks_are_drawn_in_range_and_none_twice(total, data):
    wanted = data.draw(st.integers(0, total))
    drawn = draw_ranks(total, wanted, np.random.default_rng(0))
    assert len(drawn) == len(set(drawn.tolist())) == wanted
    assert set(drawn.tolist()) <= set(range(total))
    assert np.array_equal(drawn, draw_ranks(total, wanted, np.random.default_rng(0)))


@pytest.mark.parametrize("wanted", [2, 4])  # of 7: drawn with replacement, and permuted
def test_every_ordered_draw_is_equally_likely(wanted):
    generator = np.random.default_rng(0)
    counts = Counter(tuple(draw_ranks(7, wanted, generator).tolist()) for _ in range(40_000))
    outcomes = list(permutations(range(7), wanted))
    expected = 40_000 / len(outcomes)
    statistic = sum((counts[outcome] - expected) ** 2 for outcome in outcomes) / expected
    assert counts.total() == sum(counts[outcome] for outcome in outcomes)
    # A chi-square variable of n degrees of freedom has mean n and variance 2 n.
    freedom = len(outcomes) - 1
    assert abs(statistic - freedom) < 4 * np.sqrt(2 * freedom)


@pytest.mark.parametrize("factor", [2, 3, 20, 49, 10**6])
def test_memory_follows_the_ranks_wanted_and_not_their_total(factor):
    wanted = 100_000
    tracemalloc.start()
    try:
        draw_ranks(factor * wanted, wanted, np.random.default_rng(0))
        peak_bytes = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak_bytes < 12 * 8 * wanted


@given(st.lists(st.integers(0, 4), min_size=1, max_size=25))
def test_all_positives_are_the_pairs_of_one_place(places):
    place = np.unique(places, return_inverse=True)[1]
    drawn = draw_positives(place, 10_000, np.random.default_rng(0))
    expected = {(i, j) for i, j in all_pairs(len(places)) if places[i] == places[j]}
    assert as_set(drawn) == expected
    assert len(drawn) == len(expected)


def test_a_sample_of_positives_holds_no_pair_twice_and_no_wrong_one():
    place = np.repeat(np.arange(5), 8)
    drawn = draw_positives(place, 30, np.random.default_rng(1))
    assert len(as_set(drawn)) == 30
    assert (place[drawn[:, 0]] == place[drawn[:, 1]]).all()


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 2)), min_size=2, max_size=20))
def test_all_negatives_share_neither_place_nor_zone(items):
    place, zone = np.array(items).T
    drawn = draw_negatives(
        place, zone, np.zeros(len(items), np.uint64), 10_000, 0.5, np.random.default_rng(0)
    )
    expected = {
        (i, j) for i, j in all_pairs(len(items)) if place[i] != place[j] and zone[i] != zone[j]
    }
    assert as_set(drawn) == expected
    assert len(drawn) == len(expected)


@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
def test_a_sample_of_negatives_has_the_size_asked_for(share):
    place = np.arange(200)
    hashes = np.random.default_rng(0).integers(0, 2**63, 200).astype(np.uint64)
    drawn = draw_negatives(place, place, hashes, 300, share, np.random.default_rng(0))
    assert len(as_set(drawn)) == 300


def test_hash_weighted_draws_follow_sequential_weighted_draws():
    """Against the definition: draw one pair after another with weight exp(-distance)."""
    place = np.arange(5)
    hashes = np.array([0b0, 0b1, 0b11, 0b111, 0b1111], np.uint64)
    pairs = sorted(all_pairs(5))
    weight = np.array([np.exp(-abs(int(i) - int(j))) for i, j in pairs])
    wanted, repetitions = 3, 4000
    slow = np.random.default_rng(1)
    expected = np.zeros(len(pairs))
    for _ in range(repetitions):
        expected[slow.choice(len(pairs), wanted, replace=False, p=weight / weight.sum())] += 1
    counted = dict.fromkeys(pairs, 0)
    fast = np.random.default_rng(2)
    for _ in range(repetitions):
        for pair in as_set(draw_negatives(place, place, hashes, wanted, 1.0, fast)):
            counted[pair] += 1
    measured = np.array([counted[pair] for pair in pairs])
    # Five standard errors of the difference of two binomial counts.
    tolerance = 5 * np.sqrt(2 * expected * (1 - expected / repetitions) + 1)
    assert (np.abs(measured - expected) < tolerance).all()
