import socket
import threading

import pytest

from seentwice.data.fetching import archive_download as download
from seentwice.data.fetching.archive_download import download_file
from seentwice.errors import UserError

CONTENT = bytes(range(256)) * 10_000


def fetch(url, path):
    steps: list[tuple[int, int]] = []
    download_file(url, path, lambda done, total: steps.append((done, total)))
    return steps


@pytest.mark.parametrize(("announced", "total"), [(True, 3), (False, 0)])
def test_a_file_is_downloaded_with_its_progress(tmp_path, site, announced, total):
    site.serve("/moved.zip", status=302, headers={"Location": "/photos.zip"})
    site.serve("/photos.zip", CONTENT, announced=announced)
    (tmp_path / "photos").write_bytes(b"an old part" * 1_000_000)
    steps = fetch(f"{site.url}/moved.zip", tmp_path / "photos")
    assert (tmp_path / "photos").read_bytes() == CONTENT
    assert steps == [(1, total), (2, total), (3, total)]
    assert site.asked == ["/moved.zip", "/photos.zip"]


def test_a_connection_that_breaks_is_told(tmp_path, site):
    site.serve("/photos.zip", CONTENT, sent_bytes=2_000_000)
    with pytest.raises(UserError, match=r"the download broke off \(.*\); run the command again"):
        fetch(f"{site.url}/photos.zip", tmp_path / "photos")


@pytest.mark.parametrize("status", [401, 403, 404, 429, 500])
def test_an_answer_without_a_file_is_told(tmp_path, site, status):
    site.serve("/photos.zip", b"no", status=status)
    with pytest.raises(UserError, match=rf"/photos\.zip answers {status} .*data\.archive=ZIP"):
        fetch(f"{site.url}/photos.zip", tmp_path / "photos")


def test_a_server_that_is_not_there_is_told(tmp_path):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}/photos.zip"
    with pytest.raises(UserError, match=r"cannot be reached \(.*refused.*\); see to the network"):
        fetch(url, tmp_path / "photos")


def test_a_server_that_stalls_is_told(tmp_path, site, monkeypatch):
    monkeypatch.setattr(download, "TIMEOUT_S", 0.1)
    site.serve("/photos.zip", CONTENT, released=threading.Event())
    with pytest.raises(UserError, match=r"cannot be reached \(timed out\)"):
        fetch(f"{site.url}/photos.zip", tmp_path / "photos")


def test_a_file_without_end_is_cut_off(tmp_path, site, monkeypatch):
    monkeypatch.setattr(download, "MAX_BYTES", 1_500_000)
    site.serve("/photos.zip", CONTENT)
    with pytest.raises(UserError, match="sends more than 1,500,000 bytes"):
        fetch(f"{site.url}/photos.zip", tmp_path / "photos")
    assert (tmp_path / "photos").stat().st_size <= 1_500_000


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://a/b", "photos.zip", ""])
def test_only_the_web_is_read(tmp_path, url):
    with pytest.raises(UserError, match=r"data\.url=.*: give an address that begins with https://"):
        fetch(url, tmp_path / "photos")


@pytest.mark.parametrize("url", ["http://", "https://a b/c", "http://[::1", "http://a:port/"])
def test_an_address_that_is_none_is_told(tmp_path, url):
    with pytest.raises(UserError, match="cannot be reached"):
        fetch(url, tmp_path / "photos")
