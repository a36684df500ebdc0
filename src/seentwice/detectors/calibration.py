"""From evidence to a probability: Platt's logistic fit, or one number for what is a logit."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import expit, logit
from sklearn.linear_model import LogisticRegression

from seentwice.data.pairs import PairTable
from seentwice.detectors.descriptor import Rows
from seentwice.detectors.protocol import Evidence

PENALTY = 1e3  # how weakly a fit is held back: what keeps it finite where classes part
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
    model = LogisticRegression(C=PENALTY).fit(column, label)
    steepness, level = float(model.coef_[0, 0]), float(model.intercept_[0])
    if steepness < LEAST_STEEPNESS:
        # Evidence that ranks worse than chance must not be turned round on the quiet: the best
        # fit that does not is flat, at the share of positives.
        steepness, level = LEAST_STEEPNESS, float(logit(label.mean()))
    slope = steepness / spread
    return Calibration(slope, level - slope * centre)


def fit_temperature(evidence: NDArray[np.floating], label: NDArray[np.bool_]) -> Calibration:
    """Fit the temperature that logits are divided by (Guo et al. 2017, section 4.2).

    A probability of 0.5 stays where it is, whatever the pairs' share of positives.

    Args:
        evidence: (n,) logits.
        label: (n,) with both classes.
    """
    logits = evidence.astype(np.float64)
    scale = float(np.sqrt((logits**2).mean())) or 1.0
    column = logits / scale

    def descent(steepness: float) -> float:
        """Return the derivative of the penalised cross-entropy, which rises with steepness."""
        surplus = expit(steepness * column) - label
        return float(column @ surplus + steepness / PENALTY)

    steepest = PENALTY * len(column)  # there the penalty alone outweighs every pair
    if descent(LEAST_STEEPNESS) >= 0:
        # Worse than chance: as in `fit_calibration`, it is not turned round.
        return Calibration(LEAST_STEEPNESS / scale, 0.0)
    return Calibration(float(brentq(descent, LEAST_STEEPNESS, steepest)) / scale, 0.0)


def keep_logits(evidence: NDArray[np.floating], label: NDArray[np.bool_]) -> Calibration:
    """Take logits for what they say, as SameSpace does; nothing is fitted."""
    return Calibration(1.0, 0.0)


FitCalibration = Callable[[NDArray[np.floating], NDArray[np.bool_]], Calibration]
CalibrationName = Literal["platt", "temperature", "none"]
CALIBRATIONS: Mapping[CalibrationName, FitCalibration] = {
    "platt": fit_calibration,
    "temperature": fit_temperature,
    "none": keep_logits,
}


class CalibratedDetector:
    """A detector made of any evidence, calibrated on pairs that it was not trained on."""

    def __init__(self, evidence: Evidence, fit: FitCalibration = fit_calibration) -> None:
        """Take the evidence, and how it is calibrated; all but Platt's fit is for logits alone."""
        self.evidence = evidence
        self.fit_calibration = fit
        self.calibration: Calibration | None = None
        # The threshold is chosen on the pairs that calibrate: what is slow looks at them once.
        self._validated: tuple[PairTable, Rows, NDArray[np.float64]] | None = None

    def fit(self, train: PairTable, validation: PairTable, rows: Rows) -> None:
        """Fit the evidence, then the calibration on the validation pairs."""
        self.evidence.fit(train, validation, rows)
        evidence = self.evidence.of(validation, rows)
        self.calibration = self.fit_calibration(evidence, validation.label)
        self._validated = validation, rows, evidence

    def score(self, pairs: PairTable, rows: Rows) -> NDArray[np.float64]:
        """Return the probability (n,) of each pair.

        Raises:
            RuntimeError: the detector was not fitted.
        """
        if self.calibration is None or self._validated is None:
            raise RuntimeError("fit the detector before it scores")
        validation, seen, evidence = self._validated
        if pairs is not validation or rows is not seen:
            evidence = self.evidence.of(pairs, rows)
        return self.calibration(evidence)
