"""Everything over a real server; `LOOPBACK` alone may reach it."""

import gzip
import io
import socket
import threading
from dataclasses import replace
from email.utils import formatdate
from ipaddress import ip_address

import pytest
from web_server import WebServer, send

from seentwice.data.fetching.addresses import is_public
from seentwice.data.fetching.web import (
    MOST_REDIRECTS,
    DownloadError,
    DownloadLimits,
    Web,
    fetch,
    read_retry_after,
)
from seentwice.errors import UserError
from seentwice.records import Reason

LIMITS = DownloadLimits(retries=2, backoff_seconds=0, longest_wait_seconds=0, max_bytes=100_000)
LOOPBACK = Web(LIMITS, is_allowed=lambda address: address.is_loopback)
PHOTO = bytes(range(256)) * 300


def get(url: str, web: Web = LOOPBACK) -> bytes:
    file = io.BytesIO()
    fetch(url, file, web, threading.Event())
    return file.getvalue()


def refused(url: str, web: Web = LOOPBACK) -> tuple[Reason, str]:
    with pytest.raises(DownloadError) as raised:
        get(url, web)
    assert "\n" not in raised.value.detail
    return raised.value.reason, raised.value.detail


def test_the_body_arrives_whole(server: WebServer) -> None:
    server.answers["/a%20b.jpg?x=1&y=%C3%A9"] = send(PHOTO)
    assert get(server.url("/a b.jpg?x=1&y=é#part")) == PHOTO
    (headers,) = server.headers.values()
    assert headers["Host"] == f"127.0.0.1:{server.port}"
    assert headers["Accept-Encoding"] == "identity"
    assert headers["User-Agent"].startswith("seentwice/")


def test_a_body_without_a_length_ends_with_the_connection(server: WebServer) -> None:
    server.answers["/a"] = send(PHOTO, headers={"Content-Length": ""})
    assert get(server.url("/a")) == PHOTO


def test_a_name_is_asked_for_once_and_told_to_the_server(server: WebServer) -> None:
    asked = []

    def resolve(host: str, port: int):
        asked.append((host, port))
        return [ip_address("127.0.0.1")]

    server.answers["/a"] = send(PHOTO)
    url = server.url("/a", "photos.example")
    assert get(url, replace(LOOPBACK, resolve=resolve)) == PHOTO
    assert asked == [("photos.example", server.port)]
    assert server.headers["/a"]["Host"] == f"photos.example:{server.port}"


def test_the_next_address_is_tried_where_one_does_not_answer(server: WebServer) -> None:
    server.answers["/a"] = send(PHOTO)
    addresses = [ip_address("127.0.0.2"), ip_address("127.0.0.1")]
    url = server.url("/a", "photos.example")
    assert get(url, replace(LOOPBACK, resolve=lambda host, port: addresses)) == PHOTO


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "2130706433", "0177.0.0.1", "0x7f000001", "127.1", "localhost", "0"],
)
def test_by_default_loopback_is_refused_however_it_is_written(server: WebServer, host: str) -> None:
    server.answers["/a"] = send(PHOTO)
    reason, detail = refused(server.url("/a", host), Web(LIMITS))
    assert reason == Reason.REFUSED_ADDRESS
    assert "is not on the internet" in detail
    assert not server.requests


@pytest.mark.parametrize(
    "host",
    ["10.0.0.1", "169.254.169.254", "[::1]", "[::ffff:127.0.0.1]", "[fe80::1]", "100.64.0.1"],
)
def test_by_default_private_addresses_are_refused(host: str) -> None:
    reason, detail = refused(f"http://{host}/a", Web(LIMITS))
    assert reason == Reason.REFUSED_ADDRESS
    assert "is not on the internet" in detail


def test_a_name_with_one_private_address_is_refused(server: WebServer) -> None:
    addresses = [ip_address("8.8.8.8"), ip_address("127.0.0.1")]
    web = Web(LIMITS, resolve=lambda host, port: addresses)
    assert refused(server.url("/a", "photos.example"), web)[0] == Reason.REFUSED_ADDRESS


def test_a_name_that_changes_its_address_does_not_lead_elsewhere(server: WebServer) -> None:
    """The address that was checked is the one that is connected to (DNS rebinding)."""
    server.answers["/a"] = send(PHOTO)
    answers = [[ip_address("127.0.0.2")], [ip_address("127.0.0.1")]]
    checked = []

    def is_allowed(address) -> bool:
        checked.append(str(address))
        return str(address) == "127.0.0.2"

    web = Web(replace(LIMITS, retries=0), is_allowed, resolve=lambda host, port: answers.pop(0))
    assert refused(server.url("/a", "photos.example"), web)[0] == Reason.UNREACHABLE
    assert checked == ["127.0.0.2"]
    assert not server.requests
    # The second answer is checked like the first.
    assert refused(server.url("/a", "photos.example"), web)[0] == Reason.REFUSED_ADDRESS
    assert not server.requests


