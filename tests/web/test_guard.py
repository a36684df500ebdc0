"""Keys, limits and headers of every request."""

import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event

import pytest
from fastapi.testclient import TestClient
from served_homes import Homes, Start

from seentwice.errors import UserError
from seentwice.recommend.recommender import Recommender
from seentwice.web.guard import OPEN
from seentwice.web.keys import check_host, is_loopback, read_keys
from seentwice.web.limits import ServiceLimits

KEYS = ("a" * 16, "ß" * 20)


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    path = tmp_path / "keys.txt"
    path.write_text("\n".join(KEYS) + "\n\n")
    return path


def test_without_a_key_all_that_tells_of_photos_is_refused(
    made_homes: Homes, start: Start, key_file: Path
) -> None:
    client = start(made_homes, keys=read_keys(key_file), is_read_only=True)
    paths = [
        ("POST", "/recommend"),
        ("POST", "/check"),
        ("POST", "/listings"),
        ("GET", "/listings/L00"),
        ("DELETE", "/listings/L00"),
        ("GET", "/photos/" + "0" * 64),
        ("GET", "/photos/" + "0" * 64 + "/thumbnail"),
        ("GET", "/metrics"),
        ("GET", "/nowhere"),
    ]
    for headers in ({}, {"X-API-Key": ""}, {"X-API-Key": "b" * 16}, {"X-API-Key": KEYS[0] + "a"}):
        for method, path in paths:
            answer = client.request(method, path, headers=headers)
            assert (answer.status_code, answer.json()["error"]["code"]) == (401, "unauthorized")
    for key in KEYS:
        answer = client.get("/listings/L00", headers={"X-API-Key": key.encode()})
        assert answer.status_code == 200
    for path in OPEN:
        assert client.get(path).status_code == 200


def test_keys_are_long_and_there(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"keys' *: *No such file|No such file.*give a file"):
        read_keys(tmp_path / "keys")
    (tmp_path / "keys").write_text("\n \n")
    with pytest.raises(UserError, match="holds no key; write one a line"):
        read_keys(tmp_path / "keys")
    (tmp_path / "keys").write_text("a" * 16 + "\nshort\n")
    with pytest.raises(UserError, match="line 2: 5 characters; give 16 or more"):
        read_keys(tmp_path / "keys")


def test_others_may_not_ask_without_a_key(key_file: Path) -> None:
    for host in ("127.0.0.1", "127.1.2.3", "localhost", "::1", "[::1]"):
        assert is_loopback(host)
        check_host(host, None)
    for host in ("0.0.0.0", "::", "", "example.org", "10.0.0.1", "localhost.example.org"):
        with pytest.raises(UserError, match="give --api-key-file FILE, or --host"):
            check_host(host, None)
        check_host(host, read_keys(key_file))


def test_pages_of_other_sites_may_not_ask(client: TestClient) -> None:
    asked = {"id": "L00"}
    for headers, code in (
        ({"Origin": "https://example.org"}, "cross_origin"),
        ({"Origin": "null"}, "cross_origin"),
        ({"Host": "example.org"}, "wrong_host"),
        ({"Host": "example.org", "Origin": "http://example.org"}, "wrong_host"),
        ({"Host": "[", "Origin": "http://127.0.0.1"}, "cross_origin"),
        ({"Host": "["}, "wrong_host"),
    ):
        answer = client.post("/recommend", json=asked, headers=headers)
        assert (answer.status_code, answer.json()["error"]["code"]) == (403, code)
    own = {"Origin": "http://127.0.0.1:8000"}
    assert client.post("/recommend", json=asked, headers=own).status_code == 200


def test_a_body_that_is_too_large_is_refused_before_it_is_read(
    made_homes: Homes, start: Start
) -> None:
    client = start(made_homes, ServiceLimits(body_bytes=1_000), is_read_only=True)

    def pieces():
        for _ in range(20):
            yield b" " * 100

    for content in (b" " * 1_001, pieces()):
        for path in ("/recommend", "/check"):
            answer = client.post(
                path,
                content=content if isinstance(content, bytes) else pieces(),
                headers={"Content-Type": "application/json"}
                if path == "/recommend"
                else {"Content-Type": "multipart/form-data; boundary=x"},
            )
            assert (answer.status_code, answer.json()["error"]["code"]) == (413, "too_large")
    few = start(made_homes, ServiceLimits(field_bytes=100), is_read_only=True)
    answer = few.post("/recommend", json={"id": "L00", "candidates": ["L01"] * 20})
    assert (answer.status_code, answer.json()["error"]["code"]) == (413, "too_large")
    answer = client.post("/recommend", json={"id": "L00"}, headers={"Content-Length": "-1"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "bad_request")


def test_requests_that_wait_are_limited_in_number_and_in_time(
    made_homes: Homes, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    go, began = Event(), Event()
    real = Recommender.recommend

    def hold(self: Recommender, *args, **kwargs):  # type: ignore[no-untyped-def]
        began.set()
        assert go.wait(60)
        return real(self, *args, **kwargs)

    monkeypatch.setattr(Recommender, "recommend", hold)
    client = start(made_homes, ServiceLimits(waiting=1, seconds=2.0), is_read_only=True)
    with ThreadPoolExecutor(1) as pool:
        slow = pool.submit(client.post, "/recommend", json={"id": "L00"})
        assert began.wait(60)
        busy = client.post("/recommend", json={"id": "L00"})
        assert client.get("/health").json() == {"status": "ok"}
        assert "seentwice_requests_under_way 1.0" in client.get("/metrics").text
        late = slow.result()
        go.set()
    for answer, code in ((busy, "busy"), (late, "timeout")):
        assert (answer.status_code, answer.json()["error"]["code"]) == (503, code)
        assert answer.headers["Retry-After"] == "1"
    assert client.post("/recommend", json={"id": "L00"}).status_code == 200


def test_a_failure_within_tells_nothing_of_it(
    made_homes: Homes, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(self: Recommender, *args, **kwargs):  # type: ignore[no-untyped-def]
        raise RuntimeError("a secret")

    monkeypatch.setattr(Recommender, "recommend", fail)
    client = start(made_homes, is_read_only=True)
    answer = client.post("/recommend", json={"id": "L00"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (500, "internal")
    assert "secret" not in answer.text
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_what_is_not_there_is_told_in_the_same_shape(client: TestClient) -> None:
    for method, path, status, code in (
        ("GET", "/nowhere", 404, "not_found"),
        ("GET", "/recommend", 405, "method_not_allowed"),
        ("POST", "/health", 405, "method_not_allowed"),
        ("GET", "/photos/x", 422, "invalid"),
        ("GET", "/../pyproject.toml", 404, "not_found"),
    ):
        answer = client.request(method, path)
        assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)


def test_measures_name_operations_and_not_what_was_asked(client: TestClient) -> None:
    client.get("/listings/L00")
    client.get("/listings/" + "x" * 50)
    client.post("/recommend", json={"id": "L00"})
    client.get("/nowhere")
    told = client.get("/metrics").text
    count = 'seentwice_requests_total{method="GET",path="/listings/{listing_id}",status="%s"} 1.0'
    assert count % 200 in told.replace(":path}", "}")
    assert count % 404 in told.replace(":path}", "}")
    assert 'path="OTHER",status="404"' in told
    assert "xxx" not in told
    assert "nowhere" not in told
    assert re.search(r'request_seconds_bucket\{le="0.1",path="/recommend"\}', told)
    for measure in ("photos 60.0", "listings 20.0", "scans 1.0", "queries 1.0"):
        assert f"seentwice_index_{measure}" in told
