"""Nearest vectors, exactly."""

import faiss
import numpy as np
from numpy.typing import NDArray


def nearest_rows(
    gallery: NDArray[np.float32], queries: NDArray[np.float32], k: int
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Find the k nearest gallery rows of each query by Euclidean distance, exactly.

    Args:
        gallery: (g, d) with g >= k.
        queries: (q, d).
        k: neighbours a query.

    Returns:
        Squared distances (q, k), nearest first, and indices into the gallery (q, k).

    Raises:
        ValueError: fewer gallery rows than k.
    """
    if not 1 <= k <= len(gallery):
        raise ValueError(f"k={k}: choose 1 to {len(gallery)}, the number of gallery rows")
    index = faiss.IndexFlatL2(gallery.shape[1])
    index.add(np.ascontiguousarray(gallery, dtype=np.float32))
    distances, indices = index.search(np.ascontiguousarray(queries, dtype=np.float32), k)
    return distances, indices
