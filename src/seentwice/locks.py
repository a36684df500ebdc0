"""Files that one process of a host holds at a time."""

import errno
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

_POLL_SECONDS = 0.5
_FOR_ALL = 0o666  # whatever the umask says


@contextmanager
def hold_lock(path: Path, on_wait: Callable[[], None], is_for_all: bool = False) -> Iterator[None]:
    """Let no other process that asks for the same file into the block.

    The lock ends with the process, however that ends.

    Args:
        path: of the lock, in a folder that exists.
        on_wait: called again and again while another process is in its block.
        is_for_all: whether other accounts may hold it, too, where this one makes it.

    Raises:
        OSError: the folder cannot be written, is missing or is none that holds files, or the lock
            is another account's alone.
    """
    lock = FileLock(path, mode=_FOR_ALL) if is_for_all else FileLock(path)
    while True:
        try:
            lock.acquire(timeout=_POLL_SECONDS)
            break
        except Timeout:
            # It takes a lock that cannot be made, as in /proc, for one that is held.
            if not os.path.lexists(path):
                code = errno.ENOENT
                raise FileNotFoundError(code, os.strerror(code), str(path)) from None
            on_wait()
    try:
        yield
    finally:
        lock.release()


@contextmanager
def try_lock(path: Path) -> Iterator[bool]:
    """Say whether the lock could be had at once; it is held during the block where it could.

    One that is another account's alone cannot be had.
    """
    lock = FileLock(path)
    try:
        lock.acquire(blocking=False)
    except (Timeout, PermissionError):
        yield False
        return
    try:
        yield True
    finally:
        lock.release()
