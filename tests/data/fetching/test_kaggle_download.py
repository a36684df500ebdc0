import json
import socket
import sys
import threading
from pathlib import Path

import pytest

from seentwice.data.fetching import kaggle_download
from seentwice.data.fetching.kaggle_download import download_dataset
from seentwice.errors import UserError

SLUG = "owner/flats"
ASKED = "/v1/datasets.DatasetApiService/DownloadDataset"
INTROSPECTED = "/v1/security.OAuthService/IntrospectToken"
ANOTHER_WAY = (
    r"or download the zip from https://www\.kaggle\.com/datasets/owner/flats and give data"
)


def fetch(path: Path) -> list[tuple[int, int]]:
    steps: list[tuple[int, int]] = []
    download_dataset(SLUG, path, lambda done, total: steps.append((done, total)))
    return steps


def expect(path: Path, complaint: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(UserError, match=complaint) as raised:
        fetch(path)
    assert "\n" not in str(raised.value)
    assert capsys.readouterr() == ("", "")


def test_a_data_set_is_downloaded_with_the_key(tmp_path, kaggle_site):
    content = bytes(2_500_000)
    kaggle_site.serve(ASKED, status=302, headers={"Location": "/storage/flats.zip?signed"})
    kaggle_site.serve("/storage/flats.zip?signed", content)
    assert fetch(tmp_path / "zip") == [(1, 3), (2, 3), (3, 3)]
    assert (tmp_path / "zip").read_bytes() == content
    assert kaggle_site.asked == [ASKED, "/storage/flats.zip?signed"]
    assert kaggle_site.authorizations[0] == "Basic bWU6c2VjcmV0"  # me:secret


def test_a_key_file_is_used(tmp_path, kaggle_site, key_file, monkeypatch):
    monkeypatch.delenv("KAGGLE_USERNAME")
    monkeypatch.delenv("KAGGLE_KEY")
    key_file.write_text(json.dumps({"username": "me", "key": "secret"}))
    key_file.chmod(0o600)
    kaggle_site.serve(ASKED, b"zip")
    fetch(tmp_path / "zip")
    assert kaggle_site.authorizations == ["Basic bWU6c2VjcmV0"]


def test_a_token_is_used(tmp_path, kaggle_site, monkeypatch):
    monkeypatch.setenv("KAGGLE_API_TOKEN", "KGAT_1")
    answer = json.dumps({"active": True, "username": "me"}).encode()
    kaggle_site.serve(INTROSPECTED, answer, headers={"Content-Type": "application/json"})
    kaggle_site.serve(ASKED, b"zip")
    fetch(tmp_path / "zip")
    assert kaggle_site.asked[-1] == ASKED
    assert kaggle_site.authorizations[-1] == "Bearer KGAT_1"


def test_no_token_is_told(tmp_path, kaggle_site, monkeypatch, capsys):
    monkeypatch.delenv("KAGGLE_KEY")
    complaint = r"no Kaggle token \(none found\): make one at https.*access_token, " + ANOTHER_WAY
    expect(tmp_path / "zip", complaint, capsys)
    assert kaggle_site.asked == []


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"7", b"\xff", b'{"username": "me"}'])
def test_a_key_file_without_a_key_is_told(
    tmp_path, kaggle_site, key_file, monkeypatch, capsys, content
):
    monkeypatch.delenv("KAGGLE_USERNAME")
    monkeypatch.delenv("KAGGLE_KEY")
    key_file.write_bytes(content)
    expect(tmp_path / "zip", r"no Kaggle token \(.*kaggle\.json gives none that is valid\)", capsys)


def test_a_token_that_kaggle_does_not_know_is_told(tmp_path, kaggle_site, monkeypatch, capsys):
    monkeypatch.delenv("KAGGLE_KEY")
    monkeypatch.setenv("KAGGLE_API_TOKEN", "KGAT_1")
    kaggle_site.serve(INTROSPECTED, status=403)
    message = (
        r"^the Kaggle token of KAGGLE_API_TOKEN is not valid or has expired: make a new one at "
        r"https.* and put it there, "
    )
    expect(tmp_path / "zip", message + ANOTHER_WAY, capsys)


