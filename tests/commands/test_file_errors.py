"""A file that cannot be read or written is named, with what the user can do about that file."""

import errno
import os
from pathlib import Path

import pytest

from seentwice.commands import file_errors
from seentwice.commands.file_errors import describe_file_error
from seentwice.commands.main import main

ELSEWHERE = "or give one for the results, hydra.run.dir=FOLDER"


@pytest.mark.parametrize(
    ("code", "name", "remedy"),
    [
        (errno.EACCES, "run/x.csv", ELSEWHERE),
        (errno.ENOTDIR, "run/x.csv", ELSEWHERE),
        (errno.EACCES, "run/locked", "let your account read it"),
        (errno.EACCES, "locked", "let your account read it"),
        (errno.EACCES, "new.csv", "let your account write it"),
        (errno.EEXIST, "afile", "rename it, or name another folder"),
        (errno.ENOENT, "gone.csv", "or a folder above it is missing"),
        (errno.ENOSPC, "x.csv", "free some, or work in another folder"),
    ],
)
def test_the_remedy_is_for_that_file(
    code: int, name: str, remedy: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("run").mkdir()
    for locked in ("locked", "run/locked"):
        Path(locked).touch()
    # Of no effect to root, as which tests may run.
    monkeypatch.setattr(
        file_errors.os, "access", lambda path, mode: not (mode == os.R_OK and path.name == "locked")
    )
    line = describe_file_error(OSError(code, os.strerror(code), name), Path("run"))
    assert line.startswith(f"{name}: {os.strerror(code)}; ")
    assert line.endswith(remedy)


@pytest.mark.parametrize("key", ["data.rejects", "data.json"])
def test_a_setting_that_names_a_folder_which_is_a_file_is_named(
    key: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("afile").touch()
    Path("photo.jpg").touch()
    Path("products.csv").write_text(
        "id,photos,category,productFamily,seller\n1,photo.jpg,,,\n,photo.jpg,,,\n"
    )
    words = ["data=catalogue", "data.file=products.csv", f"{key}=afile/x.json", "workers=1"]
    assert main(["prepare", *words]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line == "seentwice prepare: " + (
        f"{key}=afile/x.json: its folder cannot be made (File exists); name a file elsewhere"
    )
