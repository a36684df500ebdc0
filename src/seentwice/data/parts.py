"""Which part of the data each photo is in: a split, or the fold that tests it."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from seentwice.data.folds import parts_of_folds
from seentwice.data.splits import Split


@dataclass(frozen=True, slots=True)
class Parts:
    """Which part of the data each of n photos is in; whatever links two parts leaks."""

    names: tuple[str, ...]
    number: NDArray[np.int64]  # (n,) index into names; -1 for a photo in no part

    def members(self) -> list[tuple[str, NDArray[np.int64]]]:
        """Return each part's name and the indices of its photos."""
        return [(name, np.flatnonzero(self.number == part)) for part, name in enumerate(self.names)]


def parts_of(splits: Sequence[Split], photos: int) -> Parts:
    """Name the part of each photo: its split, or of several folds the one that tests it.

    Two folds' parts are on different sides in at least one of the folds, so what leaks between
    any two parts leaks in a fold.

    Args:
        splits: one, or one a fold.
        photos: how many there are.
    """
    number = np.full(photos, -1)
    if len(splits) > 1:
        tested = parts_of_folds(splits)
        for fold, indices in enumerate(tested):
            number[indices] = fold
        return Parts(tuple(f"fold {fold + 1}" for fold in range(len(tested))), number)
    for part, indices in enumerate((splits[0].train, splits[0].validation, splits[0].test)):
        number[indices] = part
    return Parts(("train", "validation", "test"), number)
