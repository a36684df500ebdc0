"""Hamming distances of 64-bit hashes in NumPy."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, eq=False)
class NearPairs:
    """Pairs of hashes that are near each other, as columns of one length."""

    low: NDArray[np.int64]  # index of one hash
    high: NDArray[np.int64]  # index of the other, greater than low
    bits: NDArray[np.uint8]  # their distance


def hamming_bits(left: NDArray[np.uint64], right: NDArray[np.uint64]) -> NDArray[np.uint8]:
    """Return how many of 64 bits differ, 0 to 64; the shapes broadcast."""
    return np.bitwise_count(np.bitwise_xor(left, right))


def near_of_block(
    rows: NDArray[np.uint64], columns: NDArray[np.uint64], most_bits: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.uint8]]:
    """Compare every row with every column: row and column of each near pair, and its bits.

    Args:
        rows: (m,).
        columns: (n,) with m * n bytes and eight times as many to spare.
        most_bits: the farthest that counts as near.
    """
    bits = hamming_bits(rows[:, None], columns[None])
    row, column = np.divmod(np.flatnonzero(bits <= most_bits), bits.shape[1])
    return row, column, bits[row, column]
