from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seentwice.dedupe import groups
from seentwice.dedupe.groups import LEAST_MEAN, group_photos

Pairs = dict[tuple[int, int], float]


def group(count: int, matches: Pairs, others: Pairs | None = None) -> list[list[int]]:
    """Group photos; pairs that are neither a match nor among the others score 0."""
    pairs = np.array(list(matches), np.int64).reshape(-1, 2)

    def score(left: np.ndarray, right: np.ndarray) -> np.ndarray:
        asked = list(zip(left.tolist(), right.tolist(), strict=True))
        assert not set(asked) & set(matches)
        return np.array([(others or {}).get(pair, 0.0) for pair in asked])

    found = group_photos(count, pairs[:, 0], pairs[:, 1], np.array(list(matches.values())), score)
    return [each.tolist() for each in found]


def test_a_chain_whose_ends_differ_is_no_group() -> None:
    # A ~ B ~ C ~ D, of which only neighbours are alike.
    assert group(4, {(0, 1): 1.0, (1, 2): 0.99, (2, 3): 1.0}) == [[0, 1], [2, 3]]


def test_a_long_chain_falls_into_pairs_of_neighbours() -> None:
    found = group(100, {(n, n + 1): 0.9 for n in range(99)})
    assert all(len(each) == 2 for each in found)
    assert len(found) == 50


def test_a_photo_that_is_like_one_of_a_group_stays_out() -> None:
    alike = dict.fromkeys(combinations(range(4), 2), 0.9)
    assert group(5, {**alike, (3, 4): 0.99}, {}) in ([[0, 1, 2, 3]], [[0, 1, 2], [3, 4]])
    assert group(5, {**alike, (3, 4): 0.8}, {}) == [[0, 1, 2, 3]]


def test_pairs_that_are_no_match_are_scored_too() -> None:
    chain = {(0, 1): 1.0, (1, 2): 1.0}
    assert group(3, chain, {(0, 2): 0.0}) == [[0, 1]]
    assert group(3, chain, {(0, 2): 0.4}) == [[0, 1, 2]]


def test_a_match_that_is_none_more_likely_than_not_makes_no_group() -> None:
    assert group(2, {(0, 1): LEAST_MEAN}) == []
    assert group(2, {(0, 1): 0.51}) == [[0, 1]]
    assert group(5, {}) == []


def test_a_large_component_is_parted_around_its_centres(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(groups, "MOST_LINKED", 4)
    star = {(0, n): 0.9 for n in range(1, 6)}
    assert group(6, star) == [[0, 1, 2, 3, 4, 5]]
    # A chain has no photo that matches more than its two neighbours.
    chain = group(60, {(n, n + 1): 1.0 for n in range(59)})
    assert all(len(each) <= 3 for each in chain)
    assert len(np.concatenate(chain)) >= 58
    # What the first group took is no centre any more.
    assert group(8, {**star, (5, 6): 1.0, (6, 7): 1.0}) == [[0, 1, 2, 3, 4, 5], [6, 7]]


def test_a_thousand_copies_that_match_one_photo_are_a_group() -> None:
    assert group(1_500, {(0, n): 0.9 for n in range(1, 1_500)}) == [list(range(1_500))]


def test_a_component_of_very_many_photos_is_parted_without_a_list_of_their_pairs() -> None:
    count = 20_000
    near = {(n, n + 1): 0.9 for n in range(0, count - 1, 2)}
    far = {(0, n): 0.4 for n in range(2, count, 2)}
    assert group(count, near | far) == [[n, n + 1] for n in range(0, count - 1, 2)]


def link_slowly(count: int, scores: Pairs) -> list[list[int]]:
    """Average linkage by its definition."""
    parts = [[n] for n in range(count)]

    def mean(one: list[int], other: list[int]) -> float:
        return sum(scores.get((min(a, b), max(a, b)), 0.0) for a in one for b in other) / (
            len(one) * len(other)
        )

    while len(parts) > 1:
        best = max(
            combinations(range(len(parts)), 2), key=lambda ab: mean(parts[ab[0]], parts[ab[1]])
        )
        if mean(parts[best[0]], parts[best[1]]) <= LEAST_MEAN:
            break
        parts[best[0]] = sorted(parts[best[0]] + parts.pop(best[1]))
    return sorted(part for part in parts if len(part) > 1)


@pytest.mark.parametrize("few", [2, 24])
@given(count=st.integers(2, 9), seed=st.integers(0, 2**32 - 1), share=st.floats(0, 1))
def test_it_is_average_linkage(few: int, count: int, seed: int, share: float) -> None:
    # Scores are distinct, so that no tie leaves a choice.
    rng = np.random.default_rng(seed)
    pairs = list(combinations(range(count), 2))
    scores = dict(zip(pairs, rng.random(len(pairs)).tolist(), strict=True))
    matches = {pair: score for pair, score in scores.items() if rng.random() < share}
    others = {pair: score for pair, score in scores.items() if pair not in matches}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(groups, "_FEW", few)
        found = group(count, matches, others)
    # Photos that no match connects are not looked at together, whatever they would score.
    reached = {n: n for n in range(count)}
    for a, b in matches:
        old, new = reached[a], reached[b]
        reached = {n: new if at == old else at for n, at in reached.items()}
    seen = {(a, b): score for (a, b), score in scores.items() if reached[a] == reached[b]}
    assert found == link_slowly(count, seen)


@given(st.permutations(range(12)))
def test_the_order_of_matches_does_not_matter(order: list[int]) -> None:
    pairs = [
        (0, 1),
        (1, 2),
        (2, 3),
        (0, 2),
        (1, 3),
        (4, 5),
        (5, 6),
        (4, 6),
        (6, 7),
        (8, 9),
        (9, 10),
        (3, 8),
    ]
    matches = {pairs[n]: 0.6 + 0.01 * (n % 3) for n in order}
    assert group(11, matches) == group(11, dict(sorted(matches.items())))
