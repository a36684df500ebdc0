"""Pairs of homes, and the weights of their resamples counted slowly."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class Pairs(NamedTuple):
    label: NDArray[np.bool_]
    score: NDArray[np.float64]
    decision: NDArray[np.bool_]
    left: NDArray[np.int64]
    right: NDArray[np.int64]


def make_clustered_pairs() -> Pairs:
    """Pairs of 12 homes with gaps in their numbering; duplicates stay inside a home."""
    rng = np.random.default_rng(3)
    label = rng.random(150) < 0.4
    left = rng.integers(12, size=150) * 7
    right = np.where(label, left, rng.integers(12, size=150) * 7)
    score = np.round(np.clip(0.25 * label + 0.75 * rng.random(150), 0, 1), 2)
    return Pairs(label, score, score >= 0.5, left, right)


def naive_weights(pairs: Pairs, resamples: int, seed: int) -> list[NDArray[np.float64]]:
    """The weights of every resample, drawn and counted one cluster at a time."""
    homes = sorted(set(pairs.left.tolist()) | set(pairs.right.tolist()))
    scale = len(homes) / (len(homes) - 1)
    generator = np.random.default_rng(seed)
    weights = []
    for _ in range(resamples):
        drawn = [homes[i] for i in generator.integers(len(homes), size=len(homes))]
        sides = zip(pairs.left.tolist(), pairs.right.tolist(), strict=True)
        weights.append(
            np.array(
                [
                    drawn.count(left) * (1 if left == right else drawn.count(right) * scale)
                    for left, right in sides
                ],
                dtype=np.float64,
            )
        )
    return weights


def percentiles(draws: list[float]) -> tuple[float, float]:
    low, high = np.percentile(draws, [2.5, 97.5])
    return float(low), float(high)
