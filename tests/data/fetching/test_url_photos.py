import hashlib
import socket
import threading
from dataclasses import replace
from ipaddress import ip_address
from pathlib import Path

import pytest
from web_server import WebServer, send

from seentwice.data.fetching.addresses import Address
from seentwice.data.fetching.url_photos import (
    FAILURES_FILE,
    GIVEN_UP_AFTER,
    Failure,
    describe_missing,
    fetch_photos,
    forget_failures,
    path_of_url,
    read_failures,
)
from seentwice.data.fetching.web import DownloadLimits, Web
from seentwice.data.source import tell_nobody
from seentwice.errors import UserError
from seentwice.records import Reason

PHOTO = b"\xff\xd8\xff\xe0 a photo"
LIMITS = DownloadLimits(retries=0, max_bytes=1000, threads=8, threads_per_host=2)
LOOPBACK = Web(LIMITS, is_allowed=lambda address: address.is_loopback)


def test_each_url_is_fetched_once(server: WebServer, tmp_path: Path) -> None:
    folder = tmp_path / "prepared" / "downloads"
    urls = [server.url(f"/{number}") for number in range(5)]
    for number in range(5):
        server.answers[f"/{number}"] = send(PHOTO + b"%d" % number)
    told = []
    fetch_photos([*urls, *urls], folder, LOOPBACK, lambda *progress: told.append(progress))
    assert [path_of_url(folder, url).read_bytes() for url in urls] == [
        PHOTO + b"%d" % number for number in range(5)
    ]
    assert told == [(done, 5) for done in range(1, 6)]
    assert path_of_url(folder, urls[0]).name == hashlib.sha256(urls[0].encode()).hexdigest()
    fetch_photos(urls, folder, LOOPBACK, tell_nobody)
    assert set(server.requests.values()) == {1}


def test_what_cannot_be_fetched_is_told_and_tried_again_when_forgotten(
    server: WebServer, tmp_path: Path
) -> None:
    missing, large, private = server.url("/missing"), server.url("/large"), "http://10.0.0.1/a"
    server.answers["/large"] = send(bytes(1001))
    fetch_photos([missing, large, private], tmp_path, LOOPBACK, tell_nobody)
    assert {path.name for path in tmp_path.iterdir()} == {FAILURES_FILE}
    failures = read_failures(tmp_path)
    told = {url: describe_missing(tmp_path, url, failures) for url in (missing, large, private)}
    assert {url: problem.reason for url, problem in told.items()} == {
        missing: Reason.NOT_SERVED,
        large: Reason.TOO_MANY_BYTES,
        private: Reason.REFUSED_ADDRESS,
    }
    assert told[missing].path == path_of_url(tmp_path, missing)
    assert (told[missing].name, told[missing].detail) == (missing, "HTTP 404")
    server.answers["/missing"] = send(PHOTO)
    fetch_photos([missing, large], tmp_path, LOOPBACK, tell_nobody)
    assert server.requests == {"/missing": 1, "/large": 1}
    forget_failures([missing], tmp_path)
    fetch_photos([missing, large], tmp_path, LOOPBACK, tell_nobody)
    assert server.requests == {"/missing": 2, "/large": 1}
    failures = read_failures(tmp_path)
    assert set(failures) == {large, private}
    assert describe_missing(tmp_path, missing, failures) is None


def test_what_a_stopped_run_has_learnt_is_kept(server: WebServer, tmp_path: Path) -> None:
    def press(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fetch_photos([server.url("/missing")], tmp_path, LOOPBACK, press)
    assert read_failures(tmp_path)[server.url("/missing")].detail == "HTTP 404"


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        (b"", "HTTP 200, but 0 bytes"),
        (b"<!DOCTYPE html><p>gone</p>", "HTTP 200, but begins like no photo"),
        (b"\xff\xd8", "HTTP 200, but begins like no photo"),
    ],
)
def test_what_is_no_photo_is_not_kept(
    server: WebServer, tmp_path: Path, body: bytes, detail: str
) -> None:
    server.answers["/0"] = send(body)
    url = server.url("/0")
    fetch_photos([url], tmp_path, LOOPBACK, tell_nobody)
    assert [path.name for path in tmp_path.iterdir()] == [FAILURES_FILE]
    assert read_failures(tmp_path)[url] == Failure(Reason.NOT_SERVED, detail)


