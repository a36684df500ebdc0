"""What stands before every request: keys, limits, measures, and the headers of all answers."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders

from seentwice.web.failures import CLOSE, ApiError, answer_error, later, too_large
from seentwice.web.keys import ApiKeys, is_loopback
from seentwice.web.limits import ServiceLimits
from seentwice.web.metrics import ServiceMetrics

Message = MutableMapping[str, Any]
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

OPEN = ("/", "/docs", "/health", "/openapi.json", "/page.css", "/page.js", "/docs.js", "/icon.svg")
"""Paths that need no key: they tell nothing of photos."""
_CHEAP = (*OPEN, "/metrics")  # answered however many wait
_METHODS = ("DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT")
PIECE_BYTES = 1 << 18
"""Of an answer that are sent at once: a client that does not read holds no more in memory."""
HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'; sandbox",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
"""Of every answer that does not say otherwise."""


@dataclass(slots=True, eq=False)
class Guard:
    """An application that lets through to another what it may be asked."""

    app: Application
    limits: ServiceLimits
    keys: ApiKeys | None
    metrics: ServiceMetrics
    under_way: int = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or refuse it."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        loop = asyncio.get_running_loop()
        began = loop.time()
        scope.setdefault("state", {})["deadline"] = began + self.limits.seconds
        status = 500

        async def tell(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
            for piece in _cut(message):
                await send(piece)

        try:
            try:
                self._check(scope)
            except ApiError as error:
                await answer_error(error)(scope, receive, tell)
                return
            await self._pass(scope, self._limit(scope, receive), tell)
        finally:
            method = scope["method"] if scope["method"] in _METHODS else "OTHER"
            path = getattr(scope.get("route"), "path_format", "OTHER")
            self.metrics.observe(method, path, status, loop.time() - began)

    async def _pass(self, scope: Scope, receive: Receive, send: Send) -> None:
        is_counted = scope["path"] not in _CHEAP
        self.under_way += is_counted
        self.metrics.under_way.set(self.under_way)
        try:
            await self.app(scope, receive, send)
        finally:
            self.under_way -= is_counted
            self.metrics.under_way.set(self.under_way)

    def _check(self, scope: Scope) -> None:
        """Refuse what may not be asked.

        Raises:
            ApiError: says why.
        """
        headers = Headers(scope=scope)
        self._check_origin(headers)
        path = scope["path"]
        if self.keys is not None and path not in OPEN:
            given = headers.get("x-api-key", "").encode("latin-1")
            if not self.keys.has(given):
                raise ApiError(
                    401,
                    "unauthorized",
                    "give a key in the header X-API-Key",
                    headers={"WWW-Authenticate": "X-API-Key"},
                )
        length = headers.get("content-length", "0")
        if not (length.isascii() and length.isdigit() and len(length) < 19):
            raise ApiError(400, "bad_request", "Content-Length is no number")
        if int(length) > self.limits.body_bytes:
            raise self._too_large()
        if self.under_way >= self.limits.waiting and path not in _CHEAP:
            raise later("busy", f"{self.under_way} requests are under way; try again")

    def _check_origin(self, headers: Headers) -> None:
        """Refuse what a page of another site lets a browser ask: it may stand on this machine."""
        host = headers.get("host", "")
        origin = headers.get("origin")
        if origin is not None and origin.partition("://")[2] != host:
            raise ApiError(403, "cross_origin", "a page of another site may not ask this service")
        if self.keys is None and not is_loopback(_host_of(host)):
            raise ApiError(403, "wrong_host", "without a key, ask for localhost")

    def _limit(self, scope: Scope, receive: Receive) -> Receive:
        """Return what receives a body that is neither too large nor too slow."""
        deadline = scope["state"]["deadline"]
        loop = asyncio.get_running_loop()
        came = 0

        async def receive_some() -> Message:
            nonlocal came
            try:
                message = await asyncio.wait_for(receive(), max(0, deadline - loop.time()))
            except TimeoutError as error:
                raise ApiError(
                    408, "slow_body", "the body came too slowly", headers=CLOSE
                ) from error
            came += len(message.get("body", b""))
            if came > self.limits.body_bytes:
                raise self._too_large()
            return message

        return receive_some

    def _too_large(self) -> ApiError:
        return too_large(f"a body may have {self.limits.body_bytes:,} bytes")


def _cut(message: Message) -> Iterator[Message]:
    """Cut a long body into pieces: each waits until the client has taken most of those before."""
    body = message.get("body", b"")
    if len(body) <= PIECE_BYTES:
        yield message
        return
    for start in range(0, len(body), PIECE_BYTES):
        end = start + PIECE_BYTES
        more = end < len(body) or message.get("more_body", False)
        yield {**message, "body": body[start:end], "more_body": more}


def _host_of(header: str) -> str:
    """Return the host of a header Host, without its port."""
    try:
        return urlsplit(f"//{header}").hostname or ""
    except ValueError:
        return ""
