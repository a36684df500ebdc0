"""A service while its index is replaced, while it stops, and when it is killed."""

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from threading import Event
from urllib.parse import urlsplit

import pytest
from adding_process import paint
from served_homes import Homes, SharedSource, Start, index_homes, serve_in_thread, write_table

from seentwice.web.limits import ServiceLimits
from seentwice.web.server import open_service

ADDING = Path(__file__).with_name("adding_process.py")
ASK = json.dumps({"id": "L00"}).encode()
TYPE = {"Content-Type": "application/json"}


def ask(address: str, method: str, path: str, body: bytes | None = None) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection(urlsplit(address).netloc, timeout=60)
    try:
        connection.request(method, path, body, TYPE if body else {})
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def test_a_newer_index_is_opened_under_load_and_no_request_is_dropped(homes: Homes) -> None:
    kept = homes.list_photos()[0]
    service = open_service(SharedSource(homes.index, 10**8, 1), ServiceLimits(), None, True)
    ended = Event()

    def hammer(address: str) -> list[int]:
        connection = http.client.HTTPConnection(urlsplit(address).netloc, timeout=60)
        statuses = []
        while not ended.is_set():
            connection.request("POST", "/recommend", ASK, TYPE)
            answer = connection.getresponse()
            answer.read()
            statuses.append(answer.status)
        connection.close()
        return statuses

    with serve_in_thread(service) as address, ThreadPoolExecutor(4) as pool:
        hammering = [pool.submit(hammer, address) for _ in range(4)]
        try:
            for _ in range(5):
                assert service.live.reload()
            (homes.photos / "copy.jpg").write_bytes(kept.read_bytes() + b"\0")
            write_table(homes)
            index_homes(homes)
            until = time.monotonic() + 60
            while ask(address, "GET", "/listings/L04")[0] != 200:
                assert time.monotonic() < until
        finally:
            ended.set()
        statuses = [status for one in hammering for status in one.result()]
        told = ask(address, "GET", "/metrics")[1].decode()
    assert set(statuses) == {200}
    assert 'seentwice_index_reloads_total{result="done"} 6.0' in told


def test_an_index_that_cannot_be_opened_leaves_the_old_one(homes: Homes, start: Start) -> None:
    client = start(homes, is_read_only=True)
    (homes.index / "recommend" / "rows" / "near.json").write_text("{")
    until = time.monotonic() + 60
    while 'reloads_total{result="failed"} 1.0' not in client.get("/metrics").text:
        assert time.monotonic() < until
    assert client.post("/recommend", content=ASK, headers=TYPE).status_code == 200


@contextmanager
def run_command(homes: Homes) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """The real command in a process of its own, and where it answers."""
    command = [sys.executable, "-c", "from seentwice.commands.main import main; exit(main())"]
    command += ["serve", "--index", str(homes.index), "--port", "0"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    try:
        assert process.stdout is not None
        line = process.stdout.readline().decode()
        if "http://" not in line:
            _, told = process.communicate(timeout=60)
            raise AssertionError(line + told.decode())
        yield process, line.split()[-1].rstrip("/")
    finally:
        process.kill()
        process.communicate()


def test_stops_when_told_once_what_is_under_way_is_answered(homes: Homes) -> None:
    with run_command(homes) as (process, address):
        assert ask(address, "POST", "/recommend", ASK)[0] == 200
        process.send_signal(signal.SIGHUP)
        until = time.monotonic() + 60
        while b'reloads_total{result="done"} 1.0' not in ask(address, "GET", "/metrics")[1]:
            assert time.monotonic() < until
        host, port = urlsplit(address).netloc.split(":")
        with socket.create_connection((host, int(port)), 60) as under_way:
            head = f"POST /recommend HTTP/1.1\r\nHost: {host}\r\nContent-Length: {len(ASK)}\r\n"
            under_way.sendall(f"{head}Content-Type: application/json\r\n\r\n".encode() + ASK[:5])
            while b"requests_under_way 1.0" not in ask(address, "GET", "/metrics")[1]:
                assert time.monotonic() < until
            process.send_signal(signal.SIGTERM)
            while is_listening(host, int(port)):
                assert time.monotonic() < until
            under_way.sendall(ASK[5:])
            answer = b""
            while piece := under_way.recv(1 << 16):
                answer += piece
        assert answer.startswith(b"HTTP/1.1 200")
        assert process.wait(60) == 0


def is_listening(host: str, port: int) -> bool:
    try:
        socket.create_connection((host, port), 1).close()
    except OSError:
        return False
    return True


@pytest.mark.parametrize("step", ["file", "row", "embedding", "listing", "answer"])
def test_killed_while_a_listing_is_added_nothing_that_was_answered_is_lost(
    homes: Homes, start: Start, step: str
) -> None:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(
        [sys.executable, str(ADDING), str(homes.index), step],
        capture_output=True,
        env=environment,
        check=False,
    )
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()
    assert (done.stdout == b"added\n") == (step == "answer")
    client = start(homes)
    assert client.post("/recommend", content=ASK, headers=TYPE).status_code == 200
    is_there = step in ("listing", "answer")
    found = client.get("/listings/K1")
    assert found.status_code == (200 if is_there else 404)
    again = client.post(
        "/listings",
        files=[("photos", paint(1)), ("photos", paint(2))],
        data={"id": "K1", "fields": '{"city": "Rome"}'},
    )
    assert again.status_code == (200 if is_there else 201)
    assert len(client.get("/listings/K1").json()["photos"]) == 2
