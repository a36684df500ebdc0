"""From numbers to records: groups with the photo to keep, and why each other one is a duplicate."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from seentwice.dedupe.findings import Duplicates, FoundPhoto, Group, Match
from seentwice.dedupe.keeping import KEEP
from seentwice.dedupe.matching import join_matches
from seentwice.dedupe.pair_reasons import PairReasons, describe_pair, explain_pairs
from seentwice.dedupe.pictures import Indices, PhotoTable
from seentwice.dedupe.search import Found
from seentwice.dedupe.verify import SearchSettings, Verifier
from seentwice.records import Unreadable


def describe_found(
    found: Found,
    verifier: Verifier,
    root: Path,
    keep: str,
    settings: SearchSettings,
    unreadable: Sequence[Unreadable],
) -> Duplicates:
    """Return the groups of a search, the largest first, and what matches beside them.

    Args:
        found: by numbers of photos.
        verifier: that scored them.
        root: the folder of the photos.
        keep: a key of `KEEP`.
        settings: of the search.
        unreadable: files that gave no photo.
    """
    table = found.table
    ordered = [KEEP[keep](table, group, root, settings.max_pixels) for group in found.groups]
    # By their keys, which the numbers of photos follow, but for the one to keep.
    ordered = [np.concatenate((group[:1], np.sort(group[1:]))) for group in ordered]
    ordered.sort(key=lambda group: (-len(group), int(group[0])))
    with_kept = explain_pairs(
        found,
        verifier,
        np.concatenate([np.empty(0, np.int64), *(np.repeat(g[:1], len(g) - 1) for g in ordered)]),
        np.concatenate([np.empty(0, np.int64), *(group[1:] for group in ordered)]),
    )
    others = _match_others(found, verifier, ordered, with_kept, settings)
    groups = []
    start = 0
    for group in ordered:
        end = start + len(group) - 1
        matches = [
            others.get(int(with_kept.right[pair])) or describe_pair(table, with_kept, pair)
            for pair in range(start, end)
        ]
        matches.sort(key=lambda match: -match.score)
        photos = tuple(_describe_photo(table, photo, root) for photo in group.tolist())
        groups.append(Group(photos, tuple(matches)))
        start = end
    return Duplicates(
        root=root,
        groups=tuple(groups),
        links=_describe_links(found, verifier),
        searched=len(table),
        without_content=int(np.count_nonzero(~table.has_content)),
        unreadable=tuple(unreadable),
        coverage=found.matches.coverage,
    )


def _match_others(
    found: Found,
    verifier: Verifier,
    groups: Sequence[Indices],
    with_kept: PairReasons,
    settings: SearchSettings,
) -> dict[int, Match]:
    """Return, of photos that do not match the kept one, the surest match with another."""
    weak = with_kept.explained.scores < settings.least_score
    is_weak = set(with_kept.right[weak].tolist())
    left, right = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
    for group in groups:
        for photo in group[1:].tolist():
            if photo in is_weak:
                rest = group[group != photo]
                left.append(rest)
                right.append(np.full(len(rest), photo))
    pairs = explain_pairs(found, verifier, np.concatenate(left), np.concatenate(right))
    # The surest last, so that it stays; of equal ones, that with the lowest number.
    order = np.lexsort((-pairs.left, pairs.explained.scores))
    return {int(pairs.right[n]): describe_pair(found.table, pairs, n) for n in order.tolist()}


def _describe_photo(table: PhotoTable, photo: int, root: Path) -> FoundPhoto:
    key = table.key(photo)
    return FoundPhoto(
        key=key,
        path=root / key,
        width=int(table.width[photo]),
        height=int(table.height[photo]),
        size_bytes=int(table.size_bytes[photo]),
        modified_seconds=int(table.modified_ns[photo]) / 1e9,
        sha256=table.sha256[photo].tobytes().hex(),
    )


def _describe_links(found: Found, verifier: Verifier) -> tuple[Match, ...]:
    """Return the matches of pictures that came into no group together, the surest first."""
    first = found.pictures.first
    matches = join_matches(found.matches, found.unconfirmed)
    group_of = np.full(len(found.table), -1)
    for number, group in enumerate(found.groups):
        group_of[group] = number
    left, right = first[matches.left], first[matches.right]
    is_link = (group_of[left] != group_of[right]) | (group_of[left] < 0)
    pairs = explain_pairs(found, verifier, left[is_link], right[is_link])
    order = np.lexsort((pairs.right, pairs.left, -pairs.explained.scores))
    return tuple(describe_pair(found.table, pairs, pair) for pair in order.tolist())
