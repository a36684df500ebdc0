"""Evidence that trains nothing: a similarity of the two rows of a pair."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from seentwice.data.pairs import PairTable
from seentwice.detectors.descriptor import Rows

Similarity = Callable[[PairTable, Rows], NDArray[np.float64]]
"""Maps n pairs to similarities (n,), higher is closer."""

BLOCK = 8192  # pairs at once: bounds the memory of gathered rows


class ZeroShot:
    """A fixed similarity as evidence: nothing is learned."""

    def __init__(self, similarity: Similarity) -> None:
        self.similarity = similarity

    def fit(self, train: PairTable, validation: PairTable, rows: Rows) -> None:
        """Learn nothing."""

    def of(self, pairs: PairTable, rows: Rows) -> NDArray[np.float64]:
        """Return the similarity (n,) of each pair."""
        return self.similarity(pairs, rows)


def blockwise(
    pairs: PairTable,
    rows: NDArray[np.floating],
    compare: Callable[[NDArray[np.floating], NDArray[np.floating]], NDArray[np.floating]],
) -> NDArray[np.float64]:
    """Apply `compare` to the left and right rows of all pairs, a block at a time: (n,)."""
    values = np.empty(len(pairs), dtype=np.float64)
    for start in range(0, len(pairs), BLOCK):
        part = slice(start, start + BLOCK)
        values[part] = compare(rows[pairs.left[part]], rows[pairs.right[part]])
    return values
