"""Windows of a photo's map: what stands where, as a frozen trunk sees it."""

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seentwice.detectors.descriptor import Rows
from seentwice.detectors.trunk import EXACT, FEATURES, RowType, TrunkDescriptor
from seentwice.models.engines import Passing
from seentwice.models.trunk import Trunk
from seentwice.models.windowed_trunk import add_windows

WINDOWS = "windows"
"""Name of the rows (k, d) of a view's windows."""

CODE = "1"
"""Counts the changes of where windows lie, and of what is pooled in them."""


class WindowDescriptor(TrunkDescriptor):
    """A frozen trunk's features and those of the k windows of its map: (1 + k, d) a view.

    One pass for both: detectors on features take theirs from here.
    """

    def __init__(self, trunk: Trunk, dtype: RowType, passing: Passing = EXACT) -> None:
        """Take a trunk that is frozen as a whole; see `TrunkDescriptor` for the arguments.

        Raises:
            UserError: it gives no map; or the engine is not installed, or cannot take the stages.
        """
        super().__init__(add_windows(trunk), dtype, passing)
        parts = (*self.recipe.parts, ("windows", CODE))
        self.recipe = replace(self.recipe, name=WINDOWS, parts=parts)

    def split(self, rows: NDArray[Any]) -> Rows:
        """Return the features (v, d) and the windows (v, k, d) of rows (v, 1 + k, d)."""
        return {FEATURES: rows[:, 0], WINDOWS: rows[:, 1:]}


def draw_windows(
    windows: NDArray[np.floating[Any]], views: NDArray[np.int64], most: int
) -> NDArray[np.float32]:
    """Return the windows of some views, or as many of them as may be: (w, d), w at most `most`.

    Where there are more they are drawn, always the same ones of as many views.

    Args:
        windows: (v, k, d) of all views; mapped ones are read where they are drawn.
        views: (n,) indices of those to draw from.
        most: windows to return.
    """
    each = windows.shape[1]
    chosen = np.arange(len(views) * each)
    if len(chosen) > most:
        chosen = np.sort(np.random.default_rng(0).choice(chosen, most, replace=False))
    drawn: NDArray[np.float32] = windows[views[chosen // each], chosen % each].astype(np.float32)
    return drawn
