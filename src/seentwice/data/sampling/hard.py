"""Hard negatives: what a trained model takes for near though it shows another place."""

import numpy as np
from numpy.typing import NDArray

from seentwice.data.sampling.pair_space import PairSpace
from seentwice.data.sampling.ranks import rank_of


def draw_hard(
    space: PairSpace, nearest: NDArray[np.int64], wanted: int, taken: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Return the nearest wrong neighbours, as ranks; nothing is left to chance.

    Every item's nearest wrong neighbour comes first, then every item's second one, and so on, so
    that a few items that are near to all others do not fill the table (Schroff et al. 2015,
    FaceNet, section 3.2, mine within batches; here it is among all items).

    Args:
        space: the pairs of m items that are negatives.
        nearest: (m, k) indices of each item's nearest ones, nearest first, itself or not.
        wanted: the most pairs to return.
        taken: (t,) ranks of pairs that are not returned again.
    """
    item = np.repeat(np.arange(len(nearest)), nearest.shape[1])
    other = nearest.ravel()
    low, high = np.minimum(item, other), np.maximum(item, other)
    wrong = np.zeros(len(item), dtype=bool)
    another = other != item
    wrong[another] = space.holds(low[another], high[another])
    # The first wrong neighbour of an item is its first hard one, wherever it stands.
    order = np.cumsum(wrong.reshape(nearest.shape), axis=1).ravel()[wrong]
    rank = rank_of(low[wrong], high[wrong])[np.argsort(order, kind="stable")]
    first = np.unique(rank, return_index=True)[1]
    ordered = rank[np.sort(first)]
    return ordered[~np.isin(ordered, taken)][:wanted]
