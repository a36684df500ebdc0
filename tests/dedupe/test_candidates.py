from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from seentwice.dedupe import candidates
from seentwice.dedupe.candidates import FEW_EQUAL, iterate_hash_candidates, list_shared
from seentwice.hamming import hamming_bits

Hashes = NDArray[np.uint64]
Numbers = NDArray[np.int64]

# Few bits differ, so that many are near and many are equal.
HASHES = st.lists(
    st.builds(sum, st.sets(st.sampled_from([1, 2, 1 << 20, 1 << 41, 1 << 62, 1 << 63]))),
    max_size=90,
).map(lambda values: np.array(values, np.uint64))


def list_pairs(hashes: Hashes, pictures: Numbers, most_bits: int) -> list[tuple[int, int]]:
    return [
        pair
        for block in iterate_hash_candidates(hashes, pictures, most_bits, 1)
        for pair in zip(block.left.tolist(), block.right.tolist(), strict=True)
    ]


def shown(hashes: Hashes) -> list[int]:
    """The places of the first `FEW_EQUAL` of each hash."""
    seen: dict[int, int] = {}
    found = []
    for place, value in enumerate(hashes.tolist()):
        seen[value] = seen.get(value, 0) + 1
        if seen[value] <= FEW_EQUAL:
            found.append(place)
    return found


def expect_pairs(hashes: Hashes, pictures: Numbers, most_bits: int) -> set[tuple[int, int]]:
    """Every pair within the radius, of few equal ones; slowly."""
    values = hashes.tolist()
    pairs = set()
    for one, other in combinations(shown(hashes), 2):
        is_same = values[one] == values[other]
        if is_same and values.count(values[one]) > FEW_EQUAL:
            continue
        if (values[one] ^ values[other]).bit_count() <= most_bits:
            ends = sorted((int(pictures[one]), int(pictures[other])))
            if ends[0] != ends[1]:
                pairs.add((ends[0], ends[1]))
    return pairs


@settings(deadline=None, max_examples=60)
@given(hashes=HASHES, most_bits=st.integers(0, 6))
def test_candidates_are_all_pairs_within_the_radius(hashes: Hashes, most_bits: int) -> None:
    pictures = np.arange(len(hashes)) * 3
    found = list_pairs(hashes, pictures, most_bits)
    assert len(found) == len(set(found))
    assert set(found) == expect_pairs(hashes, pictures, most_bits)


@settings(deadline=None, max_examples=40)
@given(hashes=HASHES, most_bits=st.integers(0, 4), seed=st.integers(0, 99))
def test_a_picture_of_several_hashes_is_no_candidate_of_itself(
    hashes: Hashes, most_bits: int, seed: int
) -> None:
    pictures = np.random.default_rng(seed).integers(0, max(len(hashes) // 2, 1), len(hashes))
    found = list_pairs(hashes, pictures, most_bits)
    assert all(left < right for left, right in found)
    assert set(found) == expect_pairs(hashes, pictures, most_bits)


@pytest.mark.parametrize("most", [1, 7, 1 << 20])
def test_blocks_are_bounded_and_lose_nothing(monkeypatch: pytest.MonkeyPatch, most: int) -> None:
    monkeypatch.setattr(candidates, "_MOST_PAIRS", most)
    hashes = np.repeat(np.array([0, 1, 3, 1 << 40], np.uint64), (5, 40, 3, 2))
    pictures = np.random.default_rng(0).permutation(50)
    blocks = list(iterate_hash_candidates(hashes, pictures, 2, 1))
    sizes = [len(block.left) for block in blocks[1:]]
    assert max(sizes) <= max(most, FEW_EQUAL * 5)
    assert set(list_pairs(hashes, pictures, 2)) == expect_pairs(hashes, pictures, 2)


def test_a_thousand_equal_hashes_make_few_pairs() -> None:
    hashes = np.array([5] * 1_000 + [4] * 1_000 + [1 << 50], np.uint64)
    pictures = np.arange(2_001)
    found = list_pairs(hashes, pictures, 3)
    assert len(found) <= FEW_EQUAL**2 + 2 * FEW_EQUAL
    shared = list_shared(hashes, pictures)
    assert [each.tolist() for each in shared] == [[*range(1_000, 2_000)], [*range(1_000)]]


def test_few_equal_hashes_are_not_listed_as_shared() -> None:
    hashes = np.array([7] * FEW_EQUAL + [8] * (FEW_EQUAL + 1), np.uint64)
    pictures = np.arange(len(hashes))[::-1]
    (shared,) = list_shared(hashes, pictures)
    assert shared.tolist() == sorted(pictures[FEW_EQUAL:].tolist())
    assert list_shared(hashes[:0], pictures[:0]) == []


def test_pairs_of_real_distances_are_those_of_hamming_bits() -> None:
    hashes = np.random.default_rng(1).integers(0, 2**64, 60, dtype=np.uint64)
    hashes[30:] = hashes[:30] ^ np.uint64(0b1011)
    bits = hamming_bits(hashes[:, None], hashes[None])
    expected = {(a, b) for a, b in np.argwhere(bits <= 3).tolist() if a < b}
    assert set(list_pairs(hashes, np.arange(60), 3)) == expected
