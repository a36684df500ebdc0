"""Whitened cosine: photos without labels say which directions of the features are common."""

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional as F

from seentwice.data.pairs import PairTable
from seentwice.detectors.descriptor import Rows
from seentwice.detectors.similarity import blockwise
from seentwice.detectors.trunk import FEATURES
from seentwice.models.towers import WhitenedTower


class WhitenedCosine:
    """The cosine of whitened features as evidence: learns from photos, not from their labels."""

    def __init__(self, power: float, ridge: float, unlabelled: NDArray[np.float32] | None) -> None:
        self.power = power
        self.ridge = ridge
        self.unlabelled = unlabelled  # (u, d) features of photos that no table names
        self._tower: WhitenedTower

    def fit(self, train: PairTable, validation: PairTable, rows: Rows) -> None:
        """Whiten the training photos and the unlabelled ones."""
        features = whitening_features(train, rows[FEATURES], self.unlabelled)
        size = features.shape[1]
        self._tower = WhitenedTower(size, size)
        self._tower.start_from(torch.from_numpy(features), self.power, self.ridge)

    @torch.inference_mode()
    def of(self, pairs: PairTable, rows: Rows) -> NDArray[np.float64]:
        """Return the cosine (n,) of the two whitened features, -1 to 1."""
        embeddings = self._tower(torch.from_numpy(np.asarray(rows[FEATURES], np.float32)))
        unit = F.normalize(embeddings, dim=1).numpy()
        return blockwise(pairs, unit, lambda left, right: (left * right).sum(axis=1))


def whitening_features(
    train: PairTable, features: NDArray[Any], unlabelled: NDArray[np.float32] | None
) -> NDArray[np.float32]:
    """Return what a whitening is fitted on: training views and unlabelled photos, (n, d).

    Args:
        train: names the training views.
        features: (v, d) of all views, float16 or float32.
        unlabelled: (u, d), or None where there are none.
    """
    own = np.asarray(features[np.unique(np.concatenate([train.left, train.right]))], np.float32)
    return own if unlabelled is None else np.concatenate([own, unlabelled])
