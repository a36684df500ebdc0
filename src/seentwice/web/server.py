"""A service on a port: how it begins, opens its index anew on SIGHUP, and stops."""

import logging
import signal
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from types import FrameType

import uvicorn

from seentwice.errors import UserError
from seentwice.web.app import create_app
from seentwice.web.connections import make_protocol
from seentwice.web.folder_index import CopyChecker, FolderSource
from seentwice.web.keys import ApiKeys, check_host
from seentwice.web.limits import ServiceLimits
from seentwice.web.live_index import LiveIndex
from seentwice.web.metrics import ServiceMetrics
from seentwice.web.photo_writer import StoreWriter
from seentwice.web.service import Closing, Service

_BACKLOG = 128
"""Connections that wait to be taken; all are taken at once, and each needs a file."""
_STOP_SECONDS = 30
"""What is under way has so long to end after SIGTERM."""


def open_service(
    source: FolderSource, limits: ServiceLimits, keys: ApiKeys | None, is_read_only: bool
) -> Service:
    """Open the index of a folder, and what answers from it.

    Args:
        source: the folder.
        limits: what the service takes on.
        keys: that open it; None lets everyone of this machine ask.
        is_read_only: whether listings can be neither added nor removed.

    Raises:
        UserError: there is no such index, it is damaged, or it cannot be written.
    """
    metrics = ServiceMetrics()
    live = LiveIndex(source, metrics)
    checker = CopyChecker(source.folder, limits.max_pixels)
    writer = None if is_read_only else StoreWriter(source.folder, limits.max_pixels)
    parts: tuple[Closing, ...] = (checker,) if writer is None else (checker, writer)
    return Service(live, checker.submit, writer, limits, keys, metrics, parts)


def listen(host: str, port: int, keys: ApiKeys | None) -> socket.socket:
    """Return a socket that a service can answer at.

    Args:
        host: a name or address.
        port: 0 is any that is free.
        keys: of the service; without one it listens to this machine alone.

    Raises:
        UserError: others could ask without a key, or the port is taken.
    """
    check_host(host, keys)
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host.strip("[]"), port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        # With its protocol: asyncio sends small packets at once on sockets alone that tell it.
        with ExitStack() as stack:
            listening = stack.enter_context(socket.socket(family, kind, protocol))
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listening.bind(address)
            listening.listen(_BACKLOG)
            stack.pop_all()
    except OSError as error:
        raise UserError(
            f"{host}, port {port}: {error.strerror}; choose another with --host or --port"
        ) from error
    return listening


def serve(service: Service, listening: socket.socket) -> None:
    """Answer until SIGTERM or Ctrl-C; what is under way by then is finished, nothing new begun."""
    logging.getLogger("uvicorn.error").setLevel(logging.WARNING)
    with _reloading_on_hangup(service):
        uvicorn.Server(configure(service)).run(sockets=[listening])


def configure(service: Service) -> uvicorn.Config:
    """Return how a service is run."""
    return uvicorn.Config(
        create_app(service),
        http=make_protocol(service.limits),
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=True,
        proxy_headers=False,
        ws="none",
        timeout_keep_alive=30,
        timeout_graceful_shutdown=_STOP_SECONDS,
        backlog=_BACKLOG,
    )


@contextmanager
def _reloading_on_hangup(service: Service) -> Iterator[None]:
    def reload(number: int, frame: FrameType | None) -> None:
        service.live.want_reload()

    before = signal.signal(signal.SIGHUP, reload)
    try:
        yield
    finally:
        signal.signal(signal.SIGHUP, before)
