"""Bring the table of photos up to date with a folder: what is new or has changed is read."""

import warnings
from collections import deque
from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import closing, contextmanager
from dataclasses import dataclass
from multiprocessing import get_context, resource_tracker
from multiprocessing.forkserver import ensure_running, set_forkserver_preload

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from seentwice.data.source import Progress
from seentwice.dedupe.findings import SameFile
from seentwice.dedupe.looking import Looking, look_at_files, make_problem_row
from seentwice.dedupe.walking import WalkedFiles, walk_files
from seentwice.errors import UserError
from seentwice.index.columns import find_values, make_texts, sort_texts
from seentwice.index.photo_row import PhotoRow
from seentwice.index.store import PhotoStore
from seentwice.photos.problems import record_refusal
from seentwice.processes import end_with_parent, hold_ctrl_c
from seentwice.records import Reason, Unreadable

_TRIED_AGAIN = (Reason.TOO_LARGE, Reason.UNDECODED)
_CHUNK = 16  # files that a process takes at once
_AHEAD = 4  # chunks a process that wait, so that no process does
_BATCH = 1024  # rows that are written at once


@dataclass(frozen=True, slots=True)
class Updated:
    """What came of bringing a table up to date."""

    read: int  # files that were new or had changed
    kept: int  # files whose rows were there
    removed: int  # rows of files that are gone
    same_files: tuple[SameFile, ...]  # links, which are read once and are no duplicates
    unreadable: tuple[Unreadable, ...]  # that the folder alone tells; others have rows


def update_table(
    store: PhotoStore, looking: Looking, workers: int, on_progress: Progress
) -> Updated:
    """Read what is new in a folder or has changed, and forget what is gone.

    What was read is on the disk every `_BATCH` files and after Ctrl-C, so a run that is stopped
    goes on there.

    Args:
        store: its rows are those of this folder.
        looking: how files are read; `looking.meta` is the store's.
        workers: processes; the rows do not depend on it.
        on_progress: told of the files that are read.

    Raises:
        UserError: the folder is missing or cannot be listed, or the store cannot be written.
    """
    _start_server()
    # Before the walk: what a service adds meanwhile is then not taken for gone.
    known = store.read_columns(("size_bytes", "modified_ns", "inode", "reason", "width", "height"))
    walked = walk_files(looking.root)
    first = _first_names(walked)
    place = find_values(walked.keys, known["key"])
    is_first = first == np.arange(len(walked))
    is_stale = np.ones(len(walked), bool)
    there = np.flatnonzero(place >= 0)
    at = place[there]
    # Another limit, more memory or an extra may do; files that could not be opened look changed.
    tried = make_texts([reason.encode() for reason in _TRIED_AGAIN])
    is_tried = find_values(known["reason"], tried) >= 0
    pixels = known["width"].astype(np.int64) * known["height"]
    is_stale[there] = (
        (known["size_bytes"][at] != walked.size_bytes[there])
        | (known["modified_ns"][at] != walked.modified_ns[there])
        | (known["inode"][at] != walked.inode[there])
        | is_tried[at]
        | (pixels[at] > looking.max_pixels)
    )
    is_gone = np.ones(len(known), bool)
    is_gone[place[is_first & (place >= 0)]] = False
    removed = [known.key(index) for index in np.flatnonzero(is_gone).tolist()]
    stale = np.flatnonzero(is_first & is_stale)
    # As files lie on a disk that turns, nearly.
    stale = stale[np.lexsort((walked.inode[stale], walked.device[stale]))]
    if removed:
        store.write((), removed)
    with closing(read_files(looking, walked, stale, workers)) as found:
        _write_rows(store, found, len(stale), on_progress)
    return Updated(
        read=len(stale),
        kept=int(np.count_nonzero(is_first)) - len(stale),
        removed=len(removed),
        same_files=tuple(
            SameFile(walked.key(index), walked.key(int(first[index])))
            for index in np.flatnonzero(~is_first).tolist()
        ),
        unreadable=walked.unreadable,
    )


def _write_rows(
    store: PhotoStore, found: Iterator[list[PhotoRow]], count: int, on_progress: Progress
) -> None:
    """Write rows as they come; what came before Ctrl-C as well."""
    batch: list[PhotoRow] = []
    done = 0
    try:
        for rows in found:
            batch += rows
            done += len(rows)
            if len(batch) >= _BATCH:
                store.write(batch)
                batch.clear()
            on_progress(done, count)
    except KeyboardInterrupt:
        store.write(batch)
        raise
    if batch:
        store.write(batch)


