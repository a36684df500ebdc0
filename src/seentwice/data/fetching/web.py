"""Fetch a file from the web, and trust nothing about where its URL leads or what it sends."""

import email.utils
import math
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPResponse
from time import monotonic, time
from typing import BinaryIO, cast
from urllib.parse import SplitResult, quote, urljoin, urlsplit

from seentwice import __version__
from seentwice.data.fetching.addresses import Address, Resolve, is_public, resolve_host
from seentwice.data.fetching.bounded_socket import BoundedSocket, seconds_left
from seentwice.display import one_line, show_text
from seentwice.errors import UserError
from seentwice.records import Reason

MOST_REDIRECTS = 5
_CHUNK_BYTES = 2**16
_REDIRECTS = (301, 302, 303, 307, 308)
_TRY_AGAIN = (408, 425, 429, 500, 502, 503, 504)
_DEFAULT_PORTS = {"http": 80, "https": 443}
# Not all systems tell a name without addresses from one that is unknown.
_UNKNOWN_NAMES = (socket.EAI_NONAME, getattr(socket, "EAI_NODATA", socket.EAI_NONAME))


@dataclass(frozen=True, slots=True)
class DownloadLimits:
    """How long, how much, how often and how many at once.

    Raises:
        UserError: a number is out of its range.
    """

    connect_seconds: float = 10
    read_seconds: float = 15  # between two parts of an answer
    total_seconds: float = 60  # for one try, with its redirects; a name server may take longer
    max_bytes: int = 30_000_000
    retries: int = 3
    backoff_seconds: float = 1  # before the first retry, twice as long before each next one
    longest_wait_seconds: float = 60  # whatever a server asks for
    threads: int = 8
    threads_per_host: int = 2

    def __post_init__(self) -> None:
        above_zero = ("connect_seconds", "read_seconds", "total_seconds", "max_bytes")
        for name in (*above_zero, "threads", "threads_per_host"):
            if not 0 < getattr(self, name) < math.inf:
                raise UserError(f"data.download.{name}={getattr(self, name)}: must be above 0")
        for name in ("retries", "backoff_seconds", "longest_wait_seconds"):
            if not 0 <= getattr(self, name) < math.inf:
                raise UserError(f"data.download.{name}={getattr(self, name)}: must be 0 or more")


@dataclass(frozen=True, slots=True)
class Web:
    """How the web is reached."""

    limits: DownloadLimits
    is_allowed: Callable[[Address], bool] = is_public  # whether to connect to an address
    resolve: Resolve = resolve_host
    accept: str = "image/*"  # the kind of file that servers are asked for


class DownloadError(Exception):
    """A URL that gave no file, and why.

    `is_connected` is false where no connection came about, as other URLs of that host would find.
    """

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail
        self.is_connected = True


class _TryAgainError(DownloadError):
    """A try that failed for now; `wait_seconds` is what the server asks for."""

    def __init__(self, reason: Reason, detail: str, wait_seconds: float | None = None) -> None:
        super().__init__(reason, detail)
        self.wait_seconds = wait_seconds


def fetch(url: str, file: BinaryIO, web: Web, stop: threading.Event) -> None:
    """Write what a URL serves into a file, after retries where the trouble may pass.

    Names are resolved once for each connection, which goes to the very address that was checked:
    a name server that answers otherwise the next time changes nothing. How long the operating
    system waits for a name server is not bounded here, and it cannot be stopped. Proxies that the
    environment names are not used. Neither the declared type nor the declared length is believed.

    Args:
        url: http or https, without user name and password.
        file: empty; holds the body in the end.
        web: limits, and which addresses are allowed.
        stop: ends the download from another thread.

    Raises:
        DownloadError: no file, for one of the reasons REFUSED_ADDRESS, NOT_SERVED, UNREACHABLE
            and TOO_MANY_BYTES.
        OSError: the file cannot be written.
    """
    limits = web.limits
    for retry in range(limits.retries + 1):
        try:
            return _try_once(url, file, web, stop)
        except _TryAgainError as error:
            if retry == limits.retries or stop.is_set():
                raise
            wait_seconds = error.wait_seconds
            if wait_seconds is None:
                wait_seconds = limits.backoff_seconds * 2**retry
            stop.wait(min(wait_seconds, limits.longest_wait_seconds))
            file.seek(0)
            file.truncate()


