from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seentwice.data.sampling import draw_negatives, draw_positives, pairs_at


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
