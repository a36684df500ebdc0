"""The pairs that a detector got most wrong, worth a look by people."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from seentwice.compare.summary import HeldOutPairs


@dataclass(frozen=True, slots=True, eq=False)
class WrongPairs:
    """Indices into the test pairs, worst first."""

    missed: NDArray[np.int64]  # duplicates with the lowest scores
    mistaken: NDArray[np.int64]  # negatives with the highest scores


def find_most_wrong(test: HeldOutPairs, score: NDArray[np.float64], count: int) -> WrongPairs:
    """Return the worst pairs of each label, one for each two places so that they differ.

    Args:
        test: the n test pairs.
        score: (n,) of one detector.
        count: the most to return of each label.
    """
    label = test.pairs.label
    missed, mistaken = np.flatnonzero(label), np.flatnonzero(~label)
    return WrongPairs(
        _first_of_places(test, missed[np.argsort(score[missed], kind="stable")], count),
        _first_of_places(test, mistaken[np.argsort(-score[mistaken], kind="stable")], count),
    )


def _first_of_places(
    test: HeldOutPairs, ranked: NDArray[np.int64], count: int
) -> NDArray[np.int64]:
    views, seen, chosen = test.pairs.views, set(), []
    for index in ranked:
        left = views[test.pairs.left[index]].photo.place
        right = views[test.pairs.right[index]].photo.place
        places = (min(left, right), max(left, right))
        if places not in seen:
            seen.add(places)
            chosen.append(index)
        if len(chosen) == count:
            break
    return np.array(chosen, dtype=np.int64)
