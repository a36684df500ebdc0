"""All near pairs of many vectors: each with its nearest, exactly, or nearly where they are many."""

from collections.abc import Iterator
from dataclasses import dataclass

import faiss
import numpy as np
from numpy.typing import NDArray

MOST_EXACT = 200_000
"""Up to so many vectors each is compared with all; beyond, with those of the nearest cells."""
LEAST_RECALL = 0.99
"""Of the neighbours of `SAMPLE` vectors: so many cells are looked into that it is reached."""
SAMPLE = 1_000
_BLOCK = 4_096  # vectors that look for neighbours at once
_TRAINING_PER_CELL = 64


@dataclass(frozen=True, slots=True, eq=False)
class Neighbours:
    """Pairs of vectors, one of which is among the nearest of the other."""

    left: NDArray[np.int64]  # (m,)
    right: NDArray[np.int64]  # (m,) another one than left; a pair may come in both orders
    cosine: NDArray[np.float32]  # (m,)


@dataclass(frozen=True, slots=True, eq=False)
class NeighbourIndex:
    """Vectors that can be searched."""

    rows: NDArray[np.float32]  # (n, d)
    cells: faiss.Index | None  # that hold them; None: each is compared with all
    recall: float | None  # of true neighbours, measured on a sample; None: search is exact


def open_neighbours(rows: NDArray[np.float32], neighbours: int) -> NeighbourIndex:
    """Make vectors searchable; few are searched where they are, without a copy.

    Args:
        rows: (n, d), each of length 1.
        neighbours: how many of each will be looked for.
    """
    rows = np.ascontiguousarray(rows, np.float32)
    if len(rows) <= MOST_EXACT:
        return NeighbourIndex(rows, None, None)
    return _open_cells(rows, neighbours)


def _open_cells(rows: NDArray[np.float32], neighbours: int) -> NeighbourIndex:
    """Part vectors into cells, and choose how many cells each search looks into."""
    rng = np.random.default_rng(0)
    cells = 4 * round(len(rows) ** 0.5)
    index = faiss.IndexIVFFlat(
        faiss.IndexFlatIP(rows.shape[1]), rows.shape[1], cells, faiss.METRIC_INNER_PRODUCT
    )
    training = rng.choice(len(rows), min(len(rows), _TRAINING_PER_CELL * cells), replace=False)
    index.train(rows[np.sort(training)])
    index.add(rows)
    sample = rows[np.sort(rng.choice(len(rows), SAMPLE, replace=False))]
    _, truth = faiss.knn(sample, rows, neighbours + 1, metric=faiss.METRIC_INNER_PRODUCT)
    recall, index.nprobe = 0.0, 4
    while recall < LEAST_RECALL and index.nprobe < cells:
        index.nprobe = min(2 * index.nprobe, cells)
        _, found = index.search(sample, neighbours + 1)
        hits = [len(np.intersect1d(*both)) for both in zip(found, truth, strict=True)]
        recall = sum(hits) / truth.size
    return NeighbourIndex(rows, index, recall)


def iterate_neighbours(
    searched: NeighbourIndex, neighbours: int, least_cosine: float
) -> Iterator[Neighbours]:
    """Yield each vector's nearest others, in blocks; memory follows a block's neighbours.

    Args:
        searched: the vectors.
        neighbours: the most that one vector is given.
        least_cosine: of a neighbour.
    """
    rows = searched.rows
    most = min(neighbours + 1, len(rows))
    for start in range(0, len(rows), _BLOCK):
        block = rows[start : start + _BLOCK]
        if searched.cells is None:
            cosine, other = faiss.knn(block, rows, most, metric=faiss.METRIC_INNER_PRODUCT)
        else:
            cosine, other = searched.cells.search(block, most)
        own = np.arange(start, start + len(block))[:, np.newaxis]
        is_near = (cosine >= least_cosine) & (other != own) & (other >= 0)
        left = np.broadcast_to(own, other.shape)[is_near]
        yield Neighbours(left, other[is_near], cosine[is_near])
