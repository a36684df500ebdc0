"""A published file comes whole, over a real server, or not at all."""

import hashlib
from ipaddress import ip_address
from pathlib import Path

import pytest
from web_server import WebServer, send

from seentwice.data.fetching import published_file
from seentwice.data.fetching.published_file import PublishedFile, download_published
from seentwice.data.fetching.web import DownloadLimits, Web
from seentwice.errors import UserError

CONTENT = bytes(range(256)) * 8_000
LIMITS = DownloadLimits(retries=1, backoff_seconds=0, longest_wait_seconds=0)


def published(url: str, content: bytes = CONTENT) -> PublishedFile:
    return PublishedFile(url, hashlib.sha256(content).hexdigest(), len(content))


def get(file: PublishedFile, path: Path) -> tuple[bool, list[tuple[int, int]]]:
    steps: list[tuple[int, int]] = []
    is_new = download_published(file, path, lambda done, total: steps.append((done, total)), LIMITS)
    return is_new, steps


def test_a_file_is_fetched_once_with_its_progress(server: WebServer, tmp_path: Path) -> None:
    server.answers["/a"] = send(CONTENT)
    path = tmp_path / "a.safetensors"
    is_new, steps = get(published(server.url("/a")), path)
    assert is_new
    assert path.read_bytes() == CONTENT
    assert steps[0] == (1, 2)
    assert steps[-1] == (2, 2)
    assert server.headers["/a"]["Accept"] == "application/octet-stream, */*"
    assert get(published(server.url("/a")), path) == (False, [])
    assert server.requests["/a"] == 1


def test_another_file_is_never_replaced(server: WebServer, tmp_path: Path) -> None:
    server.answers["/a"] = send(CONTENT)
    path = tmp_path / "a.safetensors"
    path.write_bytes(b"my own")
    for taken in (path, tmp_path):
        with pytest.raises(UserError, match="holds something else; rename it, or give --to FOLDER"):
            get(published(server.url("/a")), taken)
    assert path.read_bytes() == b"my own"
    assert not server.requests


@pytest.mark.parametrize(
    ("answer", "complaint"),
    [
        (send(CONTENT[::-1]), "not what was published: its sha256 begins with"),
        (send(CONTENT[:-1]), "not what was published: its sha256 begins with"),
        (send(CONTENT + b"x"), "no file came"),
        (send(CONTENT + b"x", headers={"Content-Length": ""}), "no file came"),
        (send(CONTENT[:-1], headers={"Content-Length": str(len(CONTENT))}), "no file came"),
        (send(b"", 404), r"no file came \(.*HTTP 404"),
        (send(b"", 302, {"Location": "http://192.0.2.1/"}), "no file came"),
    ],
)
def test_anything_else_is_not_kept(
    server: WebServer, tmp_path: Path, answer, complaint: str
) -> None:
    server.answers["/a"] = answer
    with pytest.raises(UserError, match=complaint) as error:
        get(published(server.url("/a")), tmp_path / "a.safetensors")
    assert str(error.value).startswith(server.url("/a"))
    assert "\n" not in str(error.value)
    assert not list(tmp_path.iterdir())


def test_a_try_that_broke_off_begins_again(server: WebServer, tmp_path: Path) -> None:
    def answer(handler) -> None:
        part = CONTENT if server.requests["/a"] > 1 else CONTENT[:1000]
        send(part, headers={"Content-Length": str(len(CONTENT))})(handler)

    server.answers["/a"] = answer
    get(published(server.url("/a")), tmp_path / "a")
    assert (tmp_path / "a").read_bytes() == CONTENT


def test_a_stopped_download_leaves_nothing(server: WebServer, tmp_path: Path) -> None:
    def stop(done: int, total: int) -> None:
        raise KeyboardInterrupt

    server.answers["/a"] = send(CONTENT)
    with pytest.raises(KeyboardInterrupt):
        download_published(published(server.url("/a")), tmp_path / "a", stop, LIMITS)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "url",
    [
        "http://example.org/a",
        "ftp://127.0.0.1/a",
        "file:///etc/passwd",
        "http://127.0.0.1.example.org/a",
        "http://[::1",
    ],
)
def test_only_https_and_this_machine_are_asked(url: str, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(published_file, "fetch", None)
    with pytest.raises(UserError, match=r"only https is fetched|no URL"):
        get(published(url), tmp_path / "a")
    assert not list(tmp_path.iterdir())


def test_a_name_of_the_internet_leads_to_no_private_address(tmp_path: Path, monkeypatch) -> None:
    seen: list[Web] = []

    def fetch(url, file, web, stop) -> None:
        seen.append(web)
        file.write(CONTENT)

    monkeypatch.setattr(published_file, "fetch", fetch)
    get(published("https://example.org/a"), tmp_path / "a")
    get(published("http://localhost:1/a"), tmp_path / "b")
    outside, here = seen
    assert not outside.is_allowed(ip_address("127.0.0.1"))
    assert here.is_allowed(ip_address("127.0.0.1"))
    assert not here.is_allowed(ip_address("10.0.0.1"))
    assert outside.limits.max_bytes == len(CONTENT)