def _first_names(walked: WalkedFiles) -> NDArray[np.int64]:
    """Return under which number each file is read, (n,): one name of a file, no link if it can."""
    rank = np.empty(len(walked), np.int64)
    rank[sort_texts(walked.keys)] = np.arange(len(walked))
    order = np.lexsort((rank, walked.is_link, walked.inode, walked.device))
    inode, device = walked.inode[order], walked.device[order]
    is_new = np.ones(len(order), bool)
    is_new[1:] = (inode[1:] != inode[:-1]) | (device[1:] != device[:-1])
    is_new |= inode == 0  # of file systems that know none
    first = np.empty(len(order), np.int64)
    first[order] = order[np.flatnonzero(is_new)][np.cumsum(is_new) - 1]
    return first


def read_files(
    looking: Looking, walked: WalkedFiles, numbers: NDArray[np.int64], workers: int
) -> Generator[list[PhotoRow], None, None]:
    """Yield the rows of files, some at a time, in the order of their numbers.

    A file whose decoder ends its process is listed like any other that gives no photo. Closed
    early, no process begins another file than those it was given.
    """
    chunks = (
        [walked.key(number) for number in numbers[start : start + _CHUNK].tolist()]
        for start in range(0, len(numbers), _CHUNK)
    )
    waiting: deque[Sequence[str]] = deque()
    while True:
        with _open_pool(min(workers, -(-len(numbers) // _CHUNK)) or 1) as pool:
            try:
                yield from _map_ahead(pool, looking, chunks, waiting, _AHEAD * workers)
                return
            except BrokenProcessPool:
                pass
        # All that were sent and did not come back: one of them is to blame.
        while waiting:
            yield _read_one_by_one(looking, waiting.popleft())


def _map_ahead(
    pool: ProcessPoolExecutor,
    looking: Looking,
    chunks: Iterator[Sequence[str]],
    waiting: deque[Sequence[str]],
    most: int,
) -> Iterator[list[PhotoRow]]:
    """Yield what comes back of each chunk in order; `waiting` holds those that did not yet."""
    futures: deque[Future[list[PhotoRow]]] = deque()
    for chunk in chunks:
        waiting.append(chunk)
        with hold_ctrl_c():
            futures.append(pool.submit(look_at_files, looking, chunk))
        if len(futures) > most:
            rows = futures.popleft().result()
            waiting.popleft()
            yield rows
    while futures:
        rows = futures.popleft().result()
        waiting.popleft()
        yield rows


def _read_one_by_one(looking: Looking, keys: Sequence[str]) -> list[PhotoRow]:
    """Read files in a process that has one of them at a time; a file that ends it is listed."""
    rows: list[PhotoRow] = []
    while len(rows) < len(keys):
        with _open_pool(1) as pool:
            try:
                for key in keys[len(rows) :]:
                    with hold_ctrl_c():
                        future = pool.submit(look_at_files, looking, (key,))
                    rows += future.result()
            except BrokenProcessPool:
                _check_processes()
                rows.append(_blame(looking, keys[len(rows)]))
    return rows


def _check_processes() -> None:
    """Make sure that it is a file which ends processes.

    Raises:
        UserError: they end whatever they are given.
    """
    with _open_pool(1) as pool:
        try:
            with hold_ctrl_c():
                future = pool.submit(_answer)
            future.result()
        except BrokenProcessPool as error:
            raise UserError(
                "no process can be started; is there memory left? A script of yours that calls "
                "this needs `if __name__ == '__main__':` before what it does"
            ) from error


def _answer() -> None:
    """Show that a process works."""


def _blame(looking: Looking, key: str) -> PhotoRow:
    """Return the row of a file whose decoder ended its process."""
    path = looking.root / key
    try:
        status = path.stat()
    except OSError as error:
        return make_problem_row(key, looking, None, b"", record_refusal(path, error))
    problem = Unreadable(path, Reason.DAMAGED, "its decoder ended the process")
    return make_problem_row(key, looking, status, b"", problem)


def _start_server() -> None:
    """Let the process that others are forked from import what they need, while this one goes on."""
    set_forkserver_preload(["seentwice.dedupe.looking"])
    resource_tracker.ensure_running()  # it would let signals through again when it starts
    with hold_ctrl_c():
        ensure_running()


@contextmanager
def _open_pool(workers: int) -> Iterator[ProcessPoolExecutor]:
    # Not forked from this process, which may run threads: a fork of those can hang.
    _start_server()
    pool = ProcessPoolExecutor(workers, get_context("forkserver"), _begin)
    try:
        yield pool
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _begin() -> None:
    end_with_parent()
    # Of malformed tags of which no photo is lost; they name no file and would fill the screen.
    warnings.simplefilter("ignore")
    threadpool_limits(1, "blas")  # the processes are as many as the processors
