"""Verify candidates: how probable it is that one photo is a copy of the other.

Whoever verifies scores pairs of photos by their numbers in a table. `HashVerifier` needs no
weights of a network: it weighs how alike two photos are by their hashes, tiny pictures and sizes.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from seentwice.dedupe.candidates import (
    Candidates,
    iterate_hash_candidates,
    list_shared,
    pair_with_all,
)
from seentwice.dedupe.likeness import (
    FEATURES,
    TURNED_FEATURES,
    find_turned,
    measure_likeness,
    measure_turned,
)
from seentwice.dedupe.matching import pair_shared
from seentwice.dedupe.nearest_tones import pair_nearest_tones
from seentwice.dedupe.pictures import Indices, PhotoTable
from seentwice.dedupe.turning import Orientations, orient, turn_signatures
from seentwice.hamming import hamming_bits

_BLOCK = 1 << 15  # pairs at once: some 100 MB of tiny pictures
_MOST_COMPARED = 1 << 28  # hashes that are compared each with each; tables take longer to make
_LARGEST_LOGIT = 700.0  # whose exponential is finite


@dataclass(frozen=True, slots=True)
class SearchSettings:
    """What is taken for a duplicate."""

    hash_bits: int | None  # the widest distance of candidates by a hash, 0 to 12; None: no hash
    least_score: float  # of a match, in [0, 1]
    same_pixels: bool  # whether photos that share their hashes are compared pixel by pixel
    max_pixels: int  # as the photos were read with
    workers: int


@dataclass(frozen=True, slots=True, eq=False)
class Explained:
    """Why pairs have their scores, (m,) each."""

    scores: NDArray[np.float64]  # probabilities that one is a copy of the other
    hash_bits: NDArray[np.int64]  # the least distance of their hashes, of turned ones once turned
    is_turned: NDArray[np.bool_]  # whether the score is that of mirrored or turned photos
    similarity: NDArray[np.float64]  # cosine of their embeddings; NaN without any
    is_embedded: NDArray[np.bool_]  # whether the score is that of their embeddings


class Verifier(Protocol):
    """Scores pairs of the photos of one table."""

    def score(self, left: Indices, right: Indices) -> NDArray[np.float64]:
        """Return the probability that one is a copy of the other, (m,), of photos (m,), (m,)."""

    def explain(self, left: Indices, right: Indices) -> Explained:
        """Return the scores of pairs with their reasons."""

    def iterate_candidates(self, photos: Indices, settings: SearchSettings) -> Iterator[Candidates]:
        """Yield pairs that are worth a score; one may come several times.

        Args:
            photos: (p,) the first photo of each picture; candidates are numbers in this list.
            settings: what is taken for a duplicate.
        """


@dataclass(frozen=True, slots=True)
class HashWeights:
    """Two logistic regressions: over `FEATURES`, and over `TURNED_FEATURES`."""

    upright: tuple[float, ...]  # the intercept, then a coefficient a feature
    turned: tuple[float, ...]


class HashVerifier:
    """Weighs what is kept of every photo; nothing is decoded.

    Fitted by benchmarks/hash_verifier.py, on edited copies of the Houses-dataset's photos and
    strangers that are near them by their hashes, as frequent as in a catalogue of 100,000 photos:
    a pair scores 0.5 where both are as probable there. Photos without content score 0.
    """

    def __init__(self, table: PhotoTable, orientations: Orientations | None) -> None:
        """Take the photos that are scored by their numbers.

        Args:
            table: of photos.
            orientations: of them, as `orient` gives them; None: no photo is taken for turned.
        """
        self.table = table
        self.orientations = orientations
        self.weights = read_weights()

    def score(self, left: Indices, right: Indices) -> NDArray[np.float64]:
        """Return the probability that one is a copy of the other, (m,), of photos (m,), (m,)."""
        return self.explain(left, right).scores

    def explain(self, left: Indices, right: Indices) -> Explained:
        """Return the scores of pairs with their reasons."""
        blocks = [
            self._explain(left[start : start + _BLOCK], right[start : start + _BLOCK])
            for start in range(0, len(left), _BLOCK)
        ]
        scores, bits, is_turned = (
            np.concatenate([np.empty(0, dtype), *(block[at] for block in blocks)])
            for at, dtype in enumerate((np.float64, np.int64, np.bool_))
        )
        count = len(left)
        return Explained(scores, bits, is_turned, np.full(count, np.nan), np.zeros(count, bool))

    def _explain(
        self, left: Indices, right: Indices
    ) -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.bool_]]:
        table = self.table
        scores = _weigh(measure_likeness(table, left, right), self.weights.upright)
        bits = hamming_bits(table.hashes[left], table.hashes[right]).min(axis=1).astype(np.int64)
        is_turned = np.zeros(len(left), bool)
        if self.orientations is not None:
            may = np.flatnonzero(find_turned(self.orientations, left, right))
            turned = measure_turned(table, self.orientations, left[may], right[may])
            others = _weigh(turned.features, self.weights.turned)
            is_surer = others > scores[may]
            is_turned[may[is_surer]] = True
            scores[is_turned] = others[is_surer]
            bits[is_turned] = turned.bits[is_surer]
        scores[~(table.has_content[left] & table.has_content[right])] = 0
        return scores, bits, is_turned

    @property
    def fingerprint(self) -> str:
        """What the score of a pair depends on beside its two files."""
        return f"hashes, turned: {self.orientations is not None}, {self.weights}"

    def find_crowded(self, photos: Indices) -> NDArray[np.bool_]:
        """Return which photos, (p,), share a hash with more than `FEW_EQUAL`, (p,)."""
        is_crowded = np.zeros(len(photos), bool)
        for hashes, pictures in self._list_columns(photos):
            for shared in list_shared(hashes, pictures):
                is_crowded[shared] = True
        return is_crowded

    def iterate_new_candidates(
        self, photos: Indices, is_new: NDArray[np.bool_], settings: SearchSettings
    ) -> Iterator[Candidates]:
        """Yield those of `iterate_candidates` of which at least one picture is new, and others.

        Args:
            photos: (p,) the first photo of each picture; candidates are numbers in this list.
            is_new: (p,).
            settings: what is taken for a duplicate.
        """
        count = int(np.count_nonzero(is_new))
        if settings.hash_bits is None or not count:
            return
        if count * len(photos) > _MOST_COMPARED or self.find_crowded(photos).any():
            yield from self.iterate_candidates(photos, settings)
            return
        for hashes, pictures in self._list_columns(photos):
            yield from pair_with_all(hashes, pictures, is_new, settings.hash_bits)

    def _list_columns(self, photos: Indices) -> list[tuple[NDArray[np.uint64], Indices]]:
        """Return hashes of each sort, and which of the photos, (p,), they are of."""
        # What a hash says of a blank photo is noise: all are near each other.
        shown = np.flatnonzero(self.table.has_content[photos])
        columns = [
            (np.ascontiguousarray(column), shown) for column in self.table.hashes[photos[shown]].T
        ]
        if self.orientations is not None:
            oriented = self.orientations.hashes[photos[shown]]
            columns.append((oriented.T.reshape(-1), np.tile(shown, 2)))
        return columns

    def iterate_candidates(self, photos: Indices, settings: SearchSettings) -> Iterator[Candidates]:
        """Yield pairs that are near by one of their hashes, as they are or once turned."""
        if settings.hash_bits is None:
            return

        def score(left: Indices, right: Indices) -> NDArray[np.float64]:
            return self.score(photos[left], photos[right])

        # Of pictures that no hash shares with many others, whose pairs all came before.
        is_rare = np.ones(len(photos), bool)
        for number, (hashes, pictures) in enumerate(self._list_columns(photos)):
            earlier = self.table.hashes[photos, :number]
            is_oriented = number == self.table.hashes.shape[1]

            def pair_nearest(pictures: Indices, turn: bool = is_oriented) -> Iterator[Candidates]:
                return pair_nearest_tones(pictures, self._sign(photos[pictures], turn))

            for block in iterate_hash_candidates(
                hashes, pictures, settings.hash_bits, settings.workers
            ):
                bits = hamming_bits(earlier[block.left], earlier[block.right])
                is_new = ~((bits <= settings.hash_bits).any(axis=1))
                is_new |= ~(is_rare[block.left] & is_rare[block.right])
                yield Candidates(block.left[is_new], block.right[is_new])
            for shared in list_shared(hashes, pictures):
                is_rare[shared] = False
                yield from pair_shared(shared, score, settings.least_score, pair_nearest)

    def _sign(self, photos: Indices, is_oriented: bool) -> NDArray[np.uint8]:
        """Return the tiny pictures of photos, (p, s), as they are or as they are oriented."""
        signatures = self.table.signature[photos]
        if self.orientations is None or not is_oriented:
            return signatures
        return turn_signatures(signatures, self.orientations.turns[photos, 0])


def open_hash_verifier(table: PhotoTable, is_turned: bool) -> HashVerifier:
    """Return what scores the photos of a table by their hashes alone.

    Args:
        table: of photos.
        is_turned: whether photos that were mirrored or turned are copies, too.
    """
    return HashVerifier(table, orient(table.signature) if is_turned else None)


def _weigh(features: NDArray[np.float64], weights: tuple[float, ...]) -> NDArray[np.float64]:
    # Not by `@`, whose last bits depend on how many pairs there are: a pair has one score.
    logit = (features * np.array(weights[1:])).sum(axis=1) + weights[0]
    logit = np.clip(logit, -_LARGEST_LOGIT, _LARGEST_LOGIT)
    probability: NDArray[np.float64] = 1 / (1 + np.exp(-logit))
    return probability


@cache
def read_weights() -> HashWeights:
    """Read the weights that come with the package."""
    found = json.loads(files("seentwice.dedupe").joinpath("hash_verifier.json").read_text("utf-8"))
    upright, turned = (
        (found[name]["intercept"], *(found[name]["coefficients"][feature] for feature in features))
        for name, features in (("upright", FEATURES), ("turned", TURNED_FEATURES))
    )
    return HashWeights(upright, turned)
