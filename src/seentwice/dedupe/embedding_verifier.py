"""Verify candidates by the embeddings of a checkpoint, beside what their hashes say."""

import json
from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from seentwice.data.source import Progress
from seentwice.dedupe.candidates import Candidates
from seentwice.dedupe.closeness import (
    CLOSENESS,
    choose_background,
    measure_advance,
    measure_closeness,
    measure_familiarity,
    thin_background,
)
from seentwice.dedupe.embedding import Embeddings, fill_embeddings
from seentwice.dedupe.findings import Coverage
from seentwice.dedupe.likeness import FEATURES as LIKENESS
from seentwice.dedupe.likeness import measure_likeness
from seentwice.dedupe.matching import match_candidates
from seentwice.dedupe.pictures import Indices, PhotoTable
from seentwice.dedupe.turning import Orientations
from seentwice.dedupe.verify import Explained, HashVerifier, SearchSettings
from seentwice.detectors.photo_embedder import open_embedder
from seentwice.index.neighbours import iterate_neighbours, open_neighbours
from seentwice.index.store import PhotoStore

FEATURES = (*CLOSENESS, "hash_logit", *LIKENESS)
"""What a pair is weighed by; see `measure_pairs`."""
NEIGHBOURS = 32
"""How many of its nearest photos each is compared with."""
_LEAST_LOGIT, _LARGEST_LOGIT = -5.0, 12.0  # a copy may have any hashes, so they deny little
_SURE = 0.5  # of hashes: what embeddings add to such a score is no reason of its own
_NEAR_BITS = 10  # of copies in the background
_BLOCK = 1 << 14  # pairs at once: 160 MB of embeddings


