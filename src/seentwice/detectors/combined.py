"""Several detectors as one: a logistic regression over their logits (stacking, Wolpert 1992)."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import expit, logit

COMBINED = "combined"
RIDGE = 0.01
"""How strongly weights are held back, against the mean cross-entropy of a pair.

Against the mean and not the sum: a place with many photos gives many pairs, which do not tell more
of the weights than a few do.
"""
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
        scaled = (_to_logits(scores) - self.centre) / self.spread
        probability: NDArray[np.float64] = expit(scaled @ self.weights + self.offset)
        return probability


def fit_combination(
    scores: NDArray[np.float64], label: NDArray[np.bool_], ridge: float = RIDGE
) -> Combination:
    """Fit the weights of k detectors: the least of cross-entropy plus ridge / 2 · |weights|².

    No weight is below 0: a detector that speaks against what it finds is left out, not turned
    round. The pairs should be none that the detectors learned from, which look too easy to them.

    Args:
        scores: (n, k) probabilities that the detectors give n pairs.
        label: (n,) with both classes.
        ridge: above 0.
    """
    logits = _to_logits(scores)
    # The deviation of equal values is rounding, not always 0.
    spread = np.where(np.ptp(logits, axis=0) > 0, logits.std(axis=0), 1.0)
    centre = logits.mean(axis=0)
    scaled = (logits - centre) / spread

    def measure(parameters: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        """Return the penalised loss and its gradient, (1 + k,)."""
        weights = parameters[1:]
        total = scaled @ weights + parameters[0]
        surplus = expit(total) - label
        loss = (np.logaddexp(0, total) - label * total).mean() + ridge / 2 * (weights @ weights)
        gradient = np.concatenate([[surplus.mean()], scaled.T @ surplus / len(label)])
        gradient[1:] += ridge * weights
        return float(loss), gradient

    # Convex, with one least value: where the search starts does not matter.
    start = np.zeros(1 + scaled.shape[1])
    start[0] = logit(label.mean())
    found = minimize(
        measure,
        start,
        method="L-BFGS-B",
        jac=True,
        bounds=[(None, None)] + [(0.0, None)] * scaled.shape[1],
        options={"ftol": 1e-15, "gtol": 1e-9, "maxiter": 10_000, "maxfun": 20_000},
    ).x
    return Combination(found[1:], float(found[0]), centre, spread)


def _to_logits(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    logits: NDArray[np.float64] = logit(np.clip(scores, CLIP, 1 - CLIP))
    return logits
