"""Embeddings made of the features of a network: whole, projected or binarised."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from seentwice.data.pairs import PairTable
from seentwice.detectors.descriptor import Rows
from seentwice.detectors.similarity import blockwise
from seentwice.detectors.trunk import FEATURES, unit_rows
from seentwice.detectors.whitening import whitening_features
from seentwice.models.towers import fit_whitening

RIDGE = 1.0  # as `seentwice compare` whitens; see `fit_whitening`


class Projections:
    """The projections of one network that a fold may use, each fitted once.

    They are fitted on photos without their labels: those of the homes that train, and those of
    other homes.
    """

    def __init__(self, train: PairTable, rows: Rows, unlabelled: NDArray[np.float32]) -> None:
        self.photos = unit_rows(whitening_features(train, rows[FEATURES], unlabelled))
        self._fitted: dict[float, tuple[NDArray[np.float32], NDArray[np.float32]]] = {}

    def get(self, power: float) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return mean (d,) and projection (d, d), components of largest variance first."""
        if power not in self._fitted:
            features = torch.from_numpy(self.photos)
            mean, projection = fit_whitening(features, features.shape[1], power, RIDGE)
            self._fitted[power] = mean.numpy(), projection.numpy()
        return self._fitted[power]


@dataclass(frozen=True, slots=True)
class Recipe:
    """How an embedding is made of features."""

    power: float | None = None  # of the whitening, 0 for plain PCA; None projects nothing
    numbers: int | None = None  # to keep, of largest variance first; None for all
    bits: bool = False  # keep one bit a number: whether it is above the median of other photos


class Embedding:
    """The cosine of two embeddings, or minus the bits in which they differ, as evidence."""

    def __init__(self, recipe: Recipe, projections: Projections) -> None:
        self.recipe = recipe
        self.projections = projections
        self._median: NDArray[np.float32]

    def fit(self, train: PairTable, validation: PairTable, rows: Rows) -> None:
        """Find the medians; the projections are fitted already."""
        if self.recipe.bits:
            self._median = np.median(self._project(self.projections.photos), axis=0)

    def of(self, pairs: PairTable, rows: Rows) -> NDArray[np.float64]:
        """Return how near the two embeddings are, (n,)."""
        embeddings = self._project(unit_rows(rows[FEATURES]))
        if self.recipe.bits:
            bits = embeddings > self._median
            return blockwise(pairs, bits, lambda left, right: -(left != right).sum(axis=1))
        unit = unit_rows(embeddings)
        return blockwise(pairs, unit, lambda left, right: (left * right).sum(axis=1))

    def _project(self, features: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return embeddings (n, e) of features (n, d) of length 1."""
        if self.recipe.power is None:
            return features
        mean, projection = self.projections.get(self.recipe.power)
        projected: NDArray[np.float32] = (features - mean) @ projection[:, : self.recipe.numbers]
        return projected
