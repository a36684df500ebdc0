"""The fast draw against its definition: one pair after another, with weight exp(-distance)."""

import tracemalloc

import numpy as np
import pytest

from seentwice.data.sampling import hash_weighted
from seentwice.data.sampling.hash_weighted import draw_hash_weighted
from seentwice.data.sampling.pair_space import PairSpace
from seentwice.data.sampling.ranks import pairs_at, rank_of
from seentwice.hamming import hamming_bits

NONE = np.empty(0, np.int64)


def everywhere(place):
    return PairSpace(np.zeros(len(place), np.int64), (np.asarray(place),))


def draw(space, hashes, wanted, seed=0, taken=NONE, threads=1):
    return draw_hash_weighted(space, hashes, wanted, taken, threads, np.random.default_rng(seed))


def few_bits(items, seed=0):
    """Hashes of 12 bits, so that all distances from 0 to 12 are among few items."""
    return np.random.default_rng(seed).integers(0, 2**12, items).astype(np.uint64)


def count_draws(space, hashes, wanted, repetitions, taken=NONE):
    counts = np.zeros(len(hashes) * (len(hashes) - 1) // 2)
    generator = np.random.default_rng(1)
    for _ in range(repetitions):
        ranks = draw_hash_weighted(space, hashes, wanted, taken, 1, generator)
        assert len(ranks) == len(np.unique(ranks)) == wanted
        counts[ranks] += 1
    return counts


def count_sequential_draws(allowed, weight, wanted, repetitions):
    """Draw pair after pair by the definition, for all repetitions side by side."""
    generator = np.random.default_rng(2)
    counts = np.zeros(len(weight))
    for start in range(0, repetitions, 1000):
        rows = np.arange(min(1000, repetitions - start))
        left = np.tile(np.where(allowed, weight, 0.0), (len(rows), 1))
        for _ in range(wanted):
            total = np.cumsum(left, axis=1)
            at = (total < generator.random((len(rows), 1)) * total[:, -1:]).sum(axis=1)
            counts += np.bincount(at, minlength=len(weight))
            left[rows, at] = 0.0
    return counts


ITEMS, WANTED, REPETITIONS = 40, 30, 10_000


@pytest.fixture(scope="module")
def sequential():
    """How often each pair is among those drawn one after another."""
    place, (low, high) = np.arange(ITEMS) // 2, pairs_at(np.arange(ITEMS * (ITEMS - 1) // 2))
    hashes = few_bits(ITEMS)
    weight = np.exp(-hamming_bits(hashes[low], hashes[high]).astype(float))
    return count_sequential_draws(place[low] != place[high], weight, WANTED, REPETITIONS)


def deviations(measured, repetitions, expected):
    """Differences of two shares in standard errors, of pairs that came up a few times at least."""
    share = (measured + expected) / (repetitions + REPETITIONS)
    error = np.sqrt(share * (1 - share) * (1 / repetitions + 1 / REPETITIONS))
    often = measured + expected >= 10
    return (measured / repetitions - expected / REPETITIONS)[often] / error[often]


# As it chooses; with most pairs thinned; with half of them; and when the first draw comes short.
@pytest.mark.parametrize(
    ("function", "value", "repetitions"),
    [(None, None, 2000), ("_choose_border", -1, 1000), ("_choose_border", 4, 1000),
     ("_find_span", 0.05, 500), pytest.param(None, None, REPETITIONS, marks=pytest.mark.slow)],
)  # fmt: skip
def test_inclusion_frequencies_are_those_of_sequential_draws(
    function, value, repetitions, sequential, monkeypatch
):
    if function is not None:
        monkeypatch.setattr(hash_weighted, function, lambda *_: value)
    space = everywhere(np.arange(ITEMS) // 2)
    measured = count_draws(space, few_bits(ITEMS), WANTED, repetitions)
    low, high = pairs_at(np.flatnonzero(measured))
    assert (low // 2 != high // 2).all()
    deviation = deviations(measured, repetitions, sequential)
    assert np.abs(deviation).max() < 5
    assert abs((deviation**2).mean() - 1) < 0.35


def test_far_pairs_are_drawn_as_often_as_they_should_be():
    """No distance is cut off: two pairs of 64 bits against one of 63 have odds of 2 to e."""
    hashes = np.array([0, 2**64 - 1, 2**64 - 2], np.uint64)
    space = PairSpace(np.zeros(3, np.int64), (np.array([-1, 0, 0]),))
    first = [int(draw(space, hashes, 1, seed)[0]) for seed in range(2000)]
    far = first.count(int(rank_of(np.array([0]), np.array([1]))[0]))
    assert abs(far / 2000 - 1 / (1 + np.e)) < 5 * np.sqrt(0.2 / 2000)


def test_what_is_taken_is_not_drawn_again_and_all_that_is_left_is():
    hashes, place = few_bits(30), np.arange(30) // 3
    space = everywhere(place)
    taken = space.list_ranks()[::2]
    drawn = draw(space, hashes, 10_000, taken=taken)
    assert set(drawn.tolist()) == set(space.list_ranks().tolist()) - set(taken.tolist())


def test_near_pairs_are_drawn_first_and_the_order_is_that_of_the_draw():
    hashes = few_bits(200)
    low, high = pairs_at(draw(everywhere(np.arange(200)), hashes, 2000))
    bits = hamming_bits(hashes[low], hashes[high])
    assert bits[:200].mean() < bits[-200:].mean()


@pytest.mark.parametrize("wanted", [0, 1, 5, 10**6])
@pytest.mark.parametrize("items", [0, 1, 2, 7])
def test_few_items_give_what_they_have(items, wanted):
    space = everywhere(np.arange(items))
    drawn = draw(space, few_bits(items), wanted)
    assert len(drawn) == len(set(drawn.tolist())) == min(wanted, items * (items - 1) // 2)


def test_the_seed_decides_and_the_threads_do_not():
    hashes = np.random.default_rng(0).integers(0, 2**63, 3000).astype(np.uint64)
    space = everywhere(np.arange(3000))
    assert np.array_equal(draw(space, hashes, 500, 3), draw(space, hashes, 500, 3, threads=3))
    assert not np.array_equal(draw(space, hashes, 500, 3), draw(space, hashes, 500, 4))


@pytest.mark.parametrize("kind", ["random", "alike"])
def test_memory_follows_the_pairs_wanted(kind):
    items, wanted = 8000, 10_000
    hashes = np.random.default_rng(0).integers(0, 2**63, items).astype(np.uint64)
    space = everywhere(np.arange(items))
    tracemalloc.start()
    try:
        drawn = draw(space, hashes if kind == "random" else hashes * 0, wanted)
        peak_bytes = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert len(drawn) == wanted
    # Besides, 40 MB of the sample of distances; a list of all pairs' keys would take 256 MB.
    assert peak_bytes < 100e6


def test_some_thousand_of_many_million_pairs_are_the_nearest_ones():
    """Against the exact number of pairs at each distance, where both ways of drawing are used."""
    hashes = np.random.default_rng(0).integers(0, 2**20, 4000).astype(np.uint64) * 17
    low, high = pairs_at(np.arange(4000 * 3999 // 2))
    pairs = np.bincount(hamming_bits(hashes[low], hashes[high]), minlength=65)
    low, high = pairs_at(draw(everywhere(np.arange(4000)), hashes, 50_000, threads=2))
    drawn = np.bincount(hamming_bits(hashes[low], hashes[high]), minlength=65)
    # By the law of large numbers every distance rings its share by one common time.
    weight = np.exp(-np.arange(65.0))
    early, late = 1e-3, 1e12
    for _ in range(200):
        time = np.sqrt(early * late)
        if (pairs * -np.expm1(-weight * time)).sum() < 50_000:
            early = time
        else:
            late = time
    expected = pairs * -np.expm1(-weight * time)
    assert (np.abs(drawn - expected) < 6 * np.sqrt(expected + 4)).all()
