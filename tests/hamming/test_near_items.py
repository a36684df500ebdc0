import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from seentwice.hamming import find_near_items, iterate_near_pairs, near_items

WORDS = st.lists(st.sampled_from([0, 1, 3, 7, 2**63, 2**64 - 1, 2**64 - 2]), max_size=30)


def list_pairs(hashes: NDArray[np.uint64], most_bits: int) -> list[tuple[int, int, int]]:
    found = find_near_items(hashes, most_bits, 1)
    pairs = []
    for near in found.blocks:
        assert 0 < len(near.bits) <= near_items.BLOCK_PAIRS
        pairs += zip(near.low.tolist(), near.high.tolist(), near.bits.tolist(), strict=True)
    assert len(pairs) == found.total
    return pairs


@pytest.mark.parametrize("block", [1, 7, 1 << 20])
@settings(deadline=None)
@given(words=WORDS, most_bits=st.integers(0, 12))
def test_items_are_those_of_a_look_at_all(block: int, words: list[int], most_bits: int) -> None:
    hashes = np.array(words, dtype=np.uint64)
    expected = [
        pair
        for near in iterate_near_pairs(hashes, most_bits, 1)
        for pair in zip(near.low.tolist(), near.high.tolist(), near.bits.tolist(), strict=True)
    ]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(near_items, "BLOCK_PAIRS", block)
        assert sorted(list_pairs(hashes, most_bits)) == sorted(expected)


def test_many_equal_hashes_are_counted_at_once_and_listed_in_blocks() -> None:
    found = find_near_items(np.zeros(100_000, np.uint64), 2, 1)
    assert found.total == 100_000 * 99_999 // 2
    first = next(found.blocks)
    assert len(first.bits) == near_items.BLOCK_PAIRS
    assert first.low[:3].tolist() == [0, 0, 0]
    assert first.high[:3].tolist() == [1, 2, 3]
