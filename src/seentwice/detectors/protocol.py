"""The protocol of all detectors, and of the evidence that each rests on."""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from seentwice.data.pairs import PairTable
from seentwice.detectors.descriptor import Rows


class Detector(Protocol):
    """Learns from labelled pairs, then gives each pair a probability."""

    def fit(self, train: PairTable, validation: PairTable, rows: Rows) -> None:
        """Learn from the training pairs; validation pairs serve to stop and to calibrate."""
        ...

    def score(self, pairs: PairTable, rows: Rows) -> NDArray[np.float64]:
        """Return a probability (n,) in [0, 1] for each pair; higher is more surely a duplicate."""
        ...


class Evidence(Protocol):
    """Ranks pairs on a scale of its own; `CalibratedDetector` makes a detector of it."""

    def fit(self, train: PairTable, validation: PairTable, rows: Rows) -> None:
        """Learn what there is to learn."""
        ...

    def of(self, pairs: PairTable, rows: Rows) -> NDArray[np.float64]:
        """Return the evidence (n,) that each pair is a duplicate; higher is more."""
        ...
