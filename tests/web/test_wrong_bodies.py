"""Bodies that are too long, too slow, or never come whole, and disks that take no more."""

import asyncio
import errno
import shutil
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from fastapi.testclient import TestClient
from served_homes import Homes, Start
from test_added_listings import paint

from seentwice.errors import UserError
from seentwice.web.limits import ServiceLimits
from seentwice.web.live_index import OpenedIndex

JSON = b"application/json"
FORM = b"multipart/form-data; boundary=x"


def drive(
    client: TestClient, kind: bytes, receive: Callable[[], Awaitable[Any]]
) -> tuple[int, dict[bytes, bytes]]:
    """Ask without a client that makes all bodies whole; gives the status and the headers."""
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "method": "POST",
        "path": "/recommend",
        "raw_path": b"/recommend",
        "query_string": b"",
        "root_path": "",
        "headers": [(b"host", b"localhost"), (b"content-type", kind)],
    }
    asyncio.run(client.app(scope, receive, send))  # type: ignore[operator]
    return sent[0]["status"], dict(sent[0]["headers"])


@pytest.mark.parametrize("kind", [JSON, FORM])
def test_a_client_that_goes_away_is_no_failure_of_the_service(
    client: TestClient, kind: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    async def go() -> Any:
        return {"type": "http.disconnect"}

    assert drive(client, kind, go)[0] == 499
    assert not caplog.records
    assert 'status="500"' not in client.get("/metrics").text


@pytest.mark.parametrize("kind", [JSON, FORM])
def test_a_body_that_is_too_slow_ends_its_connection(
    made_homes: Homes, start: Start, kind: bytes
) -> None:
    client = start(made_homes, ServiceLimits(seconds=0.05), is_read_only=True)

    async def wait() -> Any:
        await asyncio.Event().wait()

    status, headers = drive(client, kind, wait)
    assert (status, headers[b"connection"]) == (408, b"close")


def test_json_is_read_as_far_as_it_may_be_long(made_homes: Homes, start: Start) -> None:
    client = start(made_homes, ServiceLimits(field_bytes=1_000), is_read_only=True)
    read = []

    async def give() -> Any:
        read.append(400)
        return {"type": "http.request", "body": b" " * 400, "more_body": True}

    status, headers = drive(client, JSON, give)
    assert (status, headers[b"connection"]) == (413, b"close")
    assert len(read) == 3


def test_a_form_may_have_as_much_as_is_promised(made_homes: Homes, start: Start) -> None:
    client = start(made_homes, ServiceLimits(field_bytes=1_000, candidates=20), is_read_only=True)
    photo = {"photo": made_homes.list_photos()[0].read_bytes()}
    fields = {"where": ["city=Paris"] * 50, "candidates": ["L02"] * 20, "k": "1", "title": "any"}
    assert client.post("/recommend", data=fields, files=photo).status_code == 200
    for data, files, status, code in (
        ({"id": "x" * 1_001}, photo, 413, "too_large"),
        ({"candidates": ["L02"] * 90}, photo, 422, "invalid"),
        ({}, [("candidate_photos", b"")] * 60, 422, "invalid"),
    ):
        answer = client.post("/recommend", data=data, files=files)
        assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)


def test_a_full_disk_is_told_as_what_passes(
    made_homes: Homes, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = start(made_homes, is_read_only=True)

    def fail(*args: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(shutil, "copyfileobj", fail)
    answer = client.post("/recommend", files={"photo": paint(0)})
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "unwritable")


def test_a_checkpoint_that_is_gone_is_told_as_what_passes(
    client: TestClient, made_homes: Homes, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(self: OpenedIndex, files: object) -> None:
        raise UserError("the checkpoint is gone")

    monkeypatch.setattr(OpenedIndex, "look_at", fail)
    known = made_homes.list_photos()[0].read_bytes()
    for files in (
        [("photo", paint(0))],
        [("photo", known), ("candidate_photos", paint(0))],
    ):
        answer = client.post("/recommend", files=files)
        assert (answer.status_code, answer.json()["error"]["code"]) == (503, "unusable")
