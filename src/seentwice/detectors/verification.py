"""Geometric verification: how many local features of two photos agree on one homography."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from seentwice.data.pairs import PairTable
from seentwice.data.source import Progress
from seentwice.detectors.descriptor import Rows
from seentwice.detectors.keypoints import LOCAL_FEATURES, LocalFeature, split_row

BLOCK = 64  # pairs that a thread takes at once
LEAST_MATCHES = 4  # fewer fix no homography
TOLERANCE_PX = 5.0  # by which a match may miss the homography: 1 % of the longest side
CONFIDENCE = 0.999
MOST_ITERATIONS = 2000


@dataclass(frozen=True, slots=True, eq=False)
class Homography:
    """The projection of one view's plane onto the other's, in the pixels that rows hold."""

    matrix: NDArray[np.float64]  # (3, 3), from the left view to the right one
    inliers: int  # matches that it explains, at least 1


class VerifiedMatches:
    """How many matches of local features one homography explains; nothing is learned.

    A crop, a turn or another size of a photo is one homography, and so is a wall seen from two
    places. A room is several walls and things, of which the one with most matches counts.
    """

    def __init__(self, name: str, threads: int, on_progress: Progress) -> None:
        """Choose what is matched.

        Args:
            name: a key of `LOCAL_FEATURES`, of whose rows there is one a view.
            threads: how many match; the evidence does not depend on it.
            on_progress: told of the pairs that are done.
        """
        self.name = name
        self.threads = threads
        self.on_progress = on_progress

    def fit(self, train: PairTable, validation: PairTable, rows: Rows) -> None:
        """Learn nothing."""

    def of(self, pairs: PairTable, rows: Rows) -> NDArray[np.float64]:
        """Return log(1 + inliers) of each pair, (n,).

        The logarithm, since it is a long way from 5 inliers to 15, and none from 305 to 315.
        """
        kept, feature = rows[self.name], LOCAL_FEATURES[self.name]
        inliers = np.zeros(len(pairs), dtype=np.int64)

        def count(start: int) -> int:
            end = min(start + BLOCK, len(pairs))
            for n in range(start, end):
                inliers[n] = count_inliers(kept[pairs.left[n]], kept[pairs.right[n]], feature)
            return end

        pool = ThreadPoolExecutor(self.threads)
        try:
            # Threads of a matrix product would only wait for those that match.
            with threadpool_limits(1, "blas"):
                for done in pool.map(count, range(0, len(pairs), BLOCK)):
                    self.on_progress(done, len(pairs))
        finally:
            pool.shutdown(cancel_futures=True)
        return np.log1p(inliers)


def count_inliers(left: NDArray[np.uint8], right: NDArray[np.uint8], feature: LocalFeature) -> int:
    """Return how many matches of two views one homography explains; both orders give the same.

    Args:
        left: the row of one view, as `KeypointDescriptor` gives it.
        right: likewise, of the other view.
        feature: of the rows.
    """
    if left.tobytes() > right.tobytes():
        left, right = right, left
    found = fit_homography(left, right, feature)
    return found.inliers if found is not None else 0


def fit_homography(
    left: NDArray[np.uint8], right: NDArray[np.uint8], feature: LocalFeature
) -> Homography | None:
    """Return the homography that explains most matches of two views; None where none is found.

    MAGSAC++ (Barath et al. 2020) looks for it, with random numbers that are always the same.

    Args:
        left: the row of one view, as `KeypointDescriptor` gives it.
        right: likewise, of the other view.
        feature: of the rows.
    """
    import cv2

    (left_at, left_packed), (right_at, right_packed) = split_row(left), split_row(right)
    if min(len(left_at), len(right_at)) < LEAST_MATCHES:
        return None
    own, other = match_mutually(
        feature.unpack(left_packed), feature.unpack(right_packed), feature.squared_ratio
    )
    if len(own) < LEAST_MATCHES:
        return None
    cv2.setNumThreads(1)
    matrix, mask = cv2.findHomography(
        left_at[own],
        right_at[other],
        cv2.USAC_MAGSAC,
        TOLERANCE_PX,
        maxIters=MOST_ITERATIONS,
        confidence=CONFIDENCE,
    )
    inliers = int(np.count_nonzero(mask)) if mask is not None else 0
    is_found = matrix is not None and inliers > 0
    return Homography(np.asarray(matrix, np.float64), inliers) if is_found else None


def match_mutually(
    left: NDArray[np.float32], right: NDArray[np.float32], squared_ratio: float
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Match descriptors that are each other's nearest, and far nearer than the next on both sides.

    Args:
        left: (k, d) descriptors, k at least 2; whole numbers of squared distances below 2²⁴.
        right: (l, d) likewise, l at least 2.
        squared_ratio: the squared distance of a match is less than this share of the next one's.

    Returns:
        The m matches: (m,) indices into `left`, rising, and (m,) into `right`.
    """
    distance = left @ right.T
    distance *= -2
    distance += (left * left).sum(axis=1)[:, np.newaxis]
    distance += (right * right).sum(axis=1)
    rows, columns = np.arange(len(left)), np.arange(len(right))
    nearest, nearest_row = distance.argmin(axis=1), distance.argmin(axis=0)
    best, best_of_column = distance[rows, nearest], distance[nearest_row, columns]
    distance[rows, nearest] = np.inf
    next_best = distance.min(axis=1)
    distance[rows, nearest] = best
    distance[nearest_row, columns] = np.inf
    next_of_column = distance.min(axis=0)
    is_match = (
        (nearest_row[nearest] == rows)
        & (best < squared_ratio * next_best)
        & (best_of_column < squared_ratio * next_of_column)[nearest]
    )
    return np.flatnonzero(is_match), nearest[is_match]