def _try_once(url: str, file: BinaryIO, web: Web, stop: threading.Event) -> None:
    deadline = monotonic() + web.limits.total_seconds
    for _ in range(MOST_REDIRECTS + 1):
        parts = _split(url)
        with _connect(parts, web, deadline) as connected:
            bounded = BoundedSocket(connected, web.limits.read_seconds, deadline, stop)
            response = _ask(parts, bounded, web.accept)
            if response.status not in _REDIRECTS:
                _check_answer(response, web.limits)
                _copy(response, file, web.limits.max_bytes)
                return
            location = response.headers.get("Location")
        if not location:
            raise DownloadError(Reason.NOT_SERVED, f"HTTP {response.status} without a location")
        try:
            url = urljoin(url, location)
        except ValueError as error:
            raise DownloadError(Reason.NOT_SERVED, "a redirect to what is no URL") from error
    raise DownloadError(Reason.NOT_SERVED, f"more than {MOST_REDIRECTS} redirects")


def _split(url: str) -> SplitResult:
    """Take a URL apart.

    Raises:
        DownloadError: it is no URL of a web server.
    """
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        raise DownloadError(Reason.REFUSED_ADDRESS, f"no URL: {one_line(error)}") from error
    if parts.scheme not in _DEFAULT_PORTS:
        detail = f"{show_text(parts.scheme[:20])!r} is neither http nor https"
        raise DownloadError(Reason.REFUSED_ADDRESS, detail)
    if parts.username is not None or parts.password is not None:
        raise DownloadError(Reason.REFUSED_ADDRESS, "holds a user name or a password")
    if not host or not host.isprintable() or " " in host:
        raise DownloadError(Reason.REFUSED_ADDRESS, "names no host")
    return parts


@contextmanager
def _connect(parts: SplitResult, web: Web, deadline: float) -> Iterator[socket.socket]:
    """Connect to the host of a URL, at an address that is allowed.

    Raises:
        DownloadError: it has one that is not, or none that answers.
    """
    host = cast(str, parts.hostname)
    port = parts.port or _DEFAULT_PORTS[parts.scheme]
    try:
        connected = _open_allowed(host, port, web, deadline)
    except DownloadError as error:
        error.is_connected = error.reason != Reason.UNREACHABLE
        raise
    try:
        if parts.scheme == "https":
            with _network_errors():
                connected.settimeout(seconds_left(deadline, web.limits.connect_seconds))
                context = ssl.create_default_context()
                connected = context.wrap_socket(connected, server_hostname=host)
        yield connected
    finally:
        connected.close()


def _open_allowed(host: str, port: int, web: Web, deadline: float) -> socket.socket:
    try:
        addresses = web.resolve(host, port)
    except OSError as error:
        is_unknown = getattr(error, "errno", 0) in _UNKNOWN_NAMES
        kind = DownloadError if is_unknown else _TryAgainError
        raise kind(Reason.UNREACHABLE, one_line(error)) from error
    for address in addresses:
        # One of several would do to reach a private network: which one is tried is chance.
        if not web.is_allowed(address):
            raise DownloadError(Reason.REFUSED_ADDRESS, f"{address} is not on the internet")
    with _network_errors():
        return _open_first(addresses, port, web.limits, deadline)


