from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seentwice.data.variants import pairs
from seentwice.data.variants.pairs import all_pairs, balanced_pairs, count_all, count_balanced

# Of each photo its place: alone, in some, in one place between others, all in one.
PLACES = [[0], [0, 1], range(9), [0, 1, 0, 2, 1, 0, 3], [4, 4, 0, 2, 2, 2, 0], [0, 0, 0]]


def listed(blocks) -> list[tuple[int, int]]:
    return [pair for low, high in blocks for pair in zip(low.tolist(), high.tolist(), strict=True)]


def slowly(places: np.ndarray, versions: int) -> tuple[set, set]:
    """All duplicates, and all pairs of two places."""
    numbers = combinations(range(len(places) * versions), 2)
    photos = [((low, high), low // versions, high // versions) for low, high in numbers]
    return (
        {pair for pair, one, other in photos if one == other},
        {pair for pair, one, other in photos if places[one] != places[other]},
    )


@pytest.fixture(params=[7, 64, 1 << 16])
def block(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setattr(pairs, "BLOCK", request.param)
    return request.param


@pytest.mark.parametrize("versions", [2, 4, 11])
@pytest.mark.parametrize("places", PLACES)
def test_all_pairs_are_all_pairs_but_those_of_one_place(
    block: int, places: list[int], versions: int
) -> None:
    codes = np.array(places)
    duplicates, others = slowly(codes, versions)
    found = listed(all_pairs(codes, versions))
    assert set(found[: len(duplicates)]) == duplicates
    assert set(found) == duplicates | others
    assert len(found) == len(set(found))
    count = count_all(codes, versions)
    assert (count.duplicates, count.others) == (len(duplicates), len(others))


@pytest.mark.parametrize("versions", [2, 3, 12])
@pytest.mark.parametrize("places", PLACES)
def test_balanced_pairs_are_all_duplicates_and_as_many_others(
    block: int, places: list[int], versions: int
) -> None:
    codes = np.array(places)
    duplicates, others = slowly(codes, versions)
    found = listed(balanced_pairs(codes, versions, 0))
    assert len(set(found)) == len(found)
    assert duplicates <= set(found) <= duplicates | others
    count = count_balanced(codes, versions)
    assert (count.duplicates, count.others) == (len(duplicates), len(found) - len(duplicates))
    assert count.others == min(len(duplicates), len(others))


@settings(deadline=None)
@given(
    st.lists(st.integers(0, 9), min_size=1, max_size=40),
    st.integers(2, 9),
    st.integers(0, 2**31 - 1),
)
def test_no_pair_comes_twice_and_none_of_one_place(
    places: list[int], versions: int, seed: int
) -> None:
    codes = np.array(places)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pairs, "BLOCK", 20)
        found = listed(balanced_pairs(codes, versions, seed))
        everything = listed(all_pairs(codes, versions))
    assert len(set(found)) == len(found) == count_balanced(codes, versions).rows
    assert len(set(everything)) == len(everything) == count_all(codes, versions).rows
    for low, high in (*found, *everything):
        one, other = low // versions, high // versions
        assert low < high
        assert one == other or places[one] != places[other]


def test_the_seed_decides_the_pairs_and_their_order() -> None:
    places = np.arange(20)
    first, again, other = (listed(balanced_pairs(places, 4, seed)) for seed in (0, 0, 1))
    assert first == again
    assert set(first) != set(other)


@pytest.mark.parametrize("places", [range(7), [0, 1, 0, 2, 2, 2, 3]])
def test_every_other_pair_is_as_likely_as_the_next(block: int, places: list[int]) -> None:
    codes, versions, seeds = np.array(places), 3, 400
    drawn = np.zeros((len(codes) * versions,) * 2)
    duplicates, others = slowly(codes, versions)
    for seed in range(seeds):
        for pair in set(listed(balanced_pairs(codes, versions, seed))) - duplicates:
            drawn[pair] += 1
    share = count_balanced(codes, versions).others / len(others)
    possible = [drawn[pair] / seeds for pair in others]
    assert np.mean(possible) == pytest.approx(share)
    assert np.abs(np.array(possible) - share).max() < 5 * np.sqrt(share * (1 - share) / seeds)


def test_of_many_photos_one_block_comes_at_a_time() -> None:
    photos = 1_000_000
    low, high = next(balanced_pairs(np.arange(photos), 4, 0))
    assert 1.9 * pairs.BLOCK < len(low) <= 2 * pairs.BLOCK
    assert high.max() < 4 * photos
    assert ((low // 4 == high // 4).sum()) == pairs.BLOCK
    low, high = next(all_pairs(np.zeros(photos, np.int64), 4))
    assert len(low) == pairs.BLOCK
    assert count_all(np.zeros(photos, np.int64), 4).others == 0
