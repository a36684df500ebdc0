"""Triplets: a query, another photo of its place, and one of another place.

For triplet training (Schroff et al. 2015, FaceNet, section 3.1), and for the share of triplets
whose duplicate is the nearer one, by which the house recommendation paper chooses its embedding.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from seentwice.data.pairs import PairTable, escape_key
from seentwice.records import View

COLUMNS = ("query", "positive", "negative", "query_edit", "positive_edit", "negative_edit")


@dataclass(frozen=True, slots=True, eq=False)
class TripletTable:
    """Triplets as columns of one length n, over views that several tables share."""

    views: tuple[View, ...]
    query: NDArray[np.int64]  # (n,) index into views
    positive: NDArray[np.int64]  # (n,) a view of the query's place
    negative: NDArray[np.int64]  # (n,) a view of another place
    positive_pair: NDArray[np.int64]  # (n,) index into the pairs: query and positive
    negative_pair: NDArray[np.int64]  # (n,) likewise, query and negative
    left_out: int  # queries without a negative in the table

    def __len__(self) -> int:
        return len(self.query)

    def to_frame(self) -> pd.DataFrame:
        """Return the table with the columns `COLUMNS`; photos by key, see `escape_key`."""
        key = np.array([escape_key(view.photo.key) for view in self.views], dtype=object)
        edit = np.array([view.edit for view in self.views], dtype=object)
        columns = {"query": self.query, "positive": self.positive, "negative": self.negative}
        return pd.DataFrame(
            {name: key[index] for name, index in columns.items()}
            | {f"{name}_edit": edit[index] for name, index in columns.items()},
            columns=list(COLUMNS),
        )


def make_triplets(pairs: PairTable, per_query: int, generator: np.random.Generator) -> TripletTable:
    """Make triplets of the pairs of a table, so that its mix of negatives is theirs.

    Each positive pair gives two queries, one a side; each query meets `per_query` different
    negatives of its own in the table, or all where it has fewer. A query without any is left
    out, and so is a pair of one view with itself; there may be no triplet at all.

    Args:
        pairs: positives and negatives of one split.
        per_query: 1 or more.
        generator: source of the choice.
    """
    positives = np.flatnonzero(pairs.label & (pairs.left != pairs.right))
    query, positive, positive_pair = _both_ways(pairs, positives)
    owner, negative, negative_pair = _both_ways(pairs, np.flatnonzero(~pairs.label))
    shuffled = generator.permutation(len(owner))
    order = shuffled[np.argsort(owner[shuffled], kind="stable")]
    # A query's negatives stand side by side in random order; each positive starts anywhere among
    # them and takes the next ones around.
    count = np.bincount(owner, minlength=len(pairs.views))
    first = np.concatenate([[0], np.cumsum(count)[:-1]])
    taken = np.minimum(count[query], per_query)
    start = (generator.random(len(query)) * count[query]).astype(np.int64)
    of = np.repeat(np.arange(len(query)), taken)
    step = np.arange(len(of)) - np.repeat(np.cumsum(taken) - taken, taken)
    place = first[query[of]] + (start[of] + step) % count[query[of]]
    chosen = order[place]
    return TripletTable(
        pairs.views,
        query[of],
        positive[of],
        negative[chosen],
        positive_pair[of],
        negative_pair[chosen],
        int((count[query] == 0).sum()),
    )


def _both_ways(
    pairs: PairTable, chosen: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Return each side of the chosen pairs, the other side, and the pair: (k,) each.

    A table of ordered pairs holds both orders of one: the first stands for both.
    """
    one = np.concatenate([pairs.left[chosen], pairs.right[chosen]])
    other = np.concatenate([pairs.right[chosen], pairs.left[chosen]])
    first = np.unique(one * len(pairs.views) + other, return_index=True)[1]
    return one[first], other[first], np.tile(chosen, 2)[first]
