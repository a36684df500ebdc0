"""Why pairs of photos are duplicates: what is said of each, as columns and as records."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations, product

import numpy as np
from numpy.typing import NDArray

from seentwice.dedupe.findings import Evidence, Match
from seentwice.dedupe.matching import Allow
from seentwice.dedupe.pictures import Indices, PhotoTable
from seentwice.dedupe.search import Found
from seentwice.dedupe.verify import Explained, Verifier

MOST_COPIES = 100
"""Photos of one picture whose pairs are listed; more stand in for what is missing."""


@dataclass(frozen=True, slots=True, eq=False)
class PairReasons:
    """Pairs of photos with all that is said of them, (m,) each."""

    left: Indices
    right: Indices
    explained: Explained
    is_same_bytes: NDArray[np.bool_]
    is_same_pixels: NDArray[np.bool_]


def explain_pairs(found: Found, verifier: Verifier, left: Indices, right: Indices) -> PairReasons:
    """Return why pairs of photos, (m,), (m,), are duplicates, if they are."""
    explained = verifier.explain(left, right)
    is_same_bytes, is_same_pixels = (
        pictures.of_photo[left] == pictures.of_photo[right]
        for pictures in (found.by_bytes, found.pictures)
    )
    explained.scores[is_same_pixels] = 1.0
    return PairReasons(left, right, explained, is_same_bytes, is_same_pixels)


def describe_pair(table: PhotoTable, pairs: PairReasons, pair: int) -> Match:
    """Return what is said of one pair."""
    explained = pairs.explained
    has_content = bool(table.has_content[pairs.left[pair]] and table.has_content[pairs.right[pair]])
    similarity = float(explained.similarity[pair])
    return Match(
        left=table.key(int(pairs.left[pair])),
        right=table.key(int(pairs.right[pair])),
        score=float(explained.scores[pair]),
        evidence=_list_evidence(pairs, pair),
        hash_bits=int(explained.hash_bits[pair]) if has_content else None,
        similarity=None if np.isnan(similarity) else similarity,
    )


def _list_evidence(pairs: PairReasons, pair: int) -> tuple[Evidence, ...]:
    explained = pairs.explained
    if pairs.is_same_bytes[pair]:
        return (Evidence.SAME_BYTES,)
    if pairs.is_same_pixels[pair]:
        return (Evidence.SAME_PIXELS,)
    if explained.is_embedded[pair]:
        return (Evidence.NEAR_EMBEDDINGS,)
    return (Evidence.NEAR_ONCE_TURNED if explained.is_turned[pair] else Evidence.NEAR_HASHES,)


def list_pair_matches(found: Found, verifier: Verifier, allow: Allow) -> tuple[Match, ...]:
    """Return every pair of photos that match themselves, whatever group they came into.

    Photos of a picture that more than `MOST_COPIES` show are passed over.

    Args:
        found: by numbers of photos.
        verifier: that scored them.
        allow: tells pairs of photos that are listed.
    """
    pairs = np.array(list(_pair_photos(found)), np.int64).reshape(-1, 2)
    allowed = allow(pairs[:, 0], pairs[:, 1])
    reasons = explain_pairs(found, verifier, pairs[allowed, 0], pairs[allowed, 1])
    return tuple(describe_pair(found.table, reasons, pair) for pair in range(len(reasons.left)))


def _pair_photos(found: Found) -> Iterator[tuple[int, int]]:
    """Yield pairs of photos: those of one picture, and those of two pictures that match."""
    of_photo = found.pictures.of_photo
    order = np.argsort(of_photo, kind="stable")
    starts = np.searchsorted(of_photo[order], np.arange(len(found.pictures.first) + 1))
    photos = [
        order[start:end].tolist() if end - start <= MOST_COPIES else []
        for start, end in zip(starts[:-1].tolist(), starts[1:].tolist(), strict=True)
    ]
    for same in photos:
        yield from combinations(same, 2)
    for left, right in zip(found.matches.left.tolist(), found.matches.right.tolist(), strict=True):
        yield from product(photos[left], photos[right])
