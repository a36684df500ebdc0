"""A socket whose every wait ends by a deadline, for the standard library's HTTP client.

A time-out of a socket alone bounds one wait: a server that sends a byte now and then holds the
client for ever.
"""

import io
import socket
import threading
from time import monotonic


class BoundedSocket:
    """What `http.client` needs of a connected socket."""

    def __init__(
        self,
        connected: socket.socket,
        read_seconds: float,
        deadline: float,
        stop: threading.Event,
    ) -> None:
        """Bound a socket that somebody else closes.

        Args:
            connected: the socket.
            read_seconds: the longest wait for a part of an answer.
            deadline: on the clock `monotonic`, for everything.
            stop: ends the next wait before it begins.
        """
        self._connected = connected
        self._read_seconds = read_seconds
        self._deadline = deadline
        self._stop = stop

    def sendall(self, data: bytes) -> None:
        """Send all bytes.

        Raises:
            OSError: the network failed, or took too long.
        """
        self._connected.settimeout(seconds_left(self._deadline, self._read_seconds))
        self._connected.sendall(data)

    def makefile(self, mode: str) -> io.BufferedReader:
        """Return what is received, as a file for reading bytes."""
        return io.BufferedReader(_Received(self))

    def receive_into(self, buffer: memoryview) -> int:
        """Wait for bytes, and return how many came; 0 at the end.

        Raises:
            OSError: the network failed, or took too long.
        """
        if self._stop.is_set():
            raise TimeoutError("stopped")
        self._connected.settimeout(seconds_left(self._deadline, self._read_seconds))
        return self._connected.recv_into(buffer)

    def close(self) -> None:
        """Leave the socket open, since the body of the answer is still to be read."""


class _Received(io.RawIOBase):
    def __init__(self, source: BoundedSocket) -> None:
        self._source = source

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        return self._source.receive_into(buffer)


def seconds_left(deadline: float, longest: float) -> float:
    """Return the seconds to wait at most.

    Raises:
        TimeoutError: the deadline has passed.
    """
    left = min(longest, deadline - monotonic())
    if left <= 0:
        raise TimeoutError("took too long")
    return left
