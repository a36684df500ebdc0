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


class StopRequest:
    """A signal to stop that interrupts nothing which must not be cut in two.

    An interrupted call to a database leaves a connection behind that holds its lock. And where
    Python calls back, as while it collects garbage, it ignores what a handler raises: so whoever
    works asks now and then.
    """

    def __init__(self) -> None:
        """Take it that nobody asked yet."""
        self.came: int | None = None  # the signal's number
        self._held_back = 0

    @contextmanager
    def heeded(self, *signals: int) -> Iterator[None]:
        """Take these signals during the block."""
        before = {number: signal.signal(number, self._take) for number in signals}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    @contextmanager
    def held_back(self) -> Iterator[None]:
        """Let no signal interrupt the block.

        Raises:
            KeyboardInterrupt: after the block, if one came by then.
        """
        self._held_back += 1
        try:
            yield
        finally:
            self._held_back -= 1
        self.check()

    def check(self) -> None:
        """Stop if that was asked for.

        Raises:
            KeyboardInterrupt: it was.
        """
        if self.came is not None and not self._held_back:
            raise KeyboardInterrupt

    def _take(self, number: int, frame: FrameType | None) -> None:
        self.came = number
        self.check()
