import tracemalloc
from collections import Counter
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seentwice.data.sampling import pair_space
from seentwice.data.sampling.pair_space import ALONE, PairSpace, join_codes
from seentwice.data.sampling.ranks import pairs_at, rank_of

CODES = st.integers(ALONE, 3)
ROWS = st.integers(0, 25).flatmap(
    lambda items: st.lists(st.lists(CODES, min_size=items, max_size=items), min_size=1, max_size=4)
)


def shares(codes, i, j):
    return codes[i] == codes[j] != ALONE


def slow_pairs(rows):
    together, *apart = rows
    return {
        (i, j)
        for i, j in combinations(range(len(together)), 2)
        if shares(together, i, j) and not any(shares(codes, i, j) for codes in apart)
    }


def space_of(rows):
    together, *apart = (np.array(codes, np.int64) for codes in rows)
    return PairSpace(together, tuple(apart))


def pairs_of(ranks):
    low, high = pairs_at(ranks)
    return list(zip(low.tolist(), high.tolist(), strict=True))


@given(ROWS)
def test_the_space_is_that_of_a_slow_search(rows):
    space, expected = space_of(rows), slow_pairs(rows)
    assert space.count() == len(expected)
    assert pairs_of(space.list_ranks()) == sorted(expected, key=lambda pair: pair[::-1])
    everything = list(combinations(range(len(rows[0])), 2))
    low, high = np.array(everything, np.int64).reshape(-1, 2).T
    assert [p for p, held in zip(everything, space.holds(low, high), strict=True) if held] == [
        pair for pair in everything if pair in expected
    ]


@given(ROWS, st.data())
def test_a_draw_gives_what_is_asked_or_all_there_is_and_nothing_twice(rows, data):
    expected = slow_pairs(rows)
    taken = data.draw(st.lists(st.sampled_from(sorted(expected)), unique=True)) if expected else []
    low, high = np.array(taken, np.int64).reshape(-1, 2).T
    wanted = data.draw(st.integers(0, 40))
    drawn = pairs_of(space_of(rows).draw(wanted, rank_of(low, high), np.random.default_rng(0)))
    assert len(drawn) == len(set(drawn)) == min(wanted, len(expected) - len(taken))
    assert set(drawn) <= expected - set(taken)


@pytest.mark.parametrize("chunk", [1, 1 << 22])  # by rejection, and from a list
def test_every_pair_is_equally_likely(chunk, monkeypatch):
    monkeypatch.setattr(pair_space, "CHUNK", chunk)
    rows = [[0] * 9, [0, 0, 0, 1, 1, 2, 3, 4, ALONE], [ALONE] * 6 + [0] * 3]
    expected = sorted(slow_pairs(rows))
    taken, left = expected[:3], expected[3:]
    space, generator = space_of(rows), np.random.default_rng(0)
    ranks = rank_of(*np.array(taken).T)
    counts = Counter(
        pair for _ in range(2000) for pair in pairs_of(space.draw(5, ranks, generator))
    )
    assert set(counts) == set(left)
    share = 5 / len(left)
    tolerance = 5 * np.sqrt(2000 * share * (1 - share))
    assert all(abs(count - 2000 * share) < tolerance for count in counts.values())


def test_memory_follows_the_pairs_drawn():
    items = 100_000
    space = PairSpace(np.zeros(items, np.int64), (np.arange(items) // 3,))
    none = np.empty(0, np.int64)
    tracemalloc.start()
    try:
        drawn = space.draw(10_000, none, np.random.default_rng(0))
        peak_bytes = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert len(drawn) == 10_000
    assert peak_bytes < 20 * 8 * items


def test_memory_is_bounded_where_nearly_all_pairs_are_apart(monkeypatch):
    monkeypatch.setattr(pair_space, "CHUNK", 1 << 16)
    items = 2000  # of 2 million pairs
    together = np.zeros(items, np.int64)
    lonely = np.zeros(items, np.int64)
    lonely[0] = 1  # all others are of one place
    space = PairSpace(together, (lonely,))
    tracemalloc.start()
    try:
        drawn = space.draw(1000, np.empty(0, np.int64), np.random.default_rng(0))
        peak_bytes = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    low, _ = pairs_at(drawn)
    assert len(set(drawn.tolist())) == 1000
    assert (low == 0).all()
    assert peak_bytes < 16 * 8 * pair_space.CHUNK


@given(ROWS)
def test_joined_codes_share_what_all_of_them_share(rows):
    joined = join_codes(*(np.array(codes, np.int64) for codes in rows))
    for i, j in combinations(range(len(rows[0])), 2):
        assert shares(joined, i, j) == all(shares(codes, i, j) for codes in rows)
