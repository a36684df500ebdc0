"""Average linkage of some hundred photos in arrays, and the parting of more around their centres.

What `seentwice.dedupe.groups` does with a few photos, for components in which a record of each pair
would take a hundred bytes and more: here it takes eight.
"""

import heapq
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

Indices = NDArray[np.int64]
Scores = NDArray[np.float64]
_NONE = -1.0  # below every mean


def link_matrix(sums: Scores, least_mean: float) -> list[Indices]:
    """Join photos by average linkage; return the groups of two or more, the first photo's first.

    The highest mean first, then the lowest numbers. A join looks at one row of means, and at those
    whose highest mean was with one of the two.

    Args:
        sums: (n, n) the scores of all pairs, in both orders; it becomes the sums between groups.
        least_mean: groups are joined above it.
    """
    count = len(sums)
    sizes = np.ones(count)
    group_of = np.arange(count)
    best, nearest = np.full(count, _NONE), np.zeros(count, np.int64)

    def look(rows: Indices) -> None:
        """Find the highest mean of each row with a later one, and the first that has it."""
        means = sums[rows] / (sizes[rows, np.newaxis] * sizes)
        means[np.arange(count) <= rows[:, np.newaxis]] = _NONE
        nearest[rows] = means.argmax(axis=1)
        best[rows] = means[np.arange(len(rows)), nearest[rows]]

    for row in range(count):
        look(np.array([row]))
    while True:
        one = int(best.argmax())
        other = int(nearest[one])
        if not best[one] > least_mean:
            break
        sums[one] += sums[other]
        sums[:, one] = sums[one]
        sums[one, one] = 0
        sums[other] = sums[:, other] = 0
        sizes[one] += sizes[other]
        group_of[group_of == other] = one
        best[other] = _NONE
        # No mean grows by a join, but for rounding, which decides between equal ones.
        means = sums[:one, one] / (sizes[:one] * sizes[one])
        is_higher = (means > best[:one]) | ((means == best[:one]) & (one < nearest[:one]))
        is_higher &= best[:one] > _NONE
        best[:one][is_higher], nearest[:one][is_higher] = means[is_higher], one
        is_stale = (nearest == one) | (nearest == other)
        is_stale[one] = True
        look(np.flatnonzero(is_stale & (best > _NONE)))
    return [
        np.flatnonzero(group_of == first)
        for first in np.flatnonzero(np.bincount(group_of, minlength=count) > 1)
    ]


def gather_around_centres(count: int, left: Indices, right: Indices) -> Iterator[Indices]:
    """Part many photos: the one with the most matches, and all that match it, again and again.

    So each photo of a group matches its centre, and time and memory follow the matches, not the
    pairs: a thousand copies of one photo make one group.

    Args:
        count: photos.
        left: (m,) of each match, the number of one photo.
        right: (m,) of the other; no pair is there twice, in either order.
    """
    ends, others = np.concatenate((left, right)), np.concatenate((right, left))
    order = np.argsort(ends, kind="stable")
    others = others[order]
    starts = np.searchsorted(ends[order], np.arange(count + 1))
    matches = np.diff(starts)  # of each photo, with those that are in no group yet
    is_free = np.ones(count, bool)
    # The most matches first, then the lowest number; counts that fell since are asked again.
    queue = list(zip((-matches).tolist(), range(count), strict=True))
    heapq.heapify(queue)
    while queue:
        known, centre = heapq.heappop(queue)
        now = int(matches[centre])
        if not is_free[centre] or not now:
            continue
        if now != -known:
            heapq.heappush(queue, (-now, centre))
            continue
        near = others[starts[centre] : starts[centre + 1]]
        group = np.sort(np.append(near[is_free[near]], centre))
        is_free[group] = False
        for member in group.tolist():
            # A photo is there once among those that match another.
            matches[others[starts[member] : starts[member + 1]]] -= 1
        yield group
