"""Arrays link and gather as records of each pair do."""

from itertools import combinations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from seentwice.dedupe.groups import LEAST_MEAN, _link
from seentwice.dedupe.linkage import gather_around_centres, link_matrix

SEEDS = st.integers(0, 2**32 - 1)


def make_scores(count: int, seed: int, levels: int) -> np.ndarray:
    """Scores of all pairs, of a few levels, so that many are equal, in both orders."""
    scores = np.random.default_rng(seed).integers(0, levels + 1, (count, count)) / levels
    scores = np.triu(scores, 1)
    return scores + scores.T


@given(st.integers(1, 40), SEEDS, st.sampled_from([1, 2, 3, 10, 1_000]))
def test_a_matrix_is_linked_as_records_are_even_where_means_are_equal(
    count: int, seed: int, levels: int
) -> None:
    scores = make_scores(count, seed, levels)
    known = {(a, b): float(scores[a, b]) for a, b in combinations(range(count), 2)}
    expected = sorted(_link(list(range(count)), known))
    found = [group.tolist() for group in link_matrix(scores, LEAST_MEAN)]
    assert found == expected


def gather_slowly(count: int, pairs: list[tuple[int, int]]) -> list[list[int]]:
    matched: dict[int, set[int]] = {n: set() for n in range(count)}
    for one, other in pairs:
        matched[one].add(other)
        matched[other].add(one)
    groups = []
    while any(matched.values()):
        centre = max(matched, key=lambda n: (len(matched[n]), -n))
        group = {centre, *matched[centre]}
        groups.append(sorted(group))
        matched = {n: others - group for n, others in matched.items() if n not in group}
    return groups


@given(st.integers(0, 20), SEEDS, st.floats(0, 1))
def test_the_photo_with_the_most_matches_gathers_all_that_match_it(
    count: int, seed: int, share: float
) -> None:
    rng = np.random.default_rng(seed)
    pairs = [pair for pair in combinations(range(count), 2) if rng.random() < share]
    columns = np.array([pair[:: rng.choice([-1, 1])] for pair in pairs], np.int64).reshape(-1, 2)
    found = gather_around_centres(count, columns[:, 0], columns[:, 1])
    assert [group.tolist() for group in found] == gather_slowly(count, pairs)
