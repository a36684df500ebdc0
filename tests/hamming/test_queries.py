import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from seentwice.hamming import find_near_hashes, find_near_queries, queries

WORDS = st.lists(st.sampled_from([0, 1, 3, 7, 2**63, 2**64 - 1, 2**64 - 2, 0xF0F0]), max_size=12)


def expect(
    hashes: NDArray[np.uint64], asked: NDArray[np.uint64], most_bits: int
) -> list[tuple[int, int, int]]:
    return [
        (query, position, bits)
        for query, word in enumerate(asked.tolist())
        for position, other in enumerate(hashes.tolist())
        if (bits := (word ^ other).bit_count()) <= most_bits
    ]


def find(
    hashes: NDArray[np.uint64], asked: NDArray[np.uint64], most_bits: int, threads: int
) -> list[tuple[int, int, int]]:
    return [
        triple
        for near in find_near_queries(hashes, asked, most_bits, threads)
        for triple in zip(
            near.query.tolist(), near.position.tolist(), near.bits.tolist(), strict=True
        )
    ]


@settings(deadline=None)
@given(WORDS, st.sampled_from([0, 3, 2**64 - 1]), st.integers(0, 64), st.integers(1, 3))
def test_one_query_finds_what_a_slow_search_finds(
    words: list[int], query: int, most_bits: int, threads: int
) -> None:
    hashes = np.array(words, dtype=np.uint64)
    positions, bits = find_near_hashes(hashes, query, most_bits, threads)
    expected = expect(hashes, np.array([query], dtype=np.uint64), most_bits)
    found = zip(positions.tolist(), bits.tolist(), strict=True)
    assert [(0, *near) for near in found] == expected
    assert (positions.dtype, bits.dtype) == (np.int64, np.uint8)


@pytest.mark.parametrize("few", [0, 1 << 26])
@pytest.mark.parametrize("threads", [1, 2, 3])
@pytest.mark.parametrize("count", [127, 128, 129, 1000])
def test_one_query_passes_over_blocks_and_threads(
    count: int, threads: int, few: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queries, "FEW", few)
    monkeypatch.setattr(queries, "_COLUMNS", 64)
    monkeypatch.setattr(queries, "_BLOCK", 1)
    hashes = np.random.default_rng(count).integers(0, 2**8, count, dtype=np.uint64)
    positions, bits = find_near_hashes(hashes, 5, 1, threads)
    expected = expect(hashes, np.array([5], dtype=np.uint64), 1)
    assert [(0, *near) for near in zip(positions.tolist(), bits.tolist(), strict=True)] == expected


@pytest.mark.parametrize("few", [0, 1 << 26])
@pytest.mark.parametrize("most_bits", [0, 2, 64])
@pytest.mark.parametrize(("count", "asked"), [(0, 5), (5, 0), (1, 1), (500, 150)])
def test_a_batch_finds_what_a_slow_search_finds(
    few: int, most_bits: int, count: int, asked: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queries, "FEW", few)
    monkeypatch.setattr(queries, "_COLUMNS", 192)
    monkeypatch.setattr(queries, "_BLOCK", 1)
    generator = np.random.default_rng(count)
    hashes = generator.integers(0, 2**9, count, dtype=np.uint64)
    words = generator.integers(0, 2**9, asked, dtype=np.uint64)
    assert sorted(find(hashes, words, most_bits, 2)) == expect(hashes, words, most_bits)


@pytest.mark.parametrize("threads", [1, 3])
def test_blocks_of_a_batch_are_small_and_in_one_order_for_any_number_of_threads(
    threads: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queries, "FEW", 0)
    monkeypatch.setattr(queries, "_COLUMNS", 192)
    monkeypatch.setattr(queries, "_BLOCK", 1)
    hashes = np.zeros(1000, np.uint64)
    words = np.arange(8, dtype=np.uint64)
    in_large_blocks = find(hashes, words, 1, 1)
    monkeypatch.setattr(queries, "BLOCK_PAIRS", 100)
    blocks = list(find_near_queries(hashes, words, 1, threads))
    assert max(len(near.bits) for near in blocks) <= 100
    assert find(hashes, words, 1, threads) == in_large_blocks
    assert len(in_large_blocks) == 4000
