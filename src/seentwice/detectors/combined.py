"""Several detectors as one: a logistic regression over their logits (stacking, Wolpert 1992)."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import expit, logit

from seentwice.detectors.calibration import fit_calibration

COMBINED = "combined"
CLIP = 1e-9  # of probabilities: no detector is so sure that it outvotes all others together


@dataclass(frozen=True, slots=True, eq=False)
class Combination:
    """probability = 1 / (1 + exp(-(weights · (logits - centre) / spread + offset)))."""

    weights: NDArray[np.float64]  # (k,) at least 0: a surer detector never lowers the probability
    offset: float
    centre: NDArray[np.float64]  # (k,) mean of each detector's logits
    spread: NDArray[np.float64]  # (k,) their deviation

    def __call__(self, scores: NDArray[np.float64]) -> NDArray[np.float64]:
        """Map the scores of k detectors (n, k) to probabilities (n,)."""
        probability: NDArray[np.float64] = expit(self.logits(scores))
        return probability

    def logits(self, scores: NDArray[np.float64]) -> NDArray[np.float64]:
        """Map them to logits (n,), which still differ where probabilities round to 1."""
        scaled = (_to_logits(scores) - self.centre) / self.spread
        total: NDArray[np.float64] = scaled @ self.weights + self.offset
        return total


def fit_combination(
    scores: NDArray[np.float64], label: NDArray[np.bool_], homes: int
) -> Combination:
    """Fit how much each of k detectors counts beside the others, then calibrate their sum.

    The first fit is held back as if each home were one observation: the pairs of a home share
    photos, and tell far less than as many pairs of different homes. What few homes tell is how
    good each detector is by itself, and the fewer there are, the more that decides. The second fit,
    Platt's, gives back the scale that this takes away.

    The pairs should be none that the detectors learned from, on which they look too good.

    Args:
        scores: (n, k) probabilities that the detectors give n pairs.
        label: (n,) with both classes.
        homes: that the pairs are of, or places where no home is known.
    """
    logits = _to_logits(scores)
    # The deviation of equal values is rounding, not always 0.
    spread = np.where(np.ptp(logits, axis=0) > 0, logits.std(axis=0), 1.0)
    centre = logits.mean(axis=0)
    scaled = (logits - centre) / spread
    weights = fit_weights(scaled, label, 1 / homes)
    calibration = fit_calibration(scaled @ weights, label)
    return Combination(calibration.slope * weights, calibration.offset, centre, spread)


def fit_weights(
    scaled: NDArray[np.float64], label: NDArray[np.bool_], ridge: float
) -> NDArray[np.float64]:
    """Return the weights (k,) of a logistic regression, of which none is below 0.

    They have the least mean cross-entropy plus ridge / 2 · |weights|². A detector that speaks
    against what it finds gets 0: it is left out, not turned round.

    Args:
        scaled: (n, k) columns of mean 0 and deviation 1.
        label: (n,) with both classes.
        ridge: above 0.
    """

    def measure(parameters: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        """Return the penalised loss and its gradient, (1 + k,), at an offset and weights."""
        weights = parameters[1:]
        total = scaled @ weights + parameters[0]
        surplus = expit(total) - label
        loss = (np.logaddexp(0, total) - label * total).mean() + ridge / 2 * (weights @ weights)
        slopes = scaled.T @ surplus / len(label) + ridge * weights
        return float(loss), np.concatenate([[surplus.mean()], slopes])

    # Convex, with one least value: where the search starts does not matter.
    start = np.zeros(1 + scaled.shape[1])
    start[0] = logit(label.mean())
    bounds = [(None, None)] + [(0.0, None)] * scaled.shape[1]
    options = {"ftol": 1e-15, "gtol": 1e-9, "maxiter": 10_000, "maxfun": 20_000}
    found = minimize(measure, start, method="L-BFGS-B", jac=True, bounds=bounds, options=options)
    weights: NDArray[np.float64] = found.x[1:]
    return weights


def _to_logits(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    logits: NDArray[np.float64] = logit(np.clip(scores, CLIP, 1 - CLIP))
    return logits
