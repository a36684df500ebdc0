"""Groups of photos of which any two are, on average, rather copies than not: no weak link chains.

Average linkage (Sokal & Michener 1958): the two groups whose photos have the highest mean score
across them are joined, again and again, while that mean is above a half. So a photo that is like
one of a group and unlike the others stays out, however sure that one match is.
"""

import heapq
from collections.abc import Callable, Iterator
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from seentwice.dedupe.linkage import gather_around_centres, link_matrix

LEAST_MEAN = 0.5
"""Groups are joined above it: a copy is then more likely than none, on average over all pairs."""
MOST_LINKED = 1_000
"""Photos of a component whose pairs are all scored; larger ones are parted around their centres."""
_FEW = 24  # photos of a component that take less time as a record of each pair than as arrays
_ASKED = 1 << 15  # pairs that are scored at once: a call for each component would take longer

Indices = NDArray[np.int64]
Scores = NDArray[np.float64]
ScorePairs = Callable[[Indices, Indices], Scores]
"""Scores pairs (p,), (p,) -> (p,)."""


def group_photos(
    count: int, left: Indices, right: Indices, scores: Scores, score_pairs: ScorePairs
) -> list[Indices]:
    """Part photos into groups; those that are alone are in none.

    Photos that matches connect, over however many others, are looked at together: the pairs of
    them that are no match are scored as well, so that the mean is that of all pairs. Of more than
    `MOST_LINKED` a group is one with the most matches and all that match it. The groups do not
    depend on the order of the matches. Memory follows the matches, and the pairs of the largest
    component that is linked: 16 MB at the most.

    Args:
        count: photos; they are numbered from 0 in the order that decides between equal means.
        left: (m,) of each match, the number of one photo.
        right: (m,) of the other; no pair is there twice, in either order.
        scores: (m,) probabilities in [0, 1].
        score_pairs: called with pairs that are no match.

    Returns:
        The numbers of each group's photos, rising; the groups in the order of their first.
    """
    groups: list[Indices] = []
    waiting: list[_Component] = []
    asked = 0
    for members, edges in _components(count, left, right):
        if len(members) == 2:
            if scores[edges[0]] > LEAST_MEAN:
                groups.append(members)
            continue
        one, other, score = left[edges], right[edges], scores[edges]
        if len(members) > MOST_LINKED:
            groups += _gather(members, one, other, score)
            continue
        if len(members) > _FEW:
            groups += _link_many(members, one, other, score, score_pairs)
            continue
        component = _list_pairs(members, one, other, score)
        waiting.append(component)
        asked += len(component.missing)
        if asked >= _ASKED:
            groups += _link_filled(waiting, score_pairs)
            waiting, asked = [], 0
    groups += _link_filled(waiting, score_pairs)
    return sorted(groups, key=lambda group: int(group[0]))


class _Component:
    """A few photos that matches connect, and what is known of their pairs."""

    def __init__(self, members: list[int], known: dict[tuple[int, int], float]) -> None:
        self.members = members
        self.known = known
        self.missing = [pair for pair in combinations(members, 2) if pair not in known]


def _list_pairs(members: Indices, left: Indices, right: Indices, scores: Scores) -> _Component:
    pairs = zip(left.tolist(), right.tolist(), scores.tolist(), strict=True)
    return _Component(members.tolist(), {(min(a, b), max(a, b)): score for a, b, score in pairs})


def _gather(members: Indices, left: Indices, right: Indices, scores: Scores) -> Iterator[Indices]:
    """Part very many photos around their centres; see `gather_around_centres`."""
    likely = scores > LEAST_MEAN
    one, other = (np.searchsorted(members, side[likely]) for side in (left, right))
    for group in gather_around_centres(len(members), one, other):
        yield members[group]


def _link_many(
    members: Indices, left: Indices, right: Indices, scores: Scores, score_pairs: ScorePairs
) -> Iterator[Indices]:
    """Score the pairs of photos that are no match, and yield their groups."""
    sums = np.full((len(members), len(members)), np.nan)
    one, other = np.searchsorted(members, left), np.searchsorted(members, right)
    sums[one, other] = sums[other, one] = scores
    np.fill_diagonal(sums, 0)
    one, other = np.nonzero(np.triu(np.isnan(sums)))
    sums[one, other] = sums[other, one] = score_pairs(members[one], members[other])
    for group in link_matrix(sums, LEAST_MEAN):
        yield members[group]


def _link_filled(components: list[_Component], score_pairs: ScorePairs) -> Iterator[Indices]:
    """Score the pairs that are no match of several components at once; yield their groups."""
    missing = [pair for component in components for pair in component.missing]
    if missing:
        pairs = np.array(missing, np.int64)
        scores = iter(score_pairs(pairs[:, 0], pairs[:, 1]).tolist())
        for component in components:
            component.known.update(zip(component.missing, scores, strict=False))
    for component in components:
        yield from (np.array(group) for group in _link(component.members, component.known))


def _components(count: int, left: Indices, right: Indices) -> Iterator[tuple[Indices, Indices]]:
    """Yield the photos that matches connect, rising, with the numbers of those matches."""
    label = label_components(count, left, right)
    touched = np.unique(np.concatenate((left, right)))
    touched = touched[np.argsort(label[touched], kind="stable")]
    edges = np.argsort(label[left], kind="stable")
    starts = np.flatnonzero(np.diff(label[touched], prepend=-1))
    edge_starts = np.flatnonzero(np.diff(label[left][edges], prepend=-1))
    yield from zip(
        np.split(touched, starts[1:]) if len(starts) else (),
        np.split(edges, edge_starts[1:]) if len(edge_starts) else (),
        strict=True,
    )


def label_components(count: int, left: Indices, right: Indices) -> Indices:
    """Return a number of what each photo is connected to, over however many others, (count,).

    Args:
        count: photos.
        left: (m,) of each match, the number of one photo.
        right: (m,) of the other.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    if not count:
        return np.empty(0, np.int64)
    matches = coo_array((np.ones(len(left), bool), (left, right)), shape=(count, count))
    _, label = connected_components(matches, directed=False)
    return np.asarray(label, np.int64)


def _link(members: list[int], known: dict[tuple[int, int], float]) -> list[list[int]]:
    """Join photos by average linkage; return the groups of two or more.

    The sum of the scores between two groups is that of their parts, so a join adds two rows.
    """
    groups = {member: [member] for member in members}
    sums: dict[int, dict[int, float]] = {member: {} for member in members}
    for (a, b), score in known.items():
        if score > 0:
            sums[a][b] = sums[b][a] = score
    # The highest mean first, then the lowest numbers; what was joined since is passed over.
    queue = [(-score, a, b) for (a, b), score in known.items() if score > LEAST_MEAN]
    heapq.heapify(queue)
    while queue:
        negative, a, b = heapq.heappop(queue)
        if b not in sums.get(a, ()) or -negative != _mean(sums[a][b], groups[a], groups[b]):
            continue
        for other, score in sums.pop(b).items():
            del sums[other][b]
            if other != a:
                sums[a][other] = sums[other][a] = sums[a].get(other, 0.0) + score
        groups[a] += groups.pop(b)
        for other, score in sums[a].items():
            mean = _mean(score, groups[a], groups[other])
            if mean > LEAST_MEAN:
                heapq.heappush(queue, (-mean, min(a, other), max(a, other)))
    return [sorted(group) for group in groups.values() if len(group) > 1]


def _mean(total: float, one: list[int], other: list[int]) -> float:
    return total / (len(one) * len(other))
