import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from seentwice.data.sampling.hard import draw_hard
from seentwice.data.sampling.pair_space import PairSpace
from seentwice.data.sampling.ranks import pairs_at


def slow_hard(nearest, place, wanted):
    """Every item's first wrong neighbour, then every item's second one, and so on."""
    wrong = [
        [int(other) for other in row if other != item and place[other] != place[item]]
        for item, row in enumerate(nearest)
    ]
    found = []
    for turn in range(max(map(len, wrong), default=0)):
        for item, others in enumerate(wrong):
            if turn < len(others):
                pair = tuple(sorted((item, others[turn])))
                if pair not in found:
                    found.append(pair)
    return found[:wanted]


@given(st.integers(1, 12), st.integers(1, 5), st.integers(0, 30), st.integers(0, 10**6))
def test_hard_pairs_are_those_of_a_slow_walk(items, k, wanted, seed):
    generator = np.random.default_rng(seed)
    nearest = generator.integers(0, items, (items, k))
    place = generator.integers(0, 4, items)
    space = PairSpace(np.zeros(items, np.int64), (place,))
    ranks = draw_hard(space, nearest, wanted, np.empty(0, np.int64))
    rest = draw_hard(space, nearest, wanted, ranks)
    low, high = pairs_at(np.concatenate([ranks, rest]))
    pairs = list(zip(low.tolist(), high.tolist(), strict=True))
    assert pairs == slow_hard(nearest, place, 2 * wanted)
