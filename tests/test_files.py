import os
from pathlib import Path

import pytest

from seentwice.errors import UserError
from seentwice.files import UnwritableError, open_atomically, write_atomically


def test_bytes_and_text_are_written_as_they_are(tmp_path: Path) -> None:
    write_atomically(tmp_path / "a", b"\x00\r\n\xff")
    write_atomically(tmp_path / "b", "Küche\r\n1\n")
    assert (tmp_path / "a").read_bytes() == b"\x00\r\n\xff"
    assert (tmp_path / "b").read_bytes() == b"K\xc3\xbcche\r\n1\n"


def test_what_was_there_is_replaced_and_nothing_else_is_left(tmp_path: Path) -> None:
    path = tmp_path / "results.json"
    write_atomically(path, "a long first version")
    write_atomically(path, "second")
    assert path.read_text() == "second"
    assert list(tmp_path.iterdir()) == [path]


def test_the_old_content_stays_until_the_block_ends(tmp_path: Path) -> None:
    path = tmp_path / "results.json"
    path.write_text("old")
    with open_atomically(path) as file:
        file.write(b"new")
        file.flush()
        assert path.read_text() == "old"
    assert path.read_text() == "new"


def write_half(path: Path, error: type[BaseException]) -> None:
    with open_atomically(path) as file:
        file.write(b"half")
        raise error


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit])
@pytest.mark.parametrize("old", ["old", None])
def test_a_block_that_raises_changes_nothing(
    tmp_path: Path, error: type[BaseException], old: str | None
) -> None:
    path = tmp_path / "results.json"
    if old is not None:
        path.write_text(old)
    before = [(file.name, file.read_text()) for file in tmp_path.iterdir()]
    with pytest.raises(error):
        write_half(path, error)
    assert [(file.name, file.read_text()) for file in tmp_path.iterdir()] == before


def test_a_rename_that_fails_leaves_nothing_behind(tmp_path: Path) -> None:
    folder = tmp_path / "results.json"
    folder.mkdir()
    with pytest.raises(UnwritableError, match="a folder has its name: rename that one"):
        write_atomically(folder, "text")
    assert list(tmp_path.iterdir()) == [folder]


def test_a_missing_folder_is_an_error_and_is_not_made(tmp_path: Path) -> None:
    told = r"'results\.json' cannot be written in .*/gone \(No such file or directory\); make that"
    with pytest.raises(UserError, match=told):
        write_atomically(tmp_path / "gone" / "results.json", "text")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_may_not_be_written_is_named_with_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: Path, mode: str) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(UnwritableError) as caught:
        write_atomically(tmp_path / "results.json", "text")
    assert str(caught.value) == (
        f"'results.json' cannot be written in {tmp_path} (Permission denied); let your account "
        "write there, or choose another"
    )
    assert isinstance(caught.value, OSError)  # as callers that go on without the file expect


@pytest.mark.parametrize("inside", [True, False])
def test_a_full_disk_is_told_wherever_it_is_met(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, inside: bool
) -> None:
    def fill(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    def write() -> None:
        with open_atomically(tmp_path / "a"):
            if inside:
                fill(0)

    monkeypatch.setattr(os, "fsync", fill)
    with pytest.raises(UnwritableError, match=r"'a' .* \(No space left on device\); make room"):
        write()
    assert list(tmp_path.iterdir()) == []


def test_what_else_a_block_meets_is_its_own(tmp_path: Path) -> None:
    def write() -> None:
        with open_atomically(tmp_path / "a"):
            (tmp_path / "gone").read_bytes()

    with pytest.raises(FileNotFoundError):
        write()


@pytest.mark.parametrize(("umask", "mode"), [(0o022, 0o644), (0o077, 0o600), (0o002, 0o664)])
def test_permissions_follow_the_umask(tmp_path: Path, umask: int, mode: int) -> None:
    before = os.umask(umask)
    try:
        write_atomically(tmp_path / "a", "text")
    finally:
        os.umask(before)
    assert (tmp_path / "a").stat().st_mode & 0o777 == mode


def test_bytes_of_a_file_name_that_are_not_utf_8_are_written_as_they_were(tmp_path: Path) -> None:
    write_atomically(tmp_path / "a", os.fsdecode(b"caf\xe9.jpg"))
    assert (tmp_path / "a").read_bytes() == b"caf\xe9.jpg"


def test_text_that_is_no_unicode_touches_no_file(tmp_path: Path) -> None:
    with pytest.raises(UnicodeEncodeError):
        write_atomically(tmp_path / "a", "\ud800")
    assert list(tmp_path.iterdir()) == []
