from itertools import combinations
from math import comb

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seentwice.hamming.tables import byte_table, deal_bits, plan_tables


@settings(deadline=None)
@given(st.permutations(range(64)), st.integers(0, 2**64 - 1))
def test_the_byte_table_moves_each_bit_to_its_place(place: list[int], word: int) -> None:
    table = byte_table(np.array(place))
    moved = sum(int(table[byte, word >> 8 * byte & 255]) for byte in range(8))
    assert moved == sum((word >> bit & 1) << place[bit] for bit in range(64))


@pytest.mark.parametrize("blocks", [1, 2, 13, 64])
def test_every_bit_is_dealt_once_and_every_block_has_one(blocks: int) -> None:
    dealt = deal_bits(np.full(64, 0.5), blocks)
    assert sorted(bit for block in dealt for bit in block) == list(range(64))
    lengths = {len(block) for block in dealt}
    assert min(lengths) >= 64 // blocks
    assert max(lengths) <= -(-64 // blocks)


def test_bits_that_never_change_are_not_dealt_to_one_block() -> None:
    shared = np.where(np.arange(64) < 40, 1.0, 0.5)
    for block in deal_bits(shared, 6):
        assert sum(bit >= 40 for bit in block) == 4


@pytest.mark.parametrize("most_bits", range(1, 13))
@pytest.mark.parametrize("count", [2, 10_000])
def test_any_two_hashes_that_near_share_the_front_of_one_table_that_takes_them(
    count: int, most_bits: int
) -> None:
    generator = np.random.default_rng(0)
    hashes = generator.integers(0, 2**64, count, dtype=np.uint64)
    tables = list(plan_tables(hashes, most_bits))
    for bits in range(1, most_bits + 1):
        places = generator.choice(64, bits, replace=False)
        takes = 0
        for table in tables:
            differing = sum(1 << int(table.place[bit]) for bit in places)
            earlier = [differing & int(block) for block in table.earlier]
            takes += differing >> table.other_bits == 0 and all(earlier)
        assert takes == 1


def test_more_hashes_get_longer_keys() -> None:
    generator = np.random.default_rng(0)
    few, many = (
        list(plan_tables(generator.integers(0, 2**64, count, dtype=np.uint64), 6))
        for count in (1_000, 1_000_000)
    )
    assert len(few) == comb(7, 1)
    assert len(many) == comb(8, 2)
    assert few[0].other_bits > many[0].other_bits


def test_a_table_for_each_choice_of_blocks() -> None:
    hashes = np.random.default_rng(0).integers(0, 2**64, 1_000_000, dtype=np.uint64)
    keys = [
        frozenset(np.flatnonzero(table.place >= table.other_bits).tolist())
        for table in plan_tables(hashes, 6)
    ]
    blocks = {left & right for left, right in combinations(keys, 2) if left & right}
    assert len(blocks) == 8
    assert {left | right for left, right in combinations(blocks, 2)} == set(keys)
