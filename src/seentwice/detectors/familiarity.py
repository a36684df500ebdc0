"""How near a photo is to photos that have nothing to do with it: what its similarities start from.

A blurred copy, or one in a collage, is less like its original than two tidy bathrooms are like each
other, so no threshold fits all copies. Taking off each query's similarity to photos of other homes
makes one of them fit better: similarity normalisation (Pizzi et al. 2022, SSCD, arXiv:2202.10261,
section 5.3; Papakipos & Ferrer 2022, DISC21).
"""

import numpy as np
from numpy.typing import NDArray

from seentwice.index.near import nearest_rows


def measure_familiarity(
    embeddings: NDArray[np.float32], background: NDArray[np.float32], neighbours: int
) -> NDArray[np.float32]:
    """Return the mean cosine of each row with its nearest rows of a background, (n,).

    Args:
        embeddings: (n, e), each of length 1.
        background: (b, e), each of length 1: of photos that show none of the homes searched.
        neighbours: how many count, at most b.

    Raises:
        ValueError: fewer rows in the background than neighbours.
    """
    squared, _ = nearest_rows(background, embeddings, neighbours)
    familiarity: NDArray[np.float32] = 1 - squared.mean(axis=1) / 2
    return familiarity