@pytest.mark.parametrize("name", ["access_token", "access_token.txt", "elsewhere"])
def test_a_file_with_a_token_that_has_expired_is_named(
    tmp_path, kaggle_site, key_file, monkeypatch, capsys, name
):
    monkeypatch.delenv("KAGGLE_KEY")
    token_file = key_file.with_name(name)
    token_file.write_text("KGAT_1\n")
    if name == "elsewhere":
        monkeypatch.setenv("KAGGLE_API_TOKEN", str(token_file))
    answer = json.dumps({"active": False}).encode()
    kaggle_site.serve(INTROSPECTED, answer, headers={"Content-Type": "application/json"})
    message = rf"^the Kaggle token of .*/{name} is not valid or has expired: make a new one"
    expect(tmp_path / "zip", message, capsys)


def test_a_token_that_others_can_read_is_refused(tmp_path, kaggle_site, key_file, capsys):
    token_file = key_file.with_name("access_token")
    token_file.write_text("KGAT_1")
    token_file.chmod(0o644)
    answer = json.dumps({"active": True, "username": "me"}).encode()
    kaggle_site.serve(INTROSPECTED, answer, headers={"Content-Type": "application/json"})
    expect(tmp_path / "zip", r"others can read your Kaggle key; chmod 600 .*access_token$", capsys)
    token_file.chmod(0o600)
    kaggle_site.serve(ASKED, b"zip")
    fetch(tmp_path / "zip")


def test_a_key_that_others_can_read_is_refused(
    tmp_path, kaggle_site, key_file, monkeypatch, capsys
):
    key_file.write_text(json.dumps({"username": "me", "key": "secret"}))
    key_file.chmod(0o644)
    kaggle_site.serve(ASKED, b"zip")
    fetch(tmp_path / "zip")  # its key is not used: the variables come first
    capsys.readouterr()
    monkeypatch.delenv("KAGGLE_KEY")
    monkeypatch.delenv("KAGGLE_USERNAME")
    expect(tmp_path / "zip", r"others can read your Kaggle key; chmod 600 .*kaggle\.json$", capsys)


@pytest.mark.parametrize(
    ("status", "remedy"),
    [
        (401, r"\(401\) refuses the token: make a new one at https://www\.kaggle\.com/settings"),
        (403, r"\(403\) refuses the download: sign in, accept the terms on https.*owner/flats"),
        (404, r"\(404\) knows no data set https.*owner/flats"),
        (429, r"\(429\) was asked too often: wait"),
        (500, r"\(500\) fails \(.*\): run the command again later"),
    ],
)
def test_a_refusal_is_told(tmp_path, kaggle_site, capsys, status, remedy):
    answer = json.dumps({"code": status, "message": "a long\ntext"}).encode()
    kaggle_site.serve(ASKED, answer, status, {"Content-Type": "application/json"})
    expect(tmp_path / "zip", f"Kaggle {remedy}.*, {ANOTHER_WAY}", capsys)


def test_no_network_is_told(tmp_path, kaggle_site, move_kaggle, capsys):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        move_kaggle(f"http://127.0.0.1:{unused.getsockname()[1]}")
    expect(tmp_path / "zip", r"Kaggle cannot be reached \(.*\); see to the network .*", capsys)


def test_no_network_is_told_with_a_token(tmp_path, kaggle_site, move_kaggle, monkeypatch, capsys):
    monkeypatch.setenv("KAGGLE_API_TOKEN", "KGAT_1")
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        move_kaggle(f"http://127.0.0.1:{unused.getsockname()[1]}")
    expect(tmp_path / "zip", r"Kaggle cannot be reached \(.*\); see to the network .*", capsys)


def test_a_kaggle_that_stalls_is_told(tmp_path, kaggle_site, monkeypatch, capsys):
    monkeypatch.setattr(kaggle_download, "TIMEOUT_S", 0.1)
    kaggle_site.serve(ASKED, b"zip", released=threading.Event())
    expect(tmp_path / "zip", r"Kaggle cannot be reached \(.*[Rr]ead timed out.*\)", capsys)


def test_a_download_that_breaks_off_is_told(tmp_path, kaggle_site, capsys):
    kaggle_site.serve(ASKED, bytes(2_500_000), sent_bytes=1_000_000)
    expect(tmp_path / "zip", r"the download broke off \(.*\); run the command again", capsys)


def test_a_missing_package_is_told(tmp_path, monkeypatch, capsys):
    for module in [name for name in sys.modules if name.partition(".")[0] == "kaggle"]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.setitem(sys.modules, "kaggle", None)
    expect(
        tmp_path / "zip", r"needs the package kaggle .*pip install 'seentwice\[kaggle\]'", capsys
    )
