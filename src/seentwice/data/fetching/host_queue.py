"""URLs that wait for their turn: hosts take turns, and few downloads run at one of them at once."""

from collections import Counter, deque
from collections.abc import Iterable
from urllib.parse import urlsplit

Origin = tuple[str, str, int | None]
"""Scheme, host and port: what one connection leads to."""


class HostQueue:
    """Hands out URLs, each once; `finish` says that one is done with.

    Handing one out takes the same time however many hosts and URLs wait.
    """

    def __init__(self, urls: Iterable[str], per_host: int) -> None:
        """Queue URLs.

        Args:
            urls: of one host they are handed out in this order.
            per_host: so many are handed out before one is finished.
        """
        self._per_host = per_host
        self._running: Counter[str] = Counter()
        self._waiting: dict[str, deque[str]] = {}
        for url in urls:
            self._waiting.setdefault(_host_of(url), deque()).append(url)
        # Hosts with URLs that may be handed out now, the next one first.
        self._ready = deque(self._waiting)

    def take(self) -> str | None:
        """Return a URL that may be fetched now; None where there is none."""
        if not self._ready:
            return None
        host = self._ready.popleft()
        url = self._waiting[host].popleft()
        self._running[host] += 1
        if self._waiting[host] and self._running[host] < self._per_host:
            self._ready.append(host)
        return url

    def finish(self, url: str) -> None:
        """Note that a URL that was handed out is done with."""
        host = _host_of(url)
        if self._waiting[host] and self._running[host] == self._per_host:
            self._ready.append(host)
        self._running[host] -= 1


def origin_of(url: str) -> Origin:
    """Return what a URL connects to; the same for all that are no URLs."""
    try:
        parts = urlsplit(url)
        return parts.scheme, parts.hostname or "", parts.port
    except ValueError:
        return "", "", None


def _host_of(url: str) -> str:
    """Return the host, whatever the port: it is one machine that is spared."""
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""