def test_a_host_that_gives_no_connection_is_given_up(server: WebServer, tmp_path: Path) -> None:
    server.answers["/0"] = send(PHOTO)
    asked = []

    def resolve(host: str, port: int) -> list[Address]:
        asked.append((host, port))
        if host == "dead.example" and port == server.port:
            raise socket.gaierror(socket.EAI_NONAME, "not known")
        return [ip_address("127.0.0.1")]

    dead = [server.url(f"/{number}", "dead.example") for number in range(50)]
    broken = [server.url(f"/missing{number}") for number in range(GIVEN_UP_AFTER)]
    other_port = f"http://dead.example:{server.port + 1}/"
    web = replace(LOOPBACK, resolve=resolve, limits=replace(LIMITS, threads_per_host=1))
    told = []
    urls = [*dead, *broken, server.url("/0"), other_port]
    fetch_photos(urls, tmp_path, web, lambda *progress: told.append(progress))
    assert told == [(done, len(urls)) for done in range(1, len(urls) + 1)]
    assert asked.count(("dead.example", server.port)) == GIVEN_UP_AFTER
    assert asked.count(("dead.example", server.port + 1)) == 1
    failures = read_failures(tmp_path)
    assert failures.keys() == {*dead, *broken, other_port}
    assert {failures[url].reason for url in dead} == {Reason.UNREACHABLE}
    assert failures[dead[0]].detail.endswith("not known")
    assert failures[dead[-1]].detail == "not tried: 3 others gave no connection to its host"


def test_what_was_never_fetched_is_missing(tmp_path: Path) -> None:
    problem = describe_missing(tmp_path, "http://example.org/a", read_failures(tmp_path))
    assert (problem.reason, problem.detail) == (Reason.MISSING, "not fetched yet")
    assert problem.name == "http://example.org/a"


@pytest.mark.parametrize("content", ["", "[]", '{"http://a": {"reason": "tired", "detail": ""}}'])
def test_a_damaged_list_of_failures_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / FAILURES_FILE).write_text(content)
    with pytest.raises(UserError, match=r"failures\.json: is damaged; delete it"):
        read_failures(tmp_path)


@pytest.mark.parametrize("per_host", [1, 2, 5])
def test_at_one_host_few_downloads_run_at_once(
    server: WebServer, tmp_path: Path, per_host: int
) -> None:
    full, lock = threading.Barrier(per_host), threading.Lock()
    at_once: set[str] = set()
    seen = []

    def answer(handler) -> None:
        with lock:
            at_once.add(handler.path)
            seen.append(len(at_once))
        full.wait()
        with lock:  # before the answer, which lets the next request come
            at_once.remove(handler.path)
        send(PHOTO)(handler)

    urls = []
    for number in range(4 * per_host):
        server.answers[f"/{number}"] = answer
        urls.append(server.url(f"/{number}"))
    web = replace(LOOPBACK, limits=replace(LIMITS, threads_per_host=per_host))
    fetch_photos(urls, tmp_path, web, tell_nobody)
    assert max(seen) == per_host
    assert len(list(tmp_path.iterdir())) == 4 * per_host + 1


def test_other_hosts_do_not_wait_for_a_slow_one(server: WebServer, tmp_path: Path) -> None:
    others_done = threading.Event()
    urls = [server.url(f"/slow{number}") for number in range(20)]
    urls += [server.url(f"/quick{number}", "localhost") for number in range(4)]
    for number in range(20):
        server.answers[f"/slow{number}"] = lambda handler: (
            others_done.wait(),
            send(PHOTO)(handler),
        )

    def answer(handler) -> None:
        send(PHOTO)(handler)
        if sum(count for path, count in server.requests.items() if "quick" in path) == 4:
            others_done.set()

    for number in range(4):
        server.answers[f"/quick{number}"] = answer
    fetch_photos(urls, tmp_path, LOOPBACK, tell_nobody)
    assert read_failures(tmp_path) == {}
    assert server.requests.total() == 24


def test_ctrl_c_ends_the_downloads_and_keeps_what_is_whole(
    server: WebServer, tmp_path: Path
) -> None:
    server.answers["/0"] = send(PHOTO)
    stopped = threading.Event()

    def drip(handler) -> None:
        send(b"", headers={"Content-Length": "900"})(handler)
        while not stopped.wait(0.005):
            handler.wfile.write(b"x")

    server.answers["/1"] = drip

    def press(done: int, total: int) -> None:
        raise KeyboardInterrupt

    urls = [server.url("/0"), server.url("/1")]
    with pytest.raises(KeyboardInterrupt):
        fetch_photos(urls, tmp_path, LOOPBACK, press)
    stopped.set()
    assert read_failures(tmp_path) == {}
    assert {path.name for path in tmp_path.iterdir()} == {
        FAILURES_FILE,
        path_of_url(tmp_path, urls[0]).name,
    }


def test_a_folder_that_cannot_be_written_ends_the_run(server: WebServer, tmp_path: Path) -> None:
    server.answers["/0"] = send(PHOTO)
    path_of_url(tmp_path, server.url("/0")).mkdir()
    with pytest.raises(OSError, match="directory"):
        fetch_photos([server.url("/0")], tmp_path, LOOPBACK, tell_nobody)
