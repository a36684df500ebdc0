"""Connections whose clients send half a head, or do not read what they asked for."""

import asyncio
import http.client
import socket
from contextlib import ExitStack
from threading import Event
from urllib.parse import urlsplit

import pytest
from served_homes import Homes, SharedSource, index_homes, serve_in_thread

from seentwice.files import digest_file
from seentwice.web import connections
from seentwice.web.guard import PIECE_BYTES, Guard
from seentwice.web.limits import ServiceLimits
from seentwice.web.metrics import ServiceMetrics
from seentwice.web.server import open_service
from seentwice.web.service import Service

HALF = b"GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\nX-A: "
WHOLE = b"GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"


def open_homes(homes: Homes, limits: ServiceLimits) -> Service:
    return open_service(SharedSource(homes.index, 10**8, 1), limits, None, True)


def connect(address: str, stack: ExitStack, buffer_bytes: int | None = None) -> socket.socket:
    host, port = urlsplit(address).netloc.split(":")
    made = stack.enter_context(socket.socket())
    if buffer_bytes is not None:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer_bytes)
    made.settimeout(60)
    made.connect((host, int(port)))
    return made


def ask(address: str, path: str) -> bytes:
    connection = http.client.HTTPConnection(urlsplit(address).netloc, timeout=60)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        assert answer.status == 200
        return answer.read()
    finally:
        connection.close()


def is_ended(connection: socket.socket) -> bool:
    try:
        while connection.recv(1 << 16):
            pass
    except ConnectionResetError:
        pass
    except TimeoutError:
        return False
    return True


def test_half_heads_leave_room_for_others(made_homes: Homes) -> None:
    service = open_homes(made_homes, ServiceLimits(connections=8, seconds=60))
    with serve_in_thread(service) as address, ExitStack() as stack:
        halves = [connect(address, stack) for _ in range(40)]
        for half in halves:
            half.sendall(HALF)
        assert ask(address, "/health")
        assert all(is_ended(half) for half in halves[:32])


def test_a_head_that_never_is_whole_ends_its_connection(made_homes: Homes) -> None:
    service = open_homes(made_homes, ServiceLimits(seconds=0.5))
    with serve_in_thread(service) as address, ExitStack() as stack:
        first, second = connect(address, stack), connect(address, stack)
        first.sendall(HALF)
        second.sendall(WHOLE)
        assert second.recv(1 << 16).startswith(b"HTTP/1.1 200")
        second.sendall(HALF)
        assert is_ended(first)
        assert is_ended(second)
        connect(address, stack)  # and one that says nothing
        assert ask(address, "/health")


def test_there_are_no_more_connections_than_files_that_may_be_open(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(connections.resource, "getrlimit", lambda which: (256, 256))
    assert connections.count_most(1_000) == 85
    assert connections.count_most(10) == 10


def test_answers_that_are_not_read_count_until_their_time_is_over(homes: Homes) -> None:
    photo = homes.list_photos()[0]
    photo.write_bytes(photo.read_bytes() + bytes(16_000_000))
    index_homes(homes)
    path = f"/photos/{digest_file(photo).hex()}"
    service = open_homes(homes, ServiceLimits(seconds=5))
    with serve_in_thread(service) as address, ExitStack() as stack:
        assert ask(address, path) == photo.read_bytes()
        unread = [connect(address, stack, 4_096) for _ in range(4)]
        for one in unread:
            one.sendall(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())
        for count in (4, 0):
            for _ in range(6_000):
                if f"requests_under_way {count}.0" in ask(address, "/metrics").decode():
                    break
                Event().wait(0.01)
            else:
                raise AssertionError(count)


def test_a_long_answer_is_sent_in_pieces() -> None:
    content = bytes(range(256)) * (PIECE_BYTES // 100)

    async def answer(scope, receive, send) -> None:  # type: ignore[no-untyped-def]
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": content})

    sent = []

    async def send(message) -> None:  # type: ignore[no-untyped-def]
        sent.append(message)

    async def receive():  # type: ignore[no-untyped-def]
        raise AssertionError

    scope = {"type": "http", "method": "GET", "path": "/", "headers": [(b"host", b"localhost")]}
    asyncio.run(Guard(answer, ServiceLimits(), None, ServiceMetrics())(scope, receive, send))
    bodies = sent[1:]
    assert b"".join(message["body"] for message in bodies) == content
    assert max(len(message["body"]) for message in bodies) == PIECE_BYTES
    assert [message["more_body"] for message in bodies] == [True] * (len(bodies) - 1) + [False]