def _open_first(
    addresses: list[Address], port: int, limits: DownloadLimits, deadline: float
) -> socket.socket:
    """Connect to the first address that answers; `addresses` are numbers, so no name is asked."""
    last: OSError = OSError("the host has no address")
    for address in addresses:
        seconds = seconds_left(deadline, limits.connect_seconds)
        try:
            return socket.create_connection((str(address), port), seconds)
        except OSError as error:
            last = error
    raise last


def _ask(parts: SplitResult, bounded: BoundedSocket, accept: str) -> HTTPResponse:
    """Send the request and read the head of the answer."""
    host = cast(str, parts.hostname)
    target = quote(parts.path or "/", safe="/%:@!$&'()*+,;=~")
    query = quote(parts.query, safe="/%:@!$&'()*+,;=~?")
    with _network_errors():
        # The port besides: without one, the last part of an IPv6 address is taken for it.
        connection = HTTPConnection(host, parts.port or _DEFAULT_PORTS[parts.scheme])
        connection.sock = cast(socket.socket, bounded)
        name = f"[{host}]" if ":" in host else host.encode("idna").decode()
        connection.putrequest("GET", f"{target}?{query}" if query else target, skip_host=True)
        connection.putheader("Host", f"{name}:{parts.port}" if parts.port else name)
        connection.putheader("User-Agent", f"seentwice/{__version__}")
        connection.putheader("Accept", accept)
        connection.putheader("Connection", "close")
        connection.endheaders()
        return connection.getresponse()


def _check_answer(response: HTTPResponse, limits: DownloadLimits) -> None:
    if response.status in _TRY_AGAIN:
        wait_seconds = read_retry_after(response.headers.get("Retry-After"), time())
        raise _TryAgainError(Reason.NOT_SERVED, f"HTTP {response.status}", wait_seconds)
    if response.status != 200:
        raise DownloadError(Reason.NOT_SERVED, f"HTTP {response.status}")
    # `http.client` asks for none, so no decoder has to face a bomb.
    encoding = response.headers.get("Content-Encoding", "identity").strip().lower()
    if encoding not in ("", "identity"):
        raise DownloadError(Reason.NOT_SERVED, f"sent as {show_text(encoding[:20])!r}, unasked")
    if response.length is not None and response.length > limits.max_bytes:
        detail = f"{response.length:,} bytes are more than {limits.max_bytes:,}"
        raise DownloadError(Reason.TOO_MANY_BYTES, detail)


def _copy(response: HTTPResponse, file: BinaryIO, max_bytes: int) -> None:
    declared, copied = response.length, 0
    while True:
        with _network_errors():
            part = response.read(_CHUNK_BYTES)
        if not part:
            break
        copied += len(part)
        if copied > max_bytes:
            raise DownloadError(Reason.TOO_MANY_BYTES, f"more than {max_bytes:,}")
        file.write(part)
    if declared is not None and copied < declared:
        detail = f"ended after {copied:,} of {declared:,} bytes"
        raise _TryAgainError(Reason.UNREACHABLE, detail)


def read_retry_after(header: str | None, now: float) -> float | None:
    """Return the seconds that a server asks to wait, by number or by date (RFC 9110, 10.2.3)."""
    if header is None:
        return None
    if header.strip().isdecimal():
        return float(header)
    try:
        return max(0.0, email.utils.parsedate_to_datetime(header).timestamp() - now)
    except (ValueError, OverflowError):
        return None


@contextmanager
def _network_errors() -> Iterator[None]:
    """Name what goes wrong on the way, which a retry may mend; a wrong certificate stays one."""
    try:
        yield
    except ssl.SSLCertVerificationError as error:
        raise DownloadError(Reason.UNREACHABLE, one_line(error)) from error
    except (OSError, HTTPException) as error:
        detail = show_text(one_line(error)) or type(error).__name__
        raise _TryAgainError(Reason.UNREACHABLE, detail) from error
    except ValueError as error:  # `http.client` finds control characters in what it should send
        raise DownloadError(Reason.REFUSED_ADDRESS, show_text(one_line(error))) from error
