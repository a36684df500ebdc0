"""The pairs that a detector got most wrong, worth a look by people."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from seentwice.data.pairs import PairTable


@dataclass(frozen=True, slots=True, eq=False)
class WrongPairs:
    """Indices into the pairs, worst first."""

    missed: NDArray[np.int64]  # duplicates with the lowest scores
    mistaken: NDArray[np.int64]  # negatives with the highest scores


def find_most_wrong(pairs: PairTable, score: NDArray[np.float64], count: int) -> WrongPairs:
    """Return the worst pairs of each label, one for each two places so that they differ.

    Args:
        pairs: n of them.
        score: (n,) of one detector.
        count: the most to return of each label.
    """
    missed, mistaken = np.flatnonzero(pairs.label), np.flatnonzero(~pairs.label)
    return WrongPairs(
        _first_of_places(pairs, missed[np.argsort(score[missed], kind="stable")], count),
        _first_of_places(pairs, mistaken[np.argsort(-score[mistaken], kind="stable")], count),
    )


def _first_of_places(pairs: PairTable, ranked: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    views, seen, chosen = pairs.views, set(), []
    for index in ranked:
        left = views[pairs.left[index]].photo.place
        right = views[pairs.right[index]].photo.place
        places = (min(left, right), max(left, right))
        if places not in seen:
            seen.add(places)
            chosen.append(index)
        if len(chosen) == count:
            break
    return np.array(chosen, dtype=np.int64)
