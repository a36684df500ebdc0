from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seentwice.data.variants import pairs
from seentwice.data.variants.pairs import all_pairs, balanced_pairs, count_all, count_balanced


def listed(blocks) -> list[tuple[int, int]]:
    return [pair for low, high in blocks for pair in zip(low.tolist(), high.tolist(), strict=True)]


@pytest.fixture(params=[7, 64, 1 << 16])
def block(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setattr(pairs, "BLOCK", request.param)
    return request.param


@pytest.mark.parametrize(("photos", "versions"), [(1, 2), (2, 4), (9, 4), (5, 12)])
def test_all_pairs_are_all_pairs_in_order(block: int, photos: int, versions: int) -> None:
    found = listed(all_pairs(photos, versions))
    expected = sorted(combinations(range(photos * versions), 2), key=lambda pair: pair[::-1])
    assert found == expected
    count = count_all(photos, versions)
    assert count.rows == len(found)
    assert count.duplicates == sum(a // versions == b // versions for a, b in found)


@pytest.mark.parametrize(("photos", "versions"), [(1, 2), (2, 2), (2, 4), (9, 4), (30, 3), (5, 12)])
def test_balanced_pairs_are_all_duplicates_and_as_many_others(
    block: int, photos: int, versions: int
) -> None:
    found = listed(balanced_pairs(photos, versions, 0))
    assert len(set(found)) == len(found)
    assert all(0 <= low < high < photos * versions for low, high in found)
    duplicates = {pair for pair in found if pair[0] // versions == pair[1] // versions}
    assert duplicates == {
        pair
        for pair in combinations(range(photos * versions), 2)
        if pair[0] // versions == pair[1] // versions
    }
    count = count_balanced(photos, versions)
    assert (count.duplicates, count.others) == (len(duplicates), len(found) - len(duplicates))
    if photos > 1:
        assert count.duplicates == count.others


@settings(deadline=None)
@given(st.integers(1, 40), st.integers(2, 9), st.integers(0, 2**31 - 1))
def test_no_pair_comes_twice(photos: int, versions: int, seed: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pairs, "BLOCK", 20)
        found = listed(balanced_pairs(photos, versions, seed))
    assert len(set(found)) == len(found) == count_balanced(photos, versions).rows


def test_the_seed_decides_the_pairs_and_their_order() -> None:
    first, again, other = (listed(balanced_pairs(20, 4, seed)) for seed in (0, 0, 1))
    assert first == again
    assert set(first) != set(other)


def test_every_other_pair_is_as_likely_as_the_next(block: int) -> None:
    photos, versions, seeds = 7, 3, 400
    drawn = np.zeros((photos * versions,) * 2)
    for seed in range(seeds):
        for low, high in listed(balanced_pairs(photos, versions, seed)):
            drawn[low, high] += low // versions != high // versions
    share = count_balanced(photos, versions).others / count_all(photos, versions).others
    possible = [
        drawn[low, high] / seeds
        for low, high in combinations(range(photos * versions), 2)
        if low // versions != high // versions
    ]
    assert np.mean(possible) == pytest.approx(share)
    assert np.abs(np.array(possible) - share).max() < 5 * np.sqrt(share * (1 - share) / seeds)


def test_many_photos_take_one_block_of_memory() -> None:
    low, high = next(balanced_pairs(10_000_000, 4, 0))
    assert 1.9 * pairs.BLOCK < len(low) <= 2 * pairs.BLOCK
    assert high.max() < 40_000_000
    assert ((low // 4 == high // 4).sum()) == pairs.BLOCK
