"""Pictures paired with those nearest by their tones: where too many share a hash for all pairs."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from seentwice.block_hashing import LUMA_SIDE
from seentwice.dedupe.candidates import Candidates
from seentwice.dedupe.findings import Coverage
from seentwice.dedupe.pictures import Indices

NEAREST = 32
"""How many pictures each is paired with."""


def pair_nearest_tones(pictures: Indices, signatures: NDArray[np.uint8]) -> Iterator[Candidates]:
    """Yield each picture with those whose tiny pictures correlate most with its own, in blocks.

    What all have in common is taken off first: it is why they share a hash, and tells none from
    another. Memory is 1 KB a picture, twice that beyond `MOST_EXACT` of them.

    Args:
        pictures: (k,) different ones.
        signatures: (k, s) of them, as `look_at_blocks` gives them.
    """
    # Here, for what it takes to import.
    from seentwice.index.neighbours import iterate_neighbours, open_neighbours

    tones = signatures[:, : LUMA_SIDE**2].astype(np.float32)
    tones -= tones.mean(axis=1, keepdims=True)
    tones -= tones.mean(axis=0)
    tones /= np.maximum(np.linalg.norm(tones, axis=1, keepdims=True), 1e-6)
    searched = open_neighbours(tones, NEAREST)
    yield Candidates(pictures[:0], pictures[:0], coverage=Coverage(nearest_only=len(pictures)))
    for near in iterate_neighbours(searched, NEAREST, -1.0):
        one, other = pictures[near.left], pictures[near.right]
        yield Candidates(np.minimum(one, other), np.maximum(one, other))
