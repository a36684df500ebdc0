"""What `seentwice serve` refuses before it listens."""

import socket
from pathlib import Path

import pytest

from seentwice.commands.main import main


def refuse(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    assert main(["serve", *words]) == 2
    told = capsys.readouterr().err
    assert told.count("\n") == 1
    return told


def test_refuses_to_listen_to_others_without_a_key(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    index = ("--index", str(tmp_path))
    told = refuse(capsys, *index, "--host", "0.0.0.0", "--port", "0")
    assert "whoever reaches it could ask and add; give --api-key-file FILE" in told
    keys = tmp_path / "keys"
    keys.write_text("short\n")
    told = refuse(capsys, *index, "--host", "0.0.0.0", "--api-key-file", str(keys))
    assert "keys, line 1: 5 characters; give 16 or more" in told


def test_names_a_port_that_is_taken(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        told = refuse(capsys, "--index", str(tmp_path), "--port", port)
    assert f"127.0.0.1, port {port}" in told
    assert "choose another with --host or --port" in told


def test_names_what_makes_an_index(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    told = refuse(capsys, "--index", str(tmp_path / "none"), "--port", "0")
    assert "seentwice" in told
    assert "index" in told
