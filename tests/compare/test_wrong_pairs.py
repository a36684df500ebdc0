import numpy as np
import pytest

from seentwice.compare.wrong_pairs import find_most_wrong


def places_of(tested, index):
    views, pairs = tested.pairs.views, tested.pairs
    return frozenset((views[pairs.left[index]].photo.place, views[pairs.right[index]].photo.place))


def rank_slowly(tested, score, label, count):
    """Sort once, then take each pair whose two places were not taken before."""
    members = [n for n in range(len(score)) if tested.pairs.label[n] == label]
    members.sort(key=lambda n: score[n] if label else -score[n])
    taken, chosen = set(), []
    for n in members:
        if places_of(tested, n) not in taken and len(chosen) < count:
            taken.add(places_of(tested, n))
            chosen.append(n)
    return chosen


@pytest.mark.parametrize("count", [1, 3, 9, 1000])
@pytest.mark.parametrize("noise", [0.0, 0.1, 0.6])
def test_the_worst_pairs_come_first_one_for_each_two_places(tested, make_scores, noise, count):
    score = make_scores(noise).score.round(2)
    wrong = find_most_wrong(tested.pairs, score, count)
    assert wrong.missed.tolist() == rank_slowly(tested, score, True, count)
    assert wrong.mistaken.tolist() == rank_slowly(tested, score, False, count)
    assert len(wrong.missed) == min(count, 8)  # places that are tested
    assert len(wrong.mistaken) == min(count, 2 * 6)  # two of them, in each of two folds


def test_a_missed_pair_is_a_duplicate_and_a_mistaken_one_is_not(tested, make_scores):
    wrong = find_most_wrong(tested.pairs, make_scores(0.6).score, 9)
    assert tested.pairs.label[wrong.missed].all()
    assert not tested.pairs.label[wrong.mistaken].any()


def test_the_order_of_two_places_does_not_matter(tested):
    pairs = tested.pairs
    turn = np.arange(len(pairs)) % 2 == 0
    left, right = np.where(turn, [pairs.right, pairs.left], [pairs.left, pairs.right])
    turned = type(pairs)(pairs.views, left, right, pairs.label, pairs.kind)
    score = np.random.default_rng(0).random(len(pairs))
    assert (turned.left != pairs.left).any()
    assert find_most_wrong(turned, score, 99).mistaken.tolist() == (
        find_most_wrong(tested.pairs, score, 99).mistaken.tolist()
    )
