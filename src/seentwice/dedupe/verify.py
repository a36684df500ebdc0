"""Verify candidates: how probable it is that one photo is a copy of the other.

Whoever verifies scores pairs of photos by their numbers in a table. `HashVerifier` needs no
weights: it weighs how alike two photos are by their hashes, tiny pictures and sizes.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from seentwice.dedupe.candidates import Candidates
from seentwice.dedupe.likeness import FEATURES, measure_likeness
from seentwice.dedupe.pictures import Indices, PhotoTable

_BLOCK = 1 << 16  # pairs at once: 75 MB of tiny pictures
_LARGEST_LOGIT = 700.0  # whose exponential is finite


class Verifier(Protocol):
    """Scores pairs of the photos of one table."""

    def score(self, left: Indices, right: Indices) -> NDArray[np.float64]:
        """Return the probability that one is a copy of the other, (m,), of photos (m,), (m,)."""

    def iterate_candidates(self, photos: Indices) -> Iterator[Candidates]:
        """Yield pairs that are worth a score, beside those that are near by a hash.

        Args:
            photos: (p,) the first photo of each picture; candidates are numbers in this list.
        """

    def measure_similarity(self, left: Indices, right: Indices) -> NDArray[np.float64] | None:
        """Return the cosines of pairs' embeddings, (m,); None where there are no embeddings."""


@dataclass(frozen=True, slots=True)
class HashWeights:
    """A logistic regression over `FEATURES`."""

    coefficients: tuple[float, ...]  # below 0: the more two photos differ, the less probable
    intercept: float


class HashVerifier:
    """Weighs what is kept of every photo; nothing is decoded, no weights of a network are needed.

    Fitted by benchmarks/hash_verifier.py, on edited copies of the Houses-dataset's photos and
    strangers that are near them by their hashes, as frequent as in a catalogue of 100,000 photos:
    a pair scores 0.5 where both are as probable there.
    """

    def __init__(self, table: PhotoTable) -> None:
        """Take the photos that are scored by their numbers."""
        self.table = table
        self.weights = read_weights()

    def score(self, left: Indices, right: Indices) -> NDArray[np.float64]:
        """Return the probability that one is a copy of the other, (m,), of photos (m,), (m,)."""
        scores = np.empty(len(left))
        for start in range(0, len(left), _BLOCK):
            block = slice(start, start + _BLOCK)
            likeness = measure_likeness(self.table, left[block], right[block])
            logit = likeness @ np.array(self.weights.coefficients) + self.weights.intercept
            scores[block] = 1 / (1 + np.exp(-np.clip(logit, -_LARGEST_LOGIT, _LARGEST_LOGIT)))
        return scores

    def iterate_candidates(self, photos: Indices) -> Iterator[Candidates]:
        """Yield none: hashes bring all."""
        return iter(())

    def measure_similarity(self, left: Indices, right: Indices) -> None:
        """Know no embeddings."""


@cache
def read_weights() -> HashWeights:
    """Read the weights that come with the package."""
    found = json.loads(files("seentwice.dedupe").joinpath("hash_verifier.json").read_text("utf-8"))
    return HashWeights(
        tuple(found["coefficients"][name] for name in FEATURES), float(found["intercept"])
    )
