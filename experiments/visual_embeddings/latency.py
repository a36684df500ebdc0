"""How long one query takes among 10,000 photos: exact, one thread, the best 1,000 of them.

What is told is the processor time of that thread, which other processes do not lengthen. The rows
are random numbers, on which the time does not depend; of local features they are those of photos.
"""

from collections.abc import Callable
from statistics import median
from time import thread_time

import numpy as np
import torch
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from seentwice.detectors.keypoints import LOCAL_FEATURES
from seentwice.detectors.regions import compare_windows
from seentwice.detectors.verification import count_inliers

PHOTOS = 10_000
BEST = 1_000
MOST_REPEATS = 101
LEAST_REPEATS = 5
SECONDS = 1.0  # after which no more repeats than the least
VERIFIED = 100  # pairs of local features that stand for all
BLOCK = 500  # photos whose windows are compared at once

Query = Callable[[], object]


def time_query(query: Query) -> float:
    """Return the median time of a query in milliseconds, after one that is not counted."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with threadpool_limits(1), torch.inference_mode():
            query()
            return 1000 * _repeat(query)
    finally:
        torch.set_num_threads(threads)


def _repeat(query: Query) -> float:
    times: list[float] = []
    while len(times) < LEAST_REPEATS or (len(times) < MOST_REPEATS and sum(times) < SECONDS):
        start = thread_time()
        query()
        times.append(thread_time() - start)
    return median(times)


def search_floats(numbers: int) -> Query:
    """Return a query of inner products."""
    generator = np.random.default_rng(0)
    rows = generator.standard_normal((PHOTOS, numbers), np.float32)
    return lambda: _best(rows @ rows[0])


def search_bits(bits: int) -> Query:
    """Return a query of Hamming distances."""
    generator = np.random.default_rng(0)
    rows = generator.integers(2**63, size=(PHOTOS, bits // 64), dtype=np.uint64)
    return lambda: _best(-np.bitwise_count(rows ^ rows[0]).sum(axis=1, dtype=np.int16))


def search_histograms(colours: int) -> Query:
    """Return a query of histogram intersections."""
    rows = np.random.default_rng(0).random((PHOTOS, colours), np.float32)
    return lambda: _best(np.minimum(rows, rows[0]).sum(axis=1))


def search_windows(windows: int, numbers: int) -> Query:
    """Return a query of `regions`."""
    rows = torch.randn(BLOCK, windows, numbers, generator=torch.Generator().manual_seed(0))
    own = rows[:1].expand(BLOCK, -1, -1)

    def query() -> NDArray[np.int64]:
        blocks = [compare_windows(own, rows) for _ in range(PHOTOS // BLOCK)]
        return _best(np.concatenate(blocks))

    return query


def time_local_features(rows: NDArray[np.uint8]) -> float:
    """Return the milliseconds of as many verifications as there are photos, from a few of them.

    Args:
        rows: (v, ...) the local features of views, as `KeypointDescriptor` gives them.
    """
    feature = LOCAL_FEATURES["sift"]
    others = np.linspace(1, len(rows) - 1, VERIFIED).astype(int)

    def query() -> None:
        for other in others:
            count_inliers(rows[0], rows[other], feature)

    return time_query(query) * PHOTOS / VERIFIED


def _best(scores: NDArray[np.generic]) -> NDArray[np.int64]:
    return np.argpartition(scores, PHOTOS - BEST)[PHOTOS - BEST :]
