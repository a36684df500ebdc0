"""From evidence on any scale to a probability: Platt's logistic fit, the same for all."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit
from sklearn.linear_model import LogisticRegression

from seentwice.data.pairs import PairTable
from seentwice.detectors.descriptor import Rows
from seentwice.detectors.protocol import Evidence

LEAST_STEEPNESS = 1e-6  # a standard deviation of the evidence: flat, yet it keeps the ranking


@dataclass(frozen=True, slots=True)
class Calibration:
    """probability = 1 / (1 + exp(-(slope · evidence + offset)))."""

    slope: float  # above 0: the ranking of pairs is never changed
    offset: float

    def __call__(self, evidence: NDArray[np.floating]) -> NDArray[np.float64]:
        """Map evidence (n,) to probabilities (n,)."""
        probability: NDArray[np.float64] = expit(
            self.slope * evidence.astype(np.float64) + self.offset
        )
        return probability

    def evidence_at(self, probability: float) -> float:
        """Return the evidence that a probability in [0, 1] stands for."""
        return float((logit(probability) - self.offset) / self.slope)


def fit_calibration(evidence: NDArray[np.floating], label: NDArray[np.bool_]) -> Calibration:
    """Fit Platt's logistic regression (Platt 1999), at the pairs' own share of positives.

    Args:
        evidence: (n,) higher is more surely positive.
        label: (n,) with both classes.
    """
    # The deviation of equal values is rounding, not always 0.
    spread = float(evidence.std()) if np.ptp(evidence) > 0 else 1.0
    centre = float(evidence.mean())
    # Standardised, because the fit's weak regularisation depends on the scale.
    column = ((evidence - centre) / spread).reshape(-1, 1)
    model = LogisticRegression(C=1e3).fit(column, label)
    steepness, level = float(model.coef_[0, 0]), float(model.intercept_[0])
    if steepness < LEAST_STEEPNESS:
        # Evidence that ranks worse than chance must not be turned round on the quiet: the best
        # fit that does not is flat, at the share of positives.
        steepness, level = LEAST_STEEPNESS, float(logit(label.mean()))
    slope = steepness / spread
    return Calibration(slope, level - slope * centre)


class CalibratedDetector:
    """A detector made of any evidence, calibrated on pairs that it was not trained on."""

    def __init__(self, evidence: Evidence) -> None:
        self.evidence = evidence
        self.calibration: Calibration | None = None

    def fit(self, train: PairTable, validation: PairTable, rows: Rows) -> None:
        """Fit the evidence, then the calibration on the validation pairs."""
        self.evidence.fit(train, validation, rows)
        self.calibration = fit_calibration(self.evidence.of(validation, rows), validation.label)

    def score(self, pairs: PairTable, rows: Rows) -> NDArray[np.float64]:
        """Return the probability (n,) of each pair.

        Raises:
            RuntimeError: the detector was not fitted.
        """
        if self.calibration is None:
            raise RuntimeError("fit the detector before it scores")
        return self.calibration(self.evidence.of(pairs, rows))
