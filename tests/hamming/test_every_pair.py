import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seentwice.hamming import every_pair, hamming_bits, iterate_near_pairs

UINT64 = st.integers(0, 2**64 - 1)


def near_pairs(hashes: np.ndarray, most_bits: int, threads: int = 1) -> list[tuple[int, int, int]]:
    return [
        pair
        for near in iterate_near_pairs(hashes, most_bits, threads)
        for pair in zip(near.low.tolist(), near.high.tolist(), near.bits.tolist(), strict=True)
    ]


@given(UINT64, UINT64)
def test_distance_counts_the_bits_that_differ(left: int, right: int) -> None:
    bits = hamming_bits(np.uint64(left), np.uint64(right))
    assert bits == bin(left ^ right).count("1")


@pytest.mark.parametrize("most_bits", [0, 1, 7, 64])
@pytest.mark.parametrize("count", [0, 1, 2, 23, 24, 50])
def test_near_pairs_are_those_of_a_slow_search(
    count: int, most_bits: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(every_pair, "BLOCK_ROWS", 6)
    monkeypatch.setattr(every_pair, "BLOCK_COLUMNS", 8)
    # Of few bits, so that near pairs abound.
    hashes = np.random.default_rng(count).integers(0, 2**9, count).astype(np.uint64)
    expected = [
        (low, high, bits)
        for low in range(count)
        for high in range(low + 1, count)
        if (bits := bin(int(hashes[low]) ^ int(hashes[high])).count("1")) <= most_bits
    ]
    assert sorted(near_pairs(hashes, most_bits)) == expected


def test_near_pairs_come_in_the_same_order_for_any_number_of_threads() -> None:
    hashes = np.random.default_rng(0).integers(0, 2**12, 3000).astype(np.uint64)
    assert near_pairs(hashes, 2, threads=3) == near_pairs(hashes, 2, threads=1)
