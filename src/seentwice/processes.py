"""Processes that work for another one, and end when it does."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing import connection, parent_process
from threading import Thread


def end_with_parent(exit_code: int = 1) -> None:
    """End this process when its parent does, even if that is killed: it would wait for ever.

    Args:
        exit_code: that it ends with.
    """
    parent = parent_process()
    assert parent is not None

    def watch() -> None:
        connection.wait([parent.sentinel])
        os._exit(exit_code)

    Thread(target=watch, daemon=True).start()


@contextmanager
def hold_ctrl_c() -> Iterator[None]:
    """Hold Ctrl-C back while the block runs, and for ever from processes that it starts.

    So it reaches the parent alone, which ends its processes between two photos.
    """
    held = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, held)