def test_a_redirect_is_followed_and_checked_again(server: WebServer) -> None:
    server.answers["/a"] = send(b"", 302, {"Location": "b?c"})
    server.answers["/b?c"] = send(PHOTO)
    assert get(server.url("/a")) == PHOTO
    private = f"http://localhost:{server.port}/b?c"
    server.answers["/a"] = send(b"", 301, {"Location": private})
    names = {"127.0.0.1": "127.0.0.1", "localhost": "127.0.0.3"}
    web = Web(
        LIMITS,
        is_allowed=lambda address: str(address) == "127.0.0.1",
        resolve=lambda host, port: [ip_address(names[host])],
    )
    before = server.requests["/b?c"]
    assert refused(server.url("/a"), web) == (
        Reason.REFUSED_ADDRESS,
        "127.0.0.3 is not on the internet",
    )
    assert server.requests["/b?c"] == before


@pytest.mark.parametrize("location", ["file:///etc/passwd", "ftp://127.0.0.1/", "gopher://x/"])
def test_a_redirect_out_of_the_web_is_refused(server: WebServer, location: str) -> None:
    server.answers["/a"] = send(b"", 307, {"Location": location})
    assert refused(server.url("/a"))[0] == Reason.REFUSED_ADDRESS


def test_a_redirect_to_what_is_no_url_is_not_served(server: WebServer) -> None:
    server.answers["/a"] = send(b"", 302, {"Location": "http://[half/b"})
    assert refused(server.url("/a")) == (Reason.NOT_SERVED, "a redirect to what is no URL")


def test_redirects_in_a_circle_end(server: WebServer) -> None:
    server.answers["/a"] = send(b"", 308, {"Location": "/a"})
    assert refused(server.url("/a")) == (
        Reason.NOT_SERVED,
        f"more than {MOST_REDIRECTS} redirects",
    )
    assert server.requests["/a"] == MOST_REDIRECTS + 1


def test_a_redirect_to_nowhere_is_not_served(server: WebServer) -> None:
    server.answers["/a"] = send(b"", 302)
    assert refused(server.url("/a")) == (Reason.NOT_SERVED, "HTTP 302 without a location")


@pytest.mark.parametrize(
    ("url", "detail"),
    [
        ("ftp://example.org/a.jpg", "'ftp' is neither http nor https"),
        ("file:///etc/passwd", "'file' is neither http nor https"),
        ("photo.jpg", "'' is neither http nor https"),
        ("http://user:word@example.org/a.jpg", "holds a user name or a password"),
        ("http://user@example.org/a.jpg", "holds a user name or a password"),
        ("http:///a.jpg", "names no host"),
        ("http://a b/", "names no host"),
        ("http://example.org:port/", "no URL"),
        ("http://example.org:99999/", "no URL"),
        ("http://[::1/", "no URL"),
    ],
)
def test_what_is_no_url_of_a_web_server_is_refused(url: str, detail: str) -> None:
    reason, told = refused(url)
    assert reason == Reason.REFUSED_ADDRESS
    assert detail in told


def test_line_ends_in_a_url_do_not_reach_the_server(server: WebServer) -> None:
    server.answers["/aX-Evil:%201"] = send(PHOTO)
    # `urlsplit` takes them out (WHATWG's rule), so no header can be added.
    assert get(server.url("/a\r\nX-Evil: 1")) == PHOTO
    assert "X-Evil" not in server.headers["/aX-Evil:%201"]


@pytest.mark.parametrize("status", [204, 206, 400, 401, 403, 404, 410])
def test_an_answer_without_a_photo_is_not_asked_for_again(server: WebServer, status: int) -> None:
    server.answers["/a"] = send(b"", status)
    assert refused(server.url("/a")) == (Reason.NOT_SERVED, f"HTTP {status}")
    assert server.requests["/a"] == 1


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_a_passing_trouble_is_tried_again(server: WebServer, status: int) -> None:
    def recover(handler) -> None:
        tried = server.requests["/a"]
        send(b"busy", status)(handler) if tried < 3 else send(PHOTO)(handler)

    server.answers["/a"] = recover
    assert get(server.url("/a")) == PHOTO
    assert server.requests["/a"] == 3
    server.answers["/b"] = send(b"busy", status)
    assert refused(server.url("/b")) == (Reason.NOT_SERVED, f"HTTP {status}")
    assert server.requests["/b"] == 1 + LIMITS.retries


