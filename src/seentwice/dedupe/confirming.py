"""Confirm by key points what embeddings took for copies: another view of a room is near, too."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from seentwice.data.source import Progress
from seentwice.dedupe.groups import label_components
from seentwice.dedupe.matching import Matches
from seentwice.dedupe.naming import read_aligned
from seentwice.dedupe.pictures import Indices
from seentwice.dedupe.search import Found, list_groups
from seentwice.dedupe.verify import Verifier
from seentwice.detectors.alignment import is_same_photo

PAIR_TRIES = 2
"""Matches between two sets of pictures that are looked at before they are taken for apart."""
SET_TRIES = 12
"""Matches of one set of pictures with others that fail before no more are looked at."""
Confirm = Callable[[int, int], bool]
"""Whether key points and pixels show two pictures to be one."""


def confirm_groups(
    found: Found,
    verifier: Verifier,
    root: Path,
    max_pixels: int,
    workers: int,
    on_progress: Progress,
) -> Found:
    """Return what was found, with groups that hold where embeddings are no evidence.

    Pictures of a group that hashes show to be copies are one set. Sets are joined, the surest match
    of embeddings first, where the key points of its two photos are related by a homography that an
    edit can make and the pixels agree. So a group never grows by it.

    Args:
        found: by numbers of photos.
        verifier: that scored the matches.
        root: the folder of the photos.
        max_pixels: photos with more are not decoded.
        workers: threads.
        on_progress: told of the groups that are done.

    Returns:
        The groups that are left; matches by embeddings that cross them are in `unconfirmed`.

    Raises:
        UserError: OpenCV is not installed.
    """
    table, first, matches = found.table, found.pictures.first, found.matches
    count = len(first)
    group_of = np.full(count, -1)
    for number, group in enumerate(found.groups):
        group_of[found.pictures.of_photo[group]] = number
    left, right = matches.left, matches.right
    is_embedded = verifier.explain(first[left], first[right]).is_embedded
    set_of = label_components(count, left[~is_embedded], right[~is_embedded])
    # What hashes show of two groups does not join them.
    _, set_of = np.unique(np.stack((set_of, group_of)), axis=1, return_inverse=True)
    set_of = set_of.astype(np.int64).reshape(-1)
    is_asked = is_embedded & (group_of[left] == group_of[right]) & (group_of[left] >= 0)
    is_asked &= set_of[left] != set_of[right]
    asked = np.flatnonzero(is_asked)
    asked = asked[np.lexsort((right[asked], left[asked], -matches.scores[asked]))]
    parts = _split_by(group_of[left[asked]], asked)

    def confirm(one: int, other: int) -> bool:
        keys = table.key(int(first[one])), table.key(int(first[other]))
        aligned = read_aligned(root, *keys, max_pixels)
        return aligned is not None and is_same_photo(aligned)

    def join(part: Indices) -> list[tuple[int, int]]:
        pairs = [(int(left[at]), int(right[at])) for at in part]
        return join_sets(pairs, set_of, confirm)

    joined: list[tuple[int, int]] = []
    with ThreadPoolExecutor(workers) as pool:
        try:
            for done, some in enumerate(pool.map(join, parts), 1):
                joined += some
                on_progress(done, len(parts))
        finally:
            pool.shutdown(cancel_futures=True)
    sets = np.array(joined, np.int64).reshape(-1, 2)
    part_of = label_components(int(set_of.max(initial=0)) + 1, sets[:, 0], sets[:, 1])[set_of]
    groups = list_groups(found.pictures, _number_by_first(part_of, group_of))
    is_left = is_embedded & (part_of[left] != part_of[right])
    return replace(
        found,
        groups=groups,
        matches=_select(matches, ~is_left),
        unconfirmed=_select(matches, is_left),
    )


def join_sets(
    pairs: Sequence[tuple[int, int]], set_of: Indices, confirm: Confirm
) -> list[tuple[int, int]]:
    """Return which sets of pictures are one, as pairs of sets.

    Args:
        pairs: of pictures of different sets, the surest first.
        set_of: the set of each picture.
        confirm: looks at two pictures.
    """
    joined: list[tuple[int, int]] = []
    of_set: dict[int, int] = {}
    failed: dict[tuple[int, int], int] = {}
    failures: dict[int, int] = {}

    def find(one: int) -> int:
        while of_set.get(one, one) != one:
            one = of_set[one]
        return one

    for one, other in pairs:
        sets = int(set_of[one]), int(set_of[other])
        ends = sorted(map(find, sets))
        if ends[0] == ends[1] or failed.get(sets, 0) >= PAIR_TRIES:
            continue
        if min(failures.get(each, 0) for each in sets) >= SET_TRIES:
            continue
        if confirm(one, other):
            of_set[ends[1]] = ends[0]
            joined.append(sets)
            continue
        failed[sets] = failed.get(sets, 0) + 1
        for each in sets:
            failures[each] = failures.get(each, 0) + 1
    return joined


def _split_by(label: Indices, values: Indices) -> list[Indices]:
    """Return the values of each label in their order; the labels rise."""
    order = np.argsort(label, kind="stable")
    starts = np.flatnonzero(np.diff(label[order], prepend=-1))
    return np.split(values[order], starts[1:]) if len(starts) else []


def _number_by_first(part_of: Indices, group_of: Indices) -> Indices:
    """Return the first picture of each one's part; itself where it is in no group."""
    count = len(part_of)
    least = np.full(int(part_of.max(initial=0)) + 1, count)
    np.minimum.at(least, part_of, np.arange(count))
    return np.where(group_of >= 0, least[part_of], np.arange(count))


def _select(matches: Matches, chosen: NDArray[np.bool_]) -> Matches:
    return replace(
        matches,
        left=matches.left[chosen],
        right=matches.right[chosen],
        scores=matches.scores[chosen],
    )
