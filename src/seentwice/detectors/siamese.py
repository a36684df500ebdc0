"""The evidence of a trained Siamese network."""

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray

from seentwice.data.pairs import PairTable
from seentwice.detectors.descriptor import Rows
from seentwice.models.nets import SiameseNet, pair_logits

TrainNet = Callable[[PairTable, PairTable, NDArray[np.generic]], SiameseNet]
"""Trains a net on (training pairs, validation pairs, input rows)."""


class SiameseEvidence:
    """The logit of a net that `fit` trains."""

    def __init__(self, train_net: TrainNet, inputs: str) -> None:
        self.train_net = train_net
        self.inputs = inputs  # the descriptor whose rows the net takes
        self.net: SiameseNet

    def fit(self, train: PairTable, validation: PairTable, rows: Rows) -> None:
        """Train the net."""
        self.net = self.train_net(train, validation, rows[self.inputs])

    def of(self, pairs: PairTable, rows: Rows) -> NDArray[np.float64]:
        """Return the logit (n,) of each pair."""
        logits = pair_logits(
            self.net,
            torch.from_numpy(rows[self.inputs]),
            torch.from_numpy(pairs.left),
            torch.from_numpy(pairs.right),
        )
        return logits.double().numpy()
