"""How close two photos are by their embeddings, beside how close strangers of theirs come.

The same cosine tells a copy in one catalogue, or of one detector, and a stranger in another. What
carries over is how far a pair has come on the way from the nearest strangers of its photos to
equal embeddings: similarity normalisation (Pizzi et al. 2022, SSCD, arXiv:2202.10261, section
5.3), for which the photos of the catalogue itself are the background.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from seentwice.dedupe.pictures import Indices

CLOSENESS = ("advance", "margin", "advance_by_margin")
"""What `measure_closeness` tells of a pair.

Advance is how far its cosine has come from the familiarity of one of its photos to 1, of that photo
where it is farther; margin the logarithm of how far that familiarity is from 1, over how much
nearer the nearest strangers come than others.
"""
BACKGROUND = 1_000
"""The most photos that familiarity is measured with."""
_COPIES = 10  # of a photo, itself among them, that leave its familiarity as it is
_FEWEST = 4
_LEAST = 1e-3  # of a spread: photos that all are the same have none
_BLOCK = 4_096  # photos at once: 16 MB of cosines


@dataclass(frozen=True, slots=True, eq=False)
class Familiarity:
    """How near photos come to strangers, (n,) each."""

    nearest: NDArray[np.float64]  # mean cosine to its nearest strangers
    margin: NDArray[np.float64]  # see `CLOSENESS`


def choose_background(digests: NDArray[np.uint8]) -> Indices:
    """Choose the photos with the lowest digests, (n, s): at random, yet the same in every run."""
    order = np.lexsort(digests[:, :8].T[::-1])
    return np.sort(order[:BACKGROUND])


def thin_background(sorts: Indices) -> Indices:
    """Choose of a background no more copies of one photo than familiarity leaves out.

    More of them, above a hundredth, would be taken for the nearest strangers of each other, and
    come no closer. Of a background without so many copies all is kept.

    Args:
        sorts: (b,) a number of each photo, equal for copies of one.

    Returns:
        Indices of the photos that are kept, rising: the first of each sort.
    """
    kept = np.arange(len(sorts))
    while len(kept):
        # How many of the same sort come before each.
        order = np.argsort(sorts[kept], kind="stable")
        starts = np.flatnonzero(np.diff(sorts[kept][order], prepend=-1))
        counts = np.diff(starts, append=len(order))
        before = np.empty(len(kept), np.int64)
        before[order] = np.arange(len(kept)) - np.repeat(starts, counts)
        is_kept = before < _count_left_out(len(kept))
        if is_kept.all():
            break
        kept = kept[is_kept]
    return kept


def _count_left_out(background: int) -> int:
    """Return how many of the nearest photos of a background may be copies."""
    return max(-(-background // 100), min(_COPIES, background // 4))


def measure_familiarity(rows: NDArray[np.float32], background: Indices) -> Familiarity:
    """Measure how near photos come to strangers.

    The hundredth part of the background that is nearest is left out, or `_COPIES` where that is
    less, or a quarter of a few photos: it holds the photo itself, and may hold copies. The two
    hundredths that follow are its nearest strangers, and the second tenth others.

    Args:
        rows: (n, e) embeddings, each of length 1.
        background: (b,) indices into them, with few copies of each; see `thin_background`.
    """
    count = len(background)
    nearest, margin = np.ones(len(rows)), np.zeros(len(rows))
    if count < _FEWEST:  # nothing is known of strangers, so nothing comes closer
        return Familiarity(nearest, margin)
    copies = _count_left_out(count)
    end = copies + -(-count // 50)
    beyond = max(-(-count // 10), end)
    others = rows[background]
    for start in range(0, len(rows), _BLOCK):
        block = slice(start, start + _BLOCK)
        cosines = np.sort(rows[block] @ others.T, axis=1)[:, ::-1]
        near = cosines[:, copies:end].mean(axis=1, dtype=np.float64)
        far = cosines[:, beyond : beyond + -(-count // 10)].mean(axis=1, dtype=np.float64)
        nearest[block] = near
        margin[block] = np.log(np.maximum(1 - near, _LEAST) / np.maximum(near - far, _LEAST))
    return Familiarity(nearest, margin)


def measure_closeness(
    cosine: NDArray[np.float64], familiarity: Familiarity, left: Indices, right: Indices
) -> NDArray[np.float64]:
    """Measure pairs of photos, (m, len(CLOSENESS)).

    Args:
        cosine: (m,) of their embeddings.
        familiarity: of all photos.
        left: (m,) indices into them.
        right: (m,) likewise.
    """
    advances = np.stack([measure_advance(cosine, familiarity, side) for side in (left, right)])
    is_left = advances[0] >= advances[1]
    advance = np.where(is_left, *advances)
    margin = np.where(is_left, familiarity.margin[left], familiarity.margin[right])
    return np.stack((advance, margin, advance * margin), axis=1)


def measure_advance(
    cosine: NDArray[np.float64], familiarity: Familiarity, photos: Indices
) -> NDArray[np.float64]:
    """Return how far cosines have come from the familiarity of photos to 1, (m,)."""
    start = familiarity.nearest[photos]
    advance: NDArray[np.float64] = (cosine - start) / np.maximum(1 - start, _LEAST)
    return advance
