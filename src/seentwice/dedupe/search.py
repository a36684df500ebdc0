"""Find the duplicates among the photos of a table: pictures, candidates, matches, groups."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from seentwice.data.source import Progress
from seentwice.dedupe.groups import ScorePairs, group_photos
from seentwice.dedupe.matching import NO_MATCHES, Allow, Matches, join_matches, match_candidates
from seentwice.dedupe.pictures import Indices, PhotoTable, Pictures, group_same
from seentwice.dedupe.same_pixels import find_same_pixels
from seentwice.dedupe.settled import (
    RememberedScores,
    Settled,
    carry_over,
    find_kept_groups,
    read_settled,
    write_settled,
)
from seentwice.dedupe.verify import HashVerifier, SearchSettings, Verifier
from seentwice.index.store import PhotoStore

_WAY = 1
"""Of searching; another after a change by which the same photos have other matches or groups."""


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """Duplicates among the photos of a table, all by number."""

    table: PhotoTable
    by_bytes: Pictures  # photos of the same bytes put together
    pictures: Pictures  # and those of the same pixels
    groups: tuple[Indices, ...]  # the photos of each, rising; in the order of their first photos
    matches: Matches  # of pictures
    unconfirmed: Matches = NO_MATCHES  # that nothing but embeddings shows; see `confirm_groups`


def search_table(
    store: PhotoStore,
    table: PhotoTable,
    root: Path,
    verifier: Verifier,
    settings: SearchSettings,
    allow: Allow | None,
    on_progress: Progress,
) -> Found:
    """Find the duplicates among photos.

    Where any two photos may be duplicates and hashes alone decide, what the search before has
    settled is not looked for again; what is found is the same.

    Args:
        store: keeps what is computed of pixels, and what is settled.
        table: the photos.
        root: their folder.
        verifier: scores pairs, and brings those that are worth it.
        settings: what is taken for a duplicate.
        allow: tells pairs of photos that are none, whatever they show; None: any two may be.
        on_progress: told of the photos that are decoded to compare pixels.

    Raises:
        UserError: the store cannot be written.
    """
    by_bytes = pictures = group_same(table.sha256)
    if settings.same_pixels:
        pictures = find_same_pixels(
            store, table, by_bytes, root, settings.max_pixels, settings.workers, on_progress
        )
    if allow is None and isinstance(verifier, HashVerifier):
        matches, group_of = _search_new(store, table, pictures, verifier, settings)
    else:
        matches = match_pictures(pictures, verifier, settings, allow or allow_all)
        group_of = group_pictures(pictures, matches, verifier)
    return Found(table, by_bytes, pictures, list_groups(pictures, group_of), matches)


def allow_all(left: Indices, right: Indices) -> NDArray[np.bool_]:
    """Let any two photos be duplicates."""
    return np.ones(len(left), bool)


def _search_new(
    store: PhotoStore,
    table: PhotoTable,
    pictures: Pictures,
    verifier: HashVerifier,
    settings: SearchSettings,
) -> tuple[Matches, Indices]:
    """Return the matches, and the first picture of each one's group; keep them for the next time.

    Of pictures that are settled no pair is scored again.
    """
    key = f"{_WAY}, {verifier.fingerprint}, {settings.hash_bits}, {settings.least_score}"
    digests = table.sha256[pictures.first]
    is_crowded = verifier.find_crowded(pictures.first)
    carried = carry_over(read_settled(store, key), digests, is_crowded)
    is_open = carried.before < 0

    def may_match(left: Indices, right: Indices) -> NDArray[np.bool_]:
        return is_open[left] | is_open[right]

    matches = carried.matches
    score = _score_pictures(pictures, verifier)
    if is_open.any():
        candidates = verifier.iterate_new_candidates(pictures.first, is_open, settings)
        found = match_candidates(candidates, score, may_match, settings.least_score)
        matches = join_matches(matches, found)
    is_kept, group_of = find_kept_groups(carried, matches)
    others = ~is_kept[matches.left]
    changed = Matches(matches.left[others], matches.right[others], matches.scores[others])
    remembered = RememberedScores(score, carried.asked)
    _join(group_of, changed, remembered)
    if is_open.any() or len(digests) < len(carried.former.digests):
        settled = Settled(digests, is_crowded, matches, remembered.known(), group_of)
        write_settled(store, key, settled)
    return matches, group_of


def _score_pictures(pictures: Pictures, verifier: Verifier) -> ScorePairs:
    def score(left: Indices, right: Indices) -> NDArray[np.float64]:
        return verifier.score(pictures.first[left], pictures.first[right])

    return score


def match_pictures(
    pictures: Pictures,
    verifier: Verifier,
    settings: SearchSettings,
    allow: Allow,
) -> Matches:
    """Return the pairs of pictures that are taken for copies of each other.

    Args:
        pictures: of photos.
        verifier: scores pairs, and brings those that are worth it.
        settings: what is taken for a duplicate.
        allow: tells pairs of photos that are none.
    """
    is_several = np.bincount(pictures.of_photo, minlength=len(pictures.first)) > 1

    def may_match(left: Indices, right: Indices) -> NDArray[np.bool_]:
        # Of several photos any two may be allowed; whoever lists their pairs asks again.
        allowed = allow(pictures.first[left], pictures.first[right])
        return allowed | is_several[left] | is_several[right]

    score = _score_pictures(pictures, verifier)
    candidates = verifier.iterate_candidates(pictures.first, settings)
    return match_candidates(candidates, score, may_match, settings.least_score)


def group_pictures(pictures: Pictures, matches: Matches, verifier: Verifier) -> Indices:
    """Return the first picture of each one's group, itself where it is alone, (p,).

    Args:
        pictures: p of them.
        matches: between them.
        verifier: scores the other pairs of those that matches connect.
    """
    group_of = np.arange(len(pictures.first))
    _join(group_of, matches, _score_pictures(pictures, verifier))
    return group_of


def _join(group_of: Indices, matches: Matches, score: ScorePairs) -> None:
    """Set the first picture of each one's group, in place, of those that matches connect."""
    count = len(group_of)
    for group in group_photos(count, matches.left, matches.right, matches.scores, score):
        group_of[group] = group[0]


def list_groups(pictures: Pictures, group_of: Indices) -> tuple[Indices, ...]:
    """Return the photos of each group, rising: those of its pictures, and of pictures alone.

    Args:
        pictures: p of them.
        group_of: (p,) the first picture of each one's group.
    """
    of_photo = group_of[pictures.of_photo]
    order = np.argsort(of_photo, kind="stable")
    starts = np.flatnonzero(np.diff(of_photo[order], prepend=-1))
    parts: Sequence[Indices] = np.split(order, starts[1:]) if len(starts) else ()
    return tuple(sorted((part for part in parts if len(part) > 1), key=lambda part: int(part[0])))
