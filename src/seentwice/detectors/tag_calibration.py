"""The temperature of a head: how sure its answers are allowed to be."""

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import softmax

from seentwice.detectors.calibration import LEAST_STEEPNESS, PENALTY


def fit_tag_temperature(logits: NDArray[np.floating], label: NDArray[np.int64]) -> float:
    """Return what logits are divided by (Guo et al. 2017, section 4.2).

    The penalty of `fit_temperature` keeps it above 0 where every answer is right; where answers
    are worse than chance it is large, and never turns them round.

    Args:
        logits: (n, labels) of photos that the head was not trained on.
        label: (n,) from 0 on; without any photo the temperature is 1.
    """
    if not len(label):
        return 1.0
    wide = logits.astype(np.float64)
    wide -= wide.mean(axis=1, keepdims=True)
    scale = float(np.sqrt((wide**2).mean())) or 1.0
    columns = wide / scale
    right = columns[np.arange(len(label)), label].sum()

    def descent(steepness: float) -> float:
        """Return the derivative of the penalised cross-entropy, which rises with steepness."""
        expected = (softmax(steepness * columns, axis=1) * columns).sum()
        return float(expected - right + steepness / PENALTY)

    steepest = PENALTY * columns.size  # there the penalty alone outweighs every photo
    if descent(LEAST_STEEPNESS) >= 0:
        return scale / LEAST_STEEPNESS
    return scale / float(brentq(descent, LEAST_STEEPNESS, steepest))
