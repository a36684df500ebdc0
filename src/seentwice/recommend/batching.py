"""Searches that wait while another one scans are answered together by the next scan."""

from dataclasses import dataclass
from threading import Condition

import numpy as np
from numpy.typing import NDArray

from seentwice.index.near_index import NearIndex
from seentwice.index.near_search import NearRows

MOST_TOGETHER = 64
"""Queries of one scan; more wait for the next."""


@dataclass(slots=True, eq=False)
class _Waiting:
    """A search that a thread waits for."""

    near: NearIndex
    queries: NDArray[np.float32]  # (q, d)
    k: int
    among: NDArray[np.int64] | None
    found: NearRows | None = None
    error: Exception | None = None

    def is_done(self) -> bool:
        return self.found is not None or self.error is not None


class BatchedSearch:
    """Any number of threads search rows, one scan at a time.

    A thread that finds no scan under way scans for the search that waits longest and all that can
    share its scan, so many threads at once cost little more than one, and each has its turn.
    """

    def __init__(self) -> None:
        self.scans = 0
        self.queries = 0
        self._turn = Condition()
        self._waiting: list[_Waiting] = []
        self._is_scanning = False

    def search(
        self,
        near: NearIndex,
        queries: NDArray[np.float32],
        k: int,
        among: NDArray[np.int64] | None,
    ) -> NearRows:
        """Find the rows with the largest inner products; see `NearIndex.search`.

        Searches share a scan where `near` and `among` are the very same, or `among` None.
        """
        mine = _Waiting(near, queries, k, among)
        with self._turn:
            self._waiting.append(mine)
        while True:
            with self._turn:
                self._turn.wait_for(lambda: mine.is_done() or not self._is_scanning)
                if mine.is_done():
                    return _take(mine)
                self._is_scanning = True
                together = self._choose()
            try:
                self._scan(together)
            finally:
                with self._turn:
                    self._is_scanning = False
                    self._turn.notify_all()

    def _choose(self) -> list[_Waiting]:
        """Take those that are answered now off the list: the one that waits longest, and its like.

        It need not be the one whose thread scans: otherwise those that come again and again could
        overtake one that shares no scan with them for ever.
        """
        first = self._waiting[0]
        together, rows = [first], len(first.queries)
        for other in self._waiting[1:]:
            is_same = other.near is first.near and other.among is first.among
            if is_same and rows + len(other.queries) <= MOST_TOGETHER:
                together.append(other)
                rows += len(other.queries)
        self._waiting = [other for other in self._waiting if other not in together]
        return together

    def _scan(self, together: list[_Waiting]) -> None:
        try:
            every = np.concatenate([one.queries for one in together])
            k = max(one.k for one in together)
            found = together[0].near.search(every, k, together[0].among)
        except Exception as error:
            for one in together:
                one.error = error
            return
        self.scans += 1
        self.queries += len(every)
        start = 0
        for one in together:
            rows = slice(start, start + len(one.queries))
            one.found = NearRows(found.numbers[rows, : one.k], found.products[rows, : one.k])
            start = rows.stop


def _take(mine: _Waiting) -> NearRows:
    if mine.error is not None:
        raise mine.error
    assert mine.found is not None
    return mine.found