def test_a_file_begun_by_a_failed_try_is_begun_again(server: WebServer) -> None:
    def recover(handler) -> None:
        cut = {"Content-Length": str(len(PHOTO))}
        whole = server.requests["/a"] == 2
        send(PHOTO if whole else b"other", headers=cut)(handler)

    server.answers["/a"] = recover
    assert get(server.url("/a")) == PHOTO


class NotedWaits(threading.Event):
    """Waits for nothing, and notes for how long it should have."""

    def __init__(self) -> None:
        super().__init__()
        self.seconds: list[float | None] = []

    def wait(self, timeout: float | None = None) -> bool:
        self.seconds.append(timeout)
        return False


@pytest.mark.parametrize(
    ("headers", "waits"),
    [({}, [1, 2, 4]), ({"Retry-After": "7"}, [7, 7, 7]), ({"Retry-After": "86400"}, [9, 9, 9])],
)
def test_waits_double_or_are_what_the_server_asks_within_bounds(
    server: WebServer, headers: dict[str, str], waits: list[float]
) -> None:
    limits = replace(LIMITS, retries=3, backoff_seconds=1, longest_wait_seconds=9)
    server.answers["/a"] = send(b"", 503, headers)
    noted = NotedWaits()
    with pytest.raises(DownloadError):
        fetch(server.url("/a"), io.BytesIO(), replace(LOOPBACK, limits=limits), noted)
    assert noted.seconds == waits


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, None),
        ("12", 12),
        (formatdate(1_000_030, usegmt=True), 30),
        (formatdate(999_000, usegmt=True), 0),
        ("soon", None),
        ("-5", None),
        ("1" * 400, float("inf")),
    ],
)
def test_retry_after_is_a_number_or_a_date(header: str | None, seconds: float | None) -> None:
    assert read_retry_after(header, now=1_000_000) == seconds


def test_a_body_of_the_very_limit_is_taken(server: WebServer) -> None:
    body = bytes(LIMITS.max_bytes)
    server.answers["/a"] = send(body)
    assert get(server.url("/a")) == body


def test_a_length_above_the_limit_is_refused_unread(server: WebServer) -> None:
    server.answers["/a"] = send(b"", headers={"Content-Length": "100001"})
    assert refused(server.url("/a")) == (
        Reason.TOO_MANY_BYTES,
        "100,001 bytes are more than 100,000",
    )


@pytest.mark.parametrize("length", ["", "x", "-1"])
def test_a_body_above_the_limit_is_cut_whatever_length_it_claims(
    server: WebServer, length: str
) -> None:
    def for_ever(handler) -> None:
        send(b"", headers={"Content-Length": length})(handler)
        while True:
            handler.wfile.write(bytes(10_000))

    server.answers["/a"] = for_ever
    assert refused(server.url("/a")) == (Reason.TOO_MANY_BYTES, "more than 100,000")


def test_a_compressed_body_is_not_unpacked(server: WebServer) -> None:
    bomb = gzip.compress(bytes(10_000_000))
    server.answers["/a"] = send(bomb, headers={"Content-Encoding": "gzip"})
    assert refused(server.url("/a")) == (Reason.NOT_SERVED, "sent as 'gzip', unasked")


def test_a_body_shorter_than_claimed_is_unreachable(server: WebServer) -> None:
    server.answers["/a"] = send(b"abc", headers={"Content-Length": "10"})
    assert refused(server.url("/a")) == (Reason.UNREACHABLE, "ended after 3 of 10 bytes")
    assert server.requests["/a"] == 1 + LIMITS.retries


def test_a_broken_chunked_body_is_unreachable(server: WebServer) -> None:
    headers = {"Content-Length": "", "Transfer-Encoding": "chunked"}
    server.answers["/a"] = send(b"5\r\nab", headers=headers)
    assert refused(server.url("/a"))[0] == Reason.UNREACHABLE


def test_a_server_that_does_not_answer_is_given_up(server: WebServer) -> None:
    over = threading.Event()
    server.answers["/a"] = lambda handler: over.wait()
    limits = replace(LIMITS, read_seconds=0.02, retries=1)
    reason, detail = refused(server.url("/a"), replace(LOOPBACK, limits=limits))
    over.set()
    assert (reason, detail) == (Reason.UNREACHABLE, "timed out")
    assert server.requests["/a"] == 2


