import tracemalloc
from collections import Counter
from itertools import combinations, permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seentwice.data.sampling.ranks import draw_ranks, pairs_at, rank_of


def all_pairs(count):
    return set(combinations(range(count), 2))


def test_ranks_count_every_pair_once():
    low, high = pairs_at(np.arange(45))
    assert set(zip(low.tolist(), high.tolist(), strict=True)) == all_pairs(10)


@given(st.integers(0, 2**31 * (2**31 - 1) // 2 - 1))
def test_rank_and_pair_agree_up_to_two_billion_items(rank):
    low, high = (int(side[0]) for side in pairs_at(np.array([rank])))
    assert 0 <= low < high
    assert high * (high - 1) // 2 + low == rank
    assert rank_of(np.array([low]), np.array([high])) == [rank]


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
