"""Connections of a service: how many there may be, and how long one may keep others waiting."""

import asyncio
import resource
from typing import Any

from uvicorn import Config
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

from seentwice.web.limits import ServiceLimits

_FILES_EACH = 3
"""Of all files that may be open, a connection has one; those that wait to be taken need others."""


def make_protocol(limits: ServiceLimits) -> type[H11Protocol]:
    """Return what speaks HTTP on each connection of a service."""

    class Limited(LimitedProtocol):
        most = count_most(limits.connections)
        seconds = limits.seconds

    return Limited


def count_most(wanted: int) -> int:
    """Return how many connections there may be, by what this process may open."""
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return wanted if files == resource.RLIM_INFINITY else max(1, min(wanted, files // _FILES_EACH))


class LimitedProtocol(H11Protocol):
    """HTTP on a connection that ends where its client sends no whole head, or reads no answer.

    Where there are too many, the one that was idle longest makes room.
    """

    most: int
    seconds: (
        float  # for a head, and for an answer once the client does not read as fast as it comes
    )

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        """Take what uvicorn gives."""
        super().__init__(config, server_state, app_state, _loop)
        self._idle_since = self.loop.time()
        self._head_timer: asyncio.TimerHandle | None = None
        self._answer_timer: asyncio.TimerHandle | None = None

    def is_idle(self) -> bool:
        """Say whether no request is being answered."""
        return self.cycle is None or self.cycle.response_complete

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin, and make room."""
        super().connection_made(transport)
        self._await_head()
        if len(self.connections) > self.most:
            self._make_room()

    def connection_lost(self, exc: Exception | None) -> None:
        """End."""
        self._stop_awaiting_head()
        self._stop_awaiting_reader()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take what came; a head that is not whole has to become so in time."""
        super().data_received(data)
        if self.is_idle():
            self._await_head()
        else:
            self._stop_awaiting_head()

    def on_response_complete(self) -> None:
        """Wait for the next request."""
        self._idle_since = self.loop.time()
        if not self.flow.write_paused:
            self._stop_awaiting_reader()
        super().on_response_complete()

    def pause_writing(self) -> None:
        """Give the client time to read the answer: to its end, not to its next piece."""
        if self._answer_timer is None:
            self._answer_timer = self.loop.call_later(self.seconds, self.transport.abort)
        super().pause_writing()

    def resume_writing(self) -> None:
        """Go on with the answer."""
        if self.is_idle():
            self._stop_awaiting_reader()
        super().resume_writing()

    def timeout_keep_alive_handler(self) -> None:
        """End an idle connection, also where an answer was not read to its end."""
        if self.transport.get_write_buffer_size():
            self.transport.abort()
        super().timeout_keep_alive_handler()

    def _await_head(self) -> None:
        if self._head_timer is None:
            self._head_timer = self.loop.call_later(self.seconds, self.transport.abort)

    def _stop_awaiting_head(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _stop_awaiting_reader(self) -> None:
        if self._answer_timer is not None:
            self._answer_timer.cancel()
            self._answer_timer = None

    def _make_room(self) -> None:
        idle = [
            other
            for other in self.connections
            if isinstance(other, LimitedProtocol) and other.is_idle()
        ]
        # One that was ended makes room only when the loop comes to it: it is not counted on again.
        longest = min(idle, key=lambda other: other._idle_since)
        longest._idle_since = float("inf")
        longest.transport.abort()
