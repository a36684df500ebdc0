from collections.abc import Iterator
from itertools import combinations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from seentwice.dedupe.candidates import FEW_EQUAL, Candidates
from seentwice.dedupe.findings import WHOLE, Coverage
from seentwice.dedupe.matching import (
    MOST_SORTS,
    Matches,
    join_matches,
    keep_surest,
    match_candidates,
    pair_shared,
)

Numbers = NDArray[np.int64]
PAIRS = st.lists(
    st.tuples(st.integers(0, 8), st.integers(0, 8), st.integers(0, 10)).filter(
        lambda pair: pair[0] < pair[1]
    ),
    max_size=30,
)


def to_columns(pairs: list[tuple[int, int, int]]) -> tuple[Numbers, Numbers, NDArray[np.float64]]:
    columns = np.array(pairs, np.int64).reshape(-1, 3)
    return columns[:, 0], columns[:, 1], columns[:, 2] / 10


@given(PAIRS)
def test_of_a_pair_that_is_there_twice_the_surest_is_kept(
    pairs: list[tuple[int, int, int]],
) -> None:
    best: dict[tuple[int, int], float] = {}
    for left, right, score in pairs:
        best[left, right] = max(best.get((left, right), 0.0), score / 10)
    kept = keep_surest(Matches(*to_columns(pairs)))
    found = list(zip(kept.left.tolist(), kept.right.tolist(), strict=True))
    assert found == sorted(best)
    assert kept.scores.tolist() == [best[pair] for pair in found]


@given(PAIRS, st.integers(0, 10), st.integers(1, 5))
def test_matches_are_the_allowed_pairs_that_reach_the_score(
    pairs: list[tuple[int, int, int]], least: int, parts: int
) -> None:
    def score(left: Numbers, right: Numbers) -> NDArray[np.float64]:
        assert not ((left + right) % 3 == 0).any()  # those that are not allowed are not scored
        return (left * 7 + right * 5) % 11 / 10

    def allow(left: Numbers, right: Numbers) -> NDArray[np.bool_]:
        return (left + right) % 3 != 0

    left, right, _ = to_columns(pairs)
    blocks = [Candidates(left[n::parts], right[n::parts]) for n in range(parts)]
    found = match_candidates(blocks, score, allow, least / 10)
    expected = sorted(
        {(a, b) for a, b, _ in pairs if (a + b) % 3 and (a * 7 + b * 5) % 11 / 10 >= least / 10}
    )
    assert list(zip(found.left.tolist(), found.right.tolist(), strict=True)) == expected
    assert found.scores.tolist() == [(a * 7 + b * 5) % 11 / 10 for a, b in expected]


def test_no_candidates_are_no_matches() -> None:
    found = match_candidates([], lambda left, right: left * 1.0, lambda left, right: left >= 0, 0.5)
    assert (found.left.tolist(), found.right.tolist(), found.scores.tolist()) == ([], [], [])


def find_shared(sorts: list[int]) -> tuple[set[tuple[int, int]], int, Coverage]:
    """Pairs of pictures, numbered by 2, that match if they are of one sort, and how many asked."""
    asked = 0
    kinds = np.array(sorts)

    def score(left: Numbers, right: Numbers) -> NDArray[np.float64]:
        nonlocal asked
        asked += len(left)
        return (kinds[left // 2] == kinds[right // 2]) * 1.0

    def pair_nearest(pictures: Numbers) -> Iterator[Candidates]:
        order = pictures[np.argsort(kinds[pictures // 2], kind="stable")]
        one, other = order[:-1], order[1:]
        coverage = Coverage(nearest_only=len(pictures))
        yield Candidates(np.minimum(one, other), np.maximum(one, other), coverage=coverage)

    pictures = np.arange(len(sorts)) * 2
    blocks = pair_shared(pictures, score, 0.5, pair_nearest)
    found = match_candidates(blocks, score, lambda left, right: left < right, 0.5)
    pairs = zip(found.left.tolist(), found.right.tolist(), strict=True)
    return set(pairs), asked, found.coverage


def test_copies_of_one_photo_are_paired_with_the_first() -> None:
    found, asked, coverage = find_shared([0] * 1_000)
    assert found == {(0, 2 * other) for other in range(1, 1_000)}
    assert asked == 999  # each pair is scored once
    assert coverage == WHOLE


def test_pictures_of_very_many_sorts_are_not_all_compared_and_that_is_told() -> None:
    sorts = [*range(2_000), 7, 1_500]
    found, asked, coverage = find_shared(sorts)
    assert found == {(14, 4_000), (3_000, 4_002)}
    assert asked < (MOST_SORTS + 1) * len(sorts)
    assert coverage == Coverage(nearest_only=len(sorts) - MOST_SORTS - 1)


def test_joined_matches_are_in_order_and_keep_what_was_not_compared() -> None:
    one = Matches(*to_columns([(0, 2, 9), (3, 4, 5)]), Coverage(nearest_only=2))
    other = Matches(*to_columns([(0, 1, 7), (3, 5, 6)]), Coverage(0.99))
    both = join_matches(one, other)
    pairs = zip(both.left.tolist(), both.right.tolist(), both.scores.tolist(), strict=True)
    assert list(pairs) == [(0, 1, 0.7), (0, 2, 0.9), (3, 4, 0.5), (3, 5, 0.6)]
    assert both.coverage == Coverage(0.99, 2)


def test_the_coverage_of_a_search_is_that_of_all_its_parts() -> None:
    none = np.empty(0, np.int64)
    parts = [Coverage(0.99), WHOLE, Coverage(nearest_only=40), Coverage(0.995, 2)]
    blocks = [Candidates(none, none, coverage=part) for part in parts]
    found = match_candidates(
        blocks, lambda left, right: left * 1.0, lambda left, right: left >= 0, 0.5
    )
    assert found.coverage == Coverage(0.99, 42)


@given(st.lists(st.integers(0, 6), min_size=FEW_EQUAL + 1, max_size=120))
def test_pictures_of_one_sort_hang_together(sorts: list[int]) -> None:
    found, _, _ = find_shared(sorts)
    group = {2 * number: 2 * number for number in range(len(sorts))}
    for left, right in sorted(found):
        assert left < right
        old, new = group[right], group[left]
        group = {key: new if value == old else value for key, value in group.items()}
    for one, other in combinations(range(len(sorts)), 2):
        assert (group[2 * one] == group[2 * other]) == (sorts[one] == sorts[other])
