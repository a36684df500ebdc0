"""Find the duplicates among the photos of a table: pictures, candidates, matches, groups."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from seentwice.data.source import Progress
from seentwice.dedupe.groups import group_photos
from seentwice.dedupe.matching import Allow, Matches, match_candidates
from seentwice.dedupe.pictures import Indices, PhotoTable, Pictures, group_same
from seentwice.dedupe.same_pixels import find_same_pixels
from seentwice.dedupe.verify import SearchSettings, Verifier
from seentwice.index.store import PhotoStore


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """Duplicates among the photos of a table, all by number."""

    table: PhotoTable
    by_bytes: Pictures  # photos of the same bytes put together
    pictures: Pictures  # and those of the same pixels
    groups: tuple[Indices, ...]  # the photos of each, rising; in the order of their first photos
    matches: Matches  # of pictures


def search_table(
    store: PhotoStore,
    table: PhotoTable,
    root: Path,
    verifier: Verifier,
    settings: SearchSettings,
    allow: Allow,
    on_progress: Progress,
) -> Found:
    """Find the duplicates among photos.

    Args:
        store: keeps what is computed of pixels.
        table: the photos.
        root: their folder.
        verifier: scores pairs, and brings those that are worth it.
        settings: what is taken for a duplicate.
        allow: tells pairs of photos that are none, whatever they show.
        on_progress: told of the photos that are decoded to compare pixels.

    Raises:
        UserError: the store cannot be written.
    """
    by_bytes = pictures = group_same(table.sha256)
    if settings.same_pixels:
        pictures = find_same_pixels(
            store, table, by_bytes, root, settings.max_pixels, settings.workers, on_progress
        )
    matches = match_pictures(pictures, verifier, settings, allow)
    return Found(table, by_bytes, pictures, _group(pictures, matches, verifier), matches)


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

    def score(left: Indices, right: Indices) -> NDArray[np.float64]:
        return verifier.score(pictures.first[left], pictures.first[right])

    is_several = np.bincount(pictures.of_photo, minlength=len(pictures.first)) > 1

    def may_match(left: Indices, right: Indices) -> NDArray[np.bool_]:
        # Of several photos any two may be allowed; whoever lists their pairs asks again.
        allowed = allow(pictures.first[left], pictures.first[right])
        return allowed | is_several[left] | is_several[right]

    candidates = verifier.iterate_candidates(pictures.first, settings)
    return match_candidates(candidates, score, may_match, settings.least_score)


def _group(pictures: Pictures, matches: Matches, verifier: Verifier) -> tuple[Indices, ...]:
    """Return the photos of each group: those of its pictures, and of pictures alone."""

    def score(left: Indices, right: Indices) -> NDArray[np.float64]:
        return verifier.score(pictures.first[left], pictures.first[right])

    count = len(pictures.first)
    groups = group_photos(count, matches.left, matches.right, matches.scores, score)
    group_of = np.arange(count)
    for group in groups:
        group_of[group] = group[0]
    of_photo = group_of[pictures.of_photo]
    order = np.argsort(of_photo, kind="stable")
    starts = np.flatnonzero(np.diff(of_photo[order], prepend=-1))
    parts: Sequence[Indices] = np.split(order, starts[1:]) if len(starts) else ()
    return tuple(sorted((part for part in parts if len(part) > 1), key=lambda part: int(part[0])))