def test_a_server_that_drips_is_given_up(server: WebServer) -> None:
    over = threading.Event()

    def drip(handler) -> None:
        send(b"", headers={"Content-Length": "1000"})(handler)
        while not over.wait(0.005):
            handler.wfile.write(b"x")

    server.answers["/a"] = drip
    limits = replace(LIMITS, total_seconds=0.05, retries=0)
    reason, detail = refused(server.url("/a"), replace(LOOPBACK, limits=limits))
    over.set()
    assert reason == Reason.UNREACHABLE
    assert detail in ("took too long", "timed out")


def test_a_stop_ends_a_download_that_goes_on(server: WebServer) -> None:
    stop = threading.Event()

    def drip(handler) -> None:
        send(b"", headers={"Content-Length": "90000"})(handler)
        for _ in range(90):
            handler.wfile.write(bytes(1000))
            stop.set()

    server.answers["/a"] = drip
    with pytest.raises(DownloadError):
        fetch(server.url("/a"), io.BytesIO(), LOOPBACK, stop)
    assert server.requests["/a"] == 1


def test_a_closed_port_is_unreachable() -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    reason, detail = refused(f"http://127.0.0.1:{port}/a")
    assert reason == Reason.UNREACHABLE
    assert "Connection refused" in detail


@pytest.mark.parametrize(
    "host",
    [
        *("2606:4700::6810:85e5", "2606:4700::6810:80", "2606:4700::", "::ffff:8.8.8.8"),
        *("2001:db8::1", "2001:4860:4860::8888", "1:2:3:4:5:6:7:8"),
    ],
)
def test_an_ipv6_address_is_told_to_the_server_as_it_is(server: WebServer, host: str) -> None:
    server.answers["/a"] = send(PHOTO)
    here = replace(LOOPBACK, resolve=lambda host, port: [ip_address("127.0.0.1")])
    assert get(server.url("/a", f"[{host}]"), here) == PHOTO
    assert server.headers["/a"]["Host"] == f"[{host}]:{server.port}"


@pytest.mark.parametrize("code", [socket.EAI_NONAME, socket.EAI_AGAIN])
def test_without_a_connection_the_error_says_so(server: WebServer, code: int) -> None:
    def resolve(host: str, port: int):
        raise socket.gaierror(code, "no")

    for url, web, is_connected in (
        ("http://none.example/a", replace(LOOPBACK, resolve=resolve), False),
        (server.url("/none"), LOOPBACK, True),
        ("http://10.0.0.1/a", LOOPBACK, True),
        ("ftp://127.0.0.1/a", LOOPBACK, True),
    ):
        with pytest.raises(DownloadError) as raised:
            get(url, web)
        assert raised.value.is_connected == is_connected


def test_what_is_no_host_name_is_not_asked_for_again() -> None:
    web = Web(replace(LIMITS, retries=1, backoff_seconds=1_000, longest_wait_seconds=1_000))
    reason, detail = refused("http://a..b/c", web)
    assert reason == Reason.UNREACHABLE
    assert "no host name" in detail


def test_an_unknown_name_is_not_asked_for_again() -> None:
    asked = []

    def resolve(host: str, port: int):
        asked.append(host)
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    reason, detail = refused("http://none.example/a", replace(LOOPBACK, resolve=resolve))
    assert reason == Reason.UNREACHABLE
    assert "not known" in detail
    assert asked == ["none.example"]


def test_a_server_without_tls_is_unreachable_over_https(server: WebServer) -> None:
    url = f"https://127.0.0.1:{server.port}/a"
    assert refused(url)[0] == Reason.UNREACHABLE


def test_proxies_of_the_environment_are_not_used(
    server: WebServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    server.answers["/a"] = send(PHOTO)
    assert get(server.url("/a")) == PHOTO


def test_by_default_only_public_addresses_are_allowed() -> None:
    assert Web(LIMITS).is_allowed is is_public


@pytest.mark.parametrize(
    ("name", "value", "valid"),
    [
        ("threads", 0, "above 0"),
        ("total_seconds", float("inf"), "above 0"),
        ("retries", -1, "0 or more"),
    ],
)
def test_limits_out_of_range_are_refused(name: str, value: float, valid: str) -> None:
    with pytest.raises(UserError, match=f"download.{name}={value}: must be {valid}"):
        DownloadLimits(**{name: value})