class EmbeddingVerifier:
    """Weighs how close embeddings are, and what `HashVerifier` says of the same photos.

    Fitted by benchmarks/embedding_verifier.py, as that verifier was: a pair scores 0.5 where a copy
    is as probable as a stranger in a catalogue of 100,000 photos. Closeness is measured beside the
    strangers of the catalogue itself, so the weights serve any checkpoint. What near hashes are
    sure of stays, whatever the embeddings say, and photos without an embedding are left to them.
    """

    def __init__(
        self,
        table: PhotoTable,
        embeddings: Embeddings,
        orientations: Orientations | None,
        hash_bits: int | None,
    ) -> None:
        """Take the photos that are scored by their numbers.

        Args:
            table: of photos.
            embeddings: of them.
            orientations: of them, as `orient` gives them; None: no photo is taken for turned.
            hash_bits: the widest distance at which hashes alone make a match; None: they make none.
        """
        self.hashes = HashVerifier(table, orientations)
        self._hash_bits = -1 if hash_bits is None else hash_bits
        self.embeddings = embeddings
        first, shown = np.unique(embeddings.of_photo, return_index=True)
        has_row = embeddings.is_there[shown] & table.has_content[shown]
        background = choose_background(table.sha256[shown[has_row]])
        background = background[thin_background(self._sort_copies(shown[has_row][background]))]
        self._familiarity = measure_familiarity(embeddings.rows, first[has_row][background])

    def _sort_copies(self, photos: Indices) -> Indices:
        """Return a number of each photo, (p,), equal for those that hashes show to be copies.

        Not what embeddings show: strangers that are all alike, such as floor plans, are what
        familiarity is to tell.
        """
        settings = SearchSettings(_NEAR_BITS, _SURE, same_pixels=False, max_pixels=1, workers=1)
        matches = match_candidates(
            self.hashes.iterate_candidates(photos, settings),
            lambda left, right: self.hashes.score(photos[left], photos[right]),
            lambda left, right: np.ones(len(left), bool),
            _SURE,
        )
        sorts = np.arange(len(photos))
        for left, right in zip(matches.left.tolist(), matches.right.tolist(), strict=True):
            if sorts[left] == left and sorts[right] == right:
                sorts[right] = left
        return sorts

    def score(self, left: Indices, right: Indices) -> NDArray[np.float64]:
        """Return the probability that one is a copy of the other, (m,), of photos (m,), (m,)."""
        return self.explain(left, right).scores

    def explain(self, left: Indices, right: Indices) -> Explained:
        """Return the scores of pairs with their reasons.

        A score is told to be that of embeddings where the hashes alone make a copy improbable.
        """
        by_hashes = self.hashes.explain(left, right)
        both = self.embeddings.is_there[left] & self.embeddings.is_there[right]
        has_content = self.hashes.table.has_content
        is_weighed = both & has_content[left] & has_content[right]
        cosine = self._multiply(left, right)
        features = self.measure_pairs(left, right, cosine, by_hashes.scores)
        weights = np.array(read_weights())
        logit = np.clip(features @ weights[1:] + weights[0], -700, 700)
        weighed = np.where(is_weighed, 1 / (1 + np.exp(-logit)), 0.0)
        # Farther hashes are weighed, but are not what candidates were chosen by.
        is_near = ~is_weighed | (by_hashes.hash_bits <= self._hash_bits)
        sure = np.where(is_near, by_hashes.scores, 0.0)
        scores = np.maximum(weighed, sure)
        is_embedded = (sure < _SURE) & (weighed > sure)
        return Explained(
            scores,
            by_hashes.hash_bits,
            by_hashes.is_turned,
            np.where(both, cosine, np.nan),
            is_embedded,
        )

    def measure_advance(
        self, left: Indices, right: Indices, cosine: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """Return how far pairs of photos have come from strangers to equals, (m,); see `CLOSENESS`.

        Args:
            left: (m,) numbers of photos.
            right: (m,) likewise.
            cosine: (m,) of their embeddings.
        """
        of_photo = self.embeddings.of_photo
        return np.maximum(
            measure_advance(cosine, self._familiarity, of_photo[left]),
            measure_advance(cosine, self._familiarity, of_photo[right]),
        )

    def measure_pairs(
        self,
        left: Indices,
        right: Indices,
        cosine: NDArray[np.float64],
        by_hashes: NDArray[np.float64],
    ) -> NDArray[np.float64]:
        """Measure pairs of photos: (m, len(FEATURES)).

        Args:
            left: (m,) numbers of photos.
            right: (m,) likewise.
            cosine: (m,) of their embeddings.
            by_hashes: (m,) the probability that their hashes give; its logit counts between bounds.
        """
        of_photo = self.embeddings.of_photo
        closeness = measure_closeness(cosine, self._familiarity, of_photo[left], of_photo[right])
        with np.errstate(divide="ignore"):
            logit = np.log(by_hashes) - np.log1p(-by_hashes)
        logit = np.clip(logit, _LEAST_LOGIT, _LARGEST_LOGIT)
        likeness = measure_likeness(self.hashes.table, left, right)
        return np.column_stack((closeness, logit, likeness))

    def _multiply(self, left: Indices, right: Indices) -> NDArray[np.float64]:
        rows, of_photo = self.embeddings.rows, self.embeddings.of_photo
        cosine = np.empty(len(left))
        for start in range(0, len(left), _BLOCK):
            block = slice(start, start + _BLOCK)
            one, other = rows[of_photo[left[block]]], rows[of_photo[right[block]]]
            cosine[block] = np.einsum("me,me->m", one, other)
        return cosine

    def iterate_candidates(self, photos: Indices, settings: SearchSettings) -> Iterator[Candidates]:
        """Yield pairs that are near by a hash, then each photo's nearest by embedding."""
        yield from self.hashes.iterate_candidates(photos, settings)
        is_shown = self.embeddings.is_there[photos] & self.hashes.table.has_content[photos]
        shown = np.flatnonzero(is_shown)
        if len(shown) < 2:
            return
        places = self.embeddings.of_photo[photos[shown]]
        rows = self.embeddings.rows
        if not np.array_equal(places, np.arange(len(rows))):  # or they are not copied
            rows = rows[places]
        searched = open_neighbours(rows, NEIGHBOURS)
        least = float(self._familiarity.nearest[places].min())
        for near in iterate_neighbours(searched, NEIGHBOURS, least):
            one, other = shown[near.left], shown[near.right]
            cosine = near.cosine.astype(np.float64)
            is_nearer = self.measure_advance(photos[one], photos[other], cosine) > 0
            one, other = one[is_nearer], other[is_nearer]
            yield Candidates(
                np.minimum(one, other), np.maximum(one, other), coverage=Coverage(searched.recall)
            )


def open_embedding_verifier(
    store: PhotoStore,
    table: PhotoTable,
    root: Path,
    checkpoint: Path,
    weights: str | None,
    max_pixels: int,
    workers: int,
    orientations: Orientations | None,
    hash_bits: int | None,
    on_progress: Progress,
) -> EmbeddingVerifier:
    """Embed what a store does not know yet, and return what scores the photos of its table.

    Args:
        store: keeps the embeddings.
        table: of its photos.
        root: the folder of the photos.
        checkpoint: the file that `seentwice train` wrote, or the folder of the training.
        weights: of a frozen trunk that the checkpoint does not hold; see `open_embedder`.
        max_pixels: as the photos were read with.
        workers: threads that decode and pass photos.
        orientations: of the photos, as `orient` gives them; None: none is taken for turned.
        hash_bits: the widest distance at which hashes alone make a match; None: they make none.
        on_progress: told of the files that are embedded.

    Raises:
        UserError: the checkpoint cannot be used, or the store cannot be written.
    """
    embedder = open_embedder(checkpoint, weights, max_pixels, workers)
    embeddings = fill_embeddings(store, table, root, embedder, on_progress)
    return EmbeddingVerifier(table, embeddings, orientations, hash_bits)


@cache
def read_weights() -> tuple[float, ...]:
    """Read the weights that come with the package: the intercept, then one a feature."""
    text = files("seentwice.dedupe").joinpath("embedding_verifier.json").read_text("utf-8")
    found = json.loads(text)
    return (found["intercept"], *(found["coefficients"][feature] for feature in FEATURES))
