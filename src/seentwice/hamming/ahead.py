"""Several streams computed side by side and read one after another."""

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")


def read_ahead(streams: Iterable[Iterator[Item]], threads: int, most_open: int) -> Iterator[Item]:
    """Yield the items of each stream in turn, while threads compute the next streams' first ones.

    No stream is more than one item ahead, so memory follows `most_open`, and the order does not
    depend on threads.

    Args:
        streams: what to read, each made when it is needed.
        threads: how many compute.
        most_open: how many streams may be begun at once, at least 1.
    """
    begun: deque[tuple[Iterator[Item], Future[Item | None]]] = deque()
    with ThreadPoolExecutor(threads) as pool:
        for stream in streams:
            begun.append((stream, pool.submit(next, stream, None)))
            if len(begun) >= most_open:
                yield from _read(pool, *begun.popleft())
        while begun:
            yield from _read(pool, *begun.popleft())


def _read(
    pool: ThreadPoolExecutor, stream: Iterator[Item], first: Future[Item | None]
) -> Iterator[Item]:
    item = first.result()
    while item is not None:
        following = pool.submit(next, stream, None)
        yield item
        item = following.result()
