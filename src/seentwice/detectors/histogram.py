"""The colour histogram as a detector: shared colours, same place."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from seentwice.bank.recipe import Recipe
from seentwice.data.pairs import PairTable
from seentwice.detectors.descriptor import Rows
from seentwice.detectors.similarity import blockwise

LEVELS = 8  # a channel: 512 bins in all


class HistogramDescriptor:
    """The joint RGB histogram of a view, its bins summing to 1."""

    name = "histogram"
    recipe = Recipe(name, (), (LEVELS**3,), "float32")

    def look(self, image: Image.Image) -> NDArray[np.float32]:
        """Return the shares of the 512 colours, (512,)."""
        level = np.asarray(image, dtype=np.uint8).reshape(-1, 3) // (256 // LEVELS)
        colour = (level[:, 0].astype(np.int64) * LEVELS + level[:, 1]) * LEVELS + level[:, 2]
        counts = np.bincount(colour, minlength=LEVELS**3)
        return (counts / len(colour)).astype(np.float32)

    def finish(self, looks: NDArray[Any]) -> NDArray[Any]:
        """Return the histograms (b, 512) as they are."""
        return looks


def histogram_similarity(pairs: PairTable, rows: Rows) -> NDArray[np.float64]:
    """Return the intersection of the two histograms, 0 to 1 (Swain & Ballard 1991): (n,)."""
    return blockwise(
        pairs,
        rows[HistogramDescriptor.name],
        lambda left, right: np.minimum(left, right).sum(axis=1),
    )
