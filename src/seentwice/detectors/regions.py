"""Regions: whether two photos show the same things, wherever they stand in the picture."""

from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from seentwice.data.pairs import PairTable
from seentwice.data.source import Progress
from seentwice.detectors.descriptor import Rows
from seentwice.detectors.windows import WINDOWS, draw_windows
from seentwice.models.towers import WhitenedTower

REGIONS = "regions"
"""Name of the detector."""

MOST_WINDOWS = 10_000
"""That a whitening learns from, of the training photos and of the unlabelled ones each."""

TILE = 2**25  # numbers of whitened windows held at once, for each side of the pairs
BLOCK = 2**19  # numbers of them that are gathered at once, for each side: they stay in the cache


class RegionSimilarity:
    """How near each window of one photo is to the nearest window of the other, on average.

    The windows are whitened as photos are by `WhitenedCosine`, from photos without their labels.
    The similarity is Chamfer's, as ViSiL compares frames (Kordopatis-Zilos et al. 2019,
    arXiv:1908.07410), the mean of both directions.
    """

    def __init__(
        self,
        power: float,
        ridge: float,
        unlabelled: NDArray[np.float32] | None,
        on_progress: Progress,
    ) -> None:
        """Say how windows are whitened.

        Args:
            power: see `fit_whitening`.
            ridge: see `fit_whitening`.
            unlabelled: (w, d) windows of photos that no table names.
            on_progress: told of the pairs that are done.
        """
        self.power = power
        self.ridge = ridge
        self.unlabelled = unlabelled
        self.on_progress = on_progress
        self._tower: WhitenedTower

    def fit(self, train: PairTable, validation: PairTable, rows: Rows) -> None:
        """Whiten windows of the training photos and of the unlabelled ones."""
        views = np.unique(np.concatenate([train.left, train.right]))
        windows = draw_windows(rows[WINDOWS], views, MOST_WINDOWS)
        if self.unlabelled is not None:
            windows = np.concatenate([windows, self.unlabelled])
        size = windows.shape[1]
        self._tower = WhitenedTower(size, size)
        self._tower.start_from(torch.from_numpy(windows), self.power, self.ridge)

    @torch.inference_mode()
    def of(self, pairs: PairTable, rows: Rows) -> NDArray[np.float64]:
        """Return the similarity (n,), -1 to 1; both orders of a pair have the same.

        Whitened windows of two tiles of views are held at once; of more views than one tile has,
        some are whitened several times.
        """
        windows = rows[WINDOWS]
        # The smaller number on the left, so that no order of a sum tells left from right.
        left, right = np.minimum(pairs.left, pairs.right), np.maximum(pairs.left, pairs.right)
        views = np.unique(np.concatenate([left, right]))
        left, right = np.searchsorted(views, left), np.searchsorted(views, right)
        size = max(1, TILE // windows[0].size)
        similarity = np.empty(len(pairs))
        done = 0
        for first in range(0, len(views), size):
            own = self._whiten(windows, views[first : first + size])
            for second in range(first, len(views), size):
                is_here = (left // size == first // size) & (right // size == second // size)
                here = np.flatnonzero(is_here)
                if not len(here):
                    continue
                is_same = first == second
                other = own if is_same else self._whiten(windows, views[second : second + size])
                for block in _blocks(here, max(1, BLOCK // windows[0].size)):
                    own_side = torch.from_numpy(left[block] - first)
                    other_side = torch.from_numpy(right[block] - second)
                    similarity[block] = compare_windows(own[own_side], other[other_side])
                    done += len(block)
                    self.on_progress(done, len(pairs))
        return similarity

    def _whiten(self, windows: NDArray[np.floating], views: NDArray[np.int64]) -> Tensor:
        """Return the windows (n, k, d) of n views, whitened, each of length 1."""
        rows = torch.from_numpy(np.asarray(windows[views], np.float32))
        whitened: Tensor = self._tower(rows.flatten(0, 1)).unflatten(0, rows.shape[:2])
        return whitened


def compare_windows(left: Tensor, right: Tensor) -> NDArray[np.float64]:
    """Return the Chamfer similarity (n,) of windows of length 1, (n, k, d) and (n, l, d)."""
    cosine = left @ right.mT
    nearest = cosine.amax(dim=2).mean(dim=1) + cosine.amax(dim=1).mean(dim=1)
    similarity: NDArray[np.float64] = (nearest.double() / 2).numpy()
    return similarity


def _blocks(pairs: NDArray[np.int64], size: int) -> Iterator[NDArray[np.int64]]:
    for start in range(0, len(pairs), size):
        yield pairs[start : start + size]
