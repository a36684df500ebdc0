"""The second form of the KNN baseline: what the nearest other photo shows."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from seentwice.bootstrap import bootstrap_share
from seentwice.compare.results import RetrievalResult
from seentwice.compare.summary import Bootstrap
from seentwice.data.pairs import PairTable
from seentwice.detectors.descriptor import Rows
from seentwice.detectors.knn import retrieve_nearest


def measure_nearest(
    tests: Sequence[PairTable], rows: Rows, view_cluster: NDArray[np.int64], bootstrap: Bootstrap
) -> RetrievalResult:
    """Measure it over the test views of all folds.

    Args:
        tests: one a fold, over the same views.
        rows: what the detectors see of each view.
        view_cluster: (v,) number of every view's property or place.
        bootstrap: of the interval.
    """
    found = [retrieve_nearest(table, rows) for table in tests]
    query = np.concatenate([retrieval.query for retrieval in found])
    hits = np.concatenate([retrieval.hit for retrieval in found])
    cluster = view_cluster[query]
    share = bootstrap_share(
        hits, cluster, cluster, resamples=bootstrap.resamples, seed=bootstrap.seed
    )
    return RetrievalResult(share, len(query), max(retrieval.gallery for retrieval in found))
