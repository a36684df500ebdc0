"""Hamming distances of 64-bit hashes."""

import numpy as np
from numpy.typing import NDArray


def hamming_bits(left: NDArray[np.uint64], right: NDArray[np.uint64]) -> NDArray[np.uint8]:
    """Return how many of 64 bits differ, 0 to 64; the shapes broadcast."""
    return np.bitwise_count(np.bitwise_xor(left, right))
