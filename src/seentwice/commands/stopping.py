"""How a command ends that the user stops, or whoever else sends SIGTERM."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

STOPPED = 130  # the shell's exit code for a program that Ctrl-C stopped
TERMINATED = 143  # likewise, for SIGTERM


@contextmanager
def sigterm_as_ctrl_c(terminated: list[int]) -> Iterator[None]:
    """Let SIGTERM end the block as Ctrl-C does, so that runs are closed and told how to go on.

    Args:
        terminated: gets the signal's number when it comes.
    """

    def stop(number: int, frame: FrameType | None) -> None:
        signal.signal(number, signal.SIG_IGN)  # a second one does not interrupt the tidying up
        terminated.append(number)
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
