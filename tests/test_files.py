import os
from pathlib import Path

import pytest

from seentwice.files import open_atomically, write_atomically


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
    with pytest.raises(OSError, match="directory"):
        write_atomically(folder, "text")
    assert list(tmp_path.iterdir()) == [folder]


def test_a_missing_folder_is_an_error_and_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        write_atomically(tmp_path / "gone" / "results.json", "text")
    assert list(tmp_path.iterdir()) == []


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
