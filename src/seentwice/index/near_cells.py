"""Rows parted into cells, so that a search looks at those of the nearest cells alone.

That is for millions of rows, where a scan of all takes too long; what it misses is measured. Rows
stay where they are: a cell is a list of their positions.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import faiss
import numpy as np
from numpy.typing import NDArray

from seentwice.index.near_search import Choice, search_rows
from seentwice.index.row_segment import Part, Segment, read_rows

SAMPLE = 128
"""Rows that are searched for to measure what is missed."""
_FIRST_PROBES = 4
_TRAINING_PER_CELL = 64
_ITERATIONS = 8
_BLOCK = 1 << 14  # rows that are given their cells at once


@dataclass(frozen=True, slots=True, eq=False)
class Members:
    """The cells of one segment."""

    segment: Segment
    order: NDArray[np.int32]  # (n,) positions, cell by cell
    starts: NDArray[np.int64]  # (c + 1,) where in `order` each cell begins, and the last one ends


@dataclass(frozen=True, slots=True, eq=False)
class Cells:
    """The cells of all rows that were there."""

    centroids: NDArray[np.float32]  # (c, d)
    members: Mapping[int, Members]  # by the `id` of a segment's numbers, which outlive its saving
    probes: int  # how many cells a search looks into


def part_rows(parts: Sequence[Part], k: int, least_recall: float) -> tuple[Cells, float]:
    """Part rows into about as many cells as a cell has rows.

    Args:
        parts: with rows.
        k: how many of the best will be asked for.
        least_recall: so many cells are looked into that a search finds this share of the best k of
            `SAMPLE` of the rows themselves, 0 to 1.

    Returns:
        The cells and the share that was found.
    """
    total = sum(map(len, parts))
    count = max(1, round(total**0.5))
    kmeans = faiss.Kmeans(
        *(parts[0].segment.upper.shape[1], count),
        niter=_ITERATIONS,
        seed=0,
        min_points_per_centroid=1,
        max_points_per_centroid=_TRAINING_PER_CELL,
    )
    kmeans.train(_sample_rows(parts, min(total, _TRAINING_PER_CELL * count)))
    members = {id(part.segment.numbers): _assign(part.segment, kmeans, count) for part in parts}
    centroids = np.asarray(kmeans.centroids, np.float32)
    cells = Cells(centroids, members, min(_FIRST_PROBES, count))
    queries = _sample_rows(parts, min(total, SAMPLE))
    exact = search_rows([Choice(part.segment, part.places()) for part in parts], queries, k)
    while True:
        found = [
            search_rows(choose_rows(cells, parts, query, k), query[None], k) for query in queries
        ]
        hits = [
            np.isin(near.numbers[0], right[right >= 0]).sum()
            for near, right in zip(found, exact.numbers, strict=True)
        ]
        recall = float(sum(hits) / (exact.numbers >= 0).sum())
        if recall >= least_recall or cells.probes == count:
            return cells, recall
        cells = replace(cells, probes=min(2 * cells.probes, count))


def choose_rows(
    cells: Cells, parts: Sequence[Part], query: NDArray[np.float32], k: int
) -> list[Choice]:
    """Return the rows of the cells nearest to a query, and all that are in no cell yet.

    Args:
        cells: made of some of these parts' segments, or of their predecessors.
        parts: what is there now.
        query: (d,).
        k: further cells are looked into where these have fewer rows that count.
    """
    nearest = np.argsort(-(cells.centroids @ query), kind="stable")
    probes = cells.probes
    while True:
        choices = [
            _choose(part, cells.members.get(id(part.segment.numbers)), nearest[:probes])
            for part in parts
        ]
        if probes >= len(nearest) or sum(map(len, choices)) >= k:
            return choices
        probes *= 2


def _choose(part: Part, members: Members | None, probed: NDArray[np.int64]) -> Choice:
    if members is None:
        return Choice(part.segment, part.places())
    starts = members.starts
    lists = [members.order[starts[cell] : starts[cell + 1]] for cell in probed]
    positions = np.sort(np.concatenate(lists)).astype(np.int64)
    alive = part.is_alive
    return Choice(part.segment, positions if alive is None else positions[alive[positions]])


def _assign(segment: Segment, kmeans: faiss.Kmeans, count: int) -> Members:
    cell = np.empty(len(segment), np.int64)
    for start in range(0, len(segment), _BLOCK):
        positions = np.arange(start, min(start + _BLOCK, len(segment)))
        _, nearest = kmeans.index.search(read_rows(segment, positions), 1)
        cell[positions] = nearest[:, 0]
    order = np.argsort(cell, kind="stable").astype(np.int32)
    return Members(segment, order, np.searchsorted(cell[order], np.arange(count + 1)))


def _sample_rows(parts: Sequence[Part], count: int) -> NDArray[np.float32]:
    """Return some rows that count, at random."""
    ends = np.cumsum([len(part) for part in parts])
    chosen = np.sort(np.random.default_rng(0).choice(ends[-1], count, replace=False))
    groups = np.split(chosen, np.searchsorted(chosen, ends[:-1]))
    return np.concatenate(
        [
            read_rows(part.segment, part.positions()[group - (end - len(part))])
            for part, end, group in zip(parts, ends, groups, strict=True)
        ]
    )
