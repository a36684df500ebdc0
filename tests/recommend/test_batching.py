"""Searches that wait are answered together, each as if it were alone."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Event, Semaphore

import numpy as np
import pytest
from numpy.typing import NDArray

from seentwice.index.near_index import NearIndex
from seentwice.index.near_search import NearRows
from seentwice.recommend.batching import MOST_TOGETHER, BatchedSearch

SIZE = 8


class HeldIndex(NearIndex):
    """Rows whose searches wait until they are let go."""

    def hold(self) -> None:
        self.begun, self.go = Semaphore(0), Event()
        self.asked: list[int] = []
        self.among: list[NDArray[np.int64] | None] = []

    def search(
        self, queries: NDArray[np.float32], k: int, among: NDArray[np.int64] | None = None
    ) -> NearRows:
        self.asked.append(len(queries))
        self.among.append(among)
        self.begun.release()
        assert self.go.wait(60)
        if np.isnan(queries).any():
            raise ValueError("no number")
        return super().search(queries, k, among)


@pytest.fixture
def near() -> HeldIndex:
    index = HeldIndex.create(SIZE)
    assert isinstance(index, HeldIndex)
    index.hold()
    rows = np.random.default_rng(0).normal(size=(50, SIZE)).astype(np.float32)
    index.add(np.arange(50), rows)
    return index


def make_queries(count: int) -> NDArray[np.float32]:
    return np.random.default_rng(count).normal(size=(count, SIZE)).astype(np.float32)


def wait_until(batched: BatchedSearch, count: int, is_true: Callable[[], bool]) -> None:
    while not is_true():
        Event().wait(0.001)
    assert len(batched._waiting) == count


def test_what_waits_shares_one_scan_and_gets_its_own_rows(near: HeldIndex) -> None:
    batched = BatchedSearch()
    asked = [(make_queries(1 + number % 3), 2 + number) for number in range(6)]
    with ThreadPoolExecutor(8) as pool:
        first = pool.submit(batched.search, near, make_queries(1), 3, None)
        assert near.begun.acquire(timeout=60)
        others = [pool.submit(batched.search, near, queries, k, None) for queries, k in asked]
        wait_until(batched, 6, lambda: len(batched._waiting) == 6)
        near.go.set()
        found = [other.result() for other in others]
        first.result()
    assert near.asked == [1, sum(len(queries) for queries, _ in asked)]
    assert (batched.scans, batched.queries) == (2, sum(near.asked))
    for (queries, k), rows in zip(asked, found, strict=True):
        alone = near.search(queries, k)
        np.testing.assert_array_equal(rows.numbers, alone.numbers)
        np.testing.assert_array_equal(rows.products, alone.products)


def test_searches_among_other_rows_do_not_share_a_scan(near: HeldIndex) -> None:
    batched = BatchedSearch()
    some, same = np.arange(10), np.arange(10)
    with ThreadPoolExecutor(8) as pool:
        first = pool.submit(batched.search, near, make_queries(1), 3, None)
        assert near.begun.acquire(timeout=60)
        others = [
            pool.submit(batched.search, near, make_queries(1), 3, one) for one in (some, same)
        ]
        others.append(pool.submit(batched.search, near, make_queries(2), 3, some))
        wait_until(batched, 3, lambda: len(batched._waiting) == 3)
        near.go.set()
        assert all((other.result().numbers < 10).all() for other in others)
        first.result()
    assert sorted(near.asked) == [1, 1, 3]


def test_searches_of_other_moments_do_not_share_a_scan(near: HeldIndex) -> None:
    batched = BatchedSearch()
    before = near.copy()
    near.remove(np.arange(40))
    with ThreadPoolExecutor(8) as pool:
        first = pool.submit(batched.search, near, make_queries(1), 3, None)
        assert near.begun.acquire(timeout=60)
        others = [
            pool.submit(batched.search, rows, make_queries(1), 50, None) for rows in (before, near)
        ]
        wait_until(batched, 2, lambda: len(batched._waiting) == 2)
        near.go.set()
        first.result()
        assert [int((one.result().numbers >= 0).sum()) for one in others] == [50, 10]


def test_one_that_comes_again_at_once_does_not_overtake_one_that_waits(near: HeldIndex) -> None:
    batched = BatchedSearch()
    some = np.arange(10)
    for _ in range(10):
        near.hold()

        def ask_twice() -> None:
            for _ in range(2):
                batched.search(near, make_queries(1), 3, None)

        with ThreadPoolExecutor(2) as pool:
            eager = pool.submit(ask_twice)
            assert near.begun.acquire(timeout=60)
            patient = pool.submit(batched.search, near, make_queries(1), 3, some)
            wait_until(batched, 1, lambda: len(batched._waiting) == 1)
            near.go.set()
            eager.result()
            patient.result()
        assert near.among[0] is None
        assert near.among[1] is some


def test_a_scan_has_a_most(near: HeldIndex) -> None:
    batched = BatchedSearch()
    with ThreadPoolExecutor(4) as pool:
        first = pool.submit(batched.search, near, make_queries(1), 3, None)
        assert near.begun.acquire(timeout=60)
        others = [pool.submit(batched.search, near, make_queries(40), 3, None) for _ in range(3)]
        wait_until(batched, 3, lambda: len(batched._waiting) == 3)
        near.go.set()
        for future in (first, *others):
            future.result()
    assert near.asked == [1, 40, 40, 40]
    assert MOST_TOGETHER == 64


def test_an_error_of_a_scan_is_told_to_all_that_shared_it_and_to_no_one_after(
    near: HeldIndex,
) -> None:
    batched = BatchedSearch()
    near.go.set()
    with pytest.raises(ValueError, match="no number"):
        batched.search(near, np.full((1, SIZE), np.nan, np.float32), 3, None)
    assert len(batched.search(near, make_queries(1), 3, None).numbers) == 1
