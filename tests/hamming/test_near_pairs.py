import subprocess
import sys
from collections.abc import Callable, Iterable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from seentwice.hamming import (
    MOST_BITS,
    NearPairs,
    find_near_pairs,
    group_equal,
    iterate_near_pairs,
    near_pairs,
)

Hashes = NDArray[np.uint64]


def list_pairs(blocks: Iterable[NearPairs]) -> list[tuple[int, int, int]]:
    return [
        pair
        for near in blocks
        for pair in zip(near.low.tolist(), near.high.tolist(), near.bits.tolist(), strict=True)
    ]


def flip_some(hashes: Hashes, most_bits: int, generator: np.random.Generator) -> Hashes:
    """Flip up to so many bits of each."""
    for _ in range(most_bits):
        place = generator.integers(0, 64, len(hashes)).astype(np.uint64)
        flipped = hashes ^ (np.uint64(1) << place)
        hashes = np.where(generator.random(len(hashes)) < 0.8, flipped, hashes)
    return hashes


def make_uniform(generator: np.random.Generator) -> Hashes:
    hashes = generator.integers(0, 2**64, 300, dtype=np.uint64)
    return np.concatenate([hashes, flip_some(hashes, 13, generator)])


def make_half_set(generator: np.random.Generator) -> Hashes:
    """Of 32 bits each, as perceptual hashes are."""
    chosen = generator.random((300, 64)).argsort(axis=1) < 32
    hashes = np.packbits(chosen, axis=1).view(np.uint64).ravel()
    return np.concatenate([hashes, flip_some(hashes, 13, generator)])


def make_clusters(generator: np.random.Generator) -> Hashes:
    centres = generator.integers(0, 2**64, 4, dtype=np.uint64)
    return flip_some(np.repeat(centres, 100), 9, generator)


def make_few_bits(generator: np.random.Generator) -> Hashes:
    """All differ in eleven places alone: most blocks are the same in all."""
    return generator.integers(0, 2**11, 400, dtype=np.uint64) << np.uint64(20)


def make_extremes(generator: np.random.Generator) -> Hashes:
    """Blank, full and nearly so."""
    ends = np.repeat(np.array([0, 2**64 - 1], dtype=np.uint64), 100)
    return np.concatenate([ends, flip_some(ends, 3, generator)])


SORTS = (make_uniform, make_half_set, make_clusters, make_few_bits, make_extremes)


@pytest.fixture
def compiled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Use tables however few hashes there are."""
    monkeypatch.setattr(near_pairs, "FEW", 0)


@pytest.mark.parametrize("make", SORTS)
@pytest.mark.parametrize("most_bits", range(MOST_BITS + 1))
@pytest.mark.usefixtures("compiled")
def test_tables_hold_the_pairs_of_a_look_at_all(
    make: Callable[[np.random.Generator], Hashes], most_bits: int
) -> None:
    hashes, _ = group_equal(make(np.random.default_rng(most_bits)))
    found = list_pairs(find_near_pairs(hashes, most_bits, 2))
    assert sorted(found) == list_pairs(iterate_near_pairs(hashes, most_bits, 1))


@settings(deadline=None)
@given(st.data())
def test_tables_hold_the_pairs_of_a_look_at_all_for_any_hashes(data: st.DataObject) -> None:
    most_bits = data.draw(st.integers(0, MOST_BITS))
    # Of bits that hypothesis chooses, so that some blocks are the same in many.
    places = st.sets(st.integers(0, 63), max_size=20)
    drawn = [sum(1 << place for place in chosen) for chosen in data.draw(st.lists(places))]
    hashes, _ = group_equal(np.array(drawn, dtype=np.uint64))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(near_pairs, "FEW", 1)
        found = list_pairs(find_near_pairs(hashes, most_bits, 1))
    assert sorted(found) == sorted(list_pairs(iterate_near_pairs(hashes, most_bits, 1)))


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.usefixtures("compiled")
def test_blocks_are_small_and_in_one_order_for_any_number_of_threads(
    threads: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    hashes, _ = group_equal(make_few_bits(np.random.default_rng(0)))
    in_large_blocks = list_pairs(find_near_pairs(hashes, 4, 1))
    monkeypatch.setattr(near_pairs, "BLOCK_PAIRS", 100)
    blocks = list(find_near_pairs(hashes, 4, threads))
    assert list_pairs(blocks) == in_large_blocks
    assert max(len(near.bits) for near in blocks) <= 100
    assert all((near.low < near.high).all() for near in blocks)


def test_many_hashes_are_looked_up_in_tables() -> None:
    generator = np.random.default_rng(0)
    whole = generator.integers(0, 2**64, near_pairs.FEW, dtype=np.uint64)
    hashes, _ = group_equal(np.concatenate([whole, flip_some(whole[:500], 4, generator)]))
    found = list_pairs(find_near_pairs(hashes, 4, 2))
    assert sorted(found) == sorted(list_pairs(iterate_near_pairs(hashes, 4, 1)))
    assert len(found) > 400


def test_hashes_that_cannot_be_written_are_searched() -> None:
    hashes = np.arange(near_pairs.FEW + 2, dtype=np.uint64)
    hashes.flags.writeable = False
    expected = sum((index ^ 1 << bit) < index for index in range(len(hashes)) for bit in range(14))
    assert sum(len(near.bits) for near in find_near_pairs(hashes, 1, 1)) == expected


def test_equal_hashes_are_one_with_every_item() -> None:
    blank = np.zeros(100_000, np.uint64)
    hashes, group = group_equal(np.concatenate([blank, np.array([7, 0, 5], np.uint64)]))
    assert hashes.tolist() == [0, 5, 7]
    assert group[-4:].tolist() == [0, 2, 0, 1]
    assert not group[:100_000].any()
    assert list_pairs(find_near_pairs(hashes, 1, 1)) == [(1, 2, 1)]


@pytest.mark.parametrize("hashes", [[1, 1, 2], [3, 2]])
def test_equal_or_unsorted_hashes_are_refused(hashes: list[int]) -> None:
    with pytest.raises(ValueError, match="pass what group_equal returns"):
        find_near_pairs(np.array(hashes, dtype=np.uint64), 4, 1)


@pytest.mark.parametrize("most_bits", [-1, 13])
def test_a_wider_radius_is_refused(most_bits: int) -> None:
    with pytest.raises(ValueError, match=f"most_bits={most_bits}: choose 0 to 12"):
        find_near_pairs(np.empty(0, np.uint64), most_bits, 1)


@pytest.mark.parametrize("count", [0, 1])
def test_none_and_one_have_no_pairs(count: int) -> None:
    assert list_pairs(find_near_pairs(np.zeros(count, np.uint64), 4, 1)) == []


def test_few_hashes_are_searched_without_numba() -> None:
    program = (
        "import sys, numpy as np\n"
        "from seentwice.hamming import find_near_hashes, find_near_pairs, find_near_queries\n"
        "hashes = np.arange(4096, dtype=np.uint64)\n"
        "assert list(find_near_pairs(hashes, 1, 1))\n"
        "assert list(find_near_queries(hashes, hashes[:9], 1, 1))\n"
        "assert len(find_near_hashes(hashes, 3, 1, 1)[0]) == 13\n"
        "assert 'numba' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
