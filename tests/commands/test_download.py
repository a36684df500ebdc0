import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest
from untrained_net import save_untrained
from untrained_tagger import save_untrained_tagger

from seentwice.commands import download
from seentwice.commands.main import main
from seentwice.data.fetching import published_file
from seentwice.data.fetching.published_file import PublishedFile

CONTENT = b"a checkpoint"
SHA = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Path]:
    """Publish rows, and work in an empty folder."""
    folder = tmp_path / "checkpoints"
    folder.mkdir()
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    monkeypatch.setattr(download, "find_table", lambda: folder / "README.md")

    def write(rows: str) -> Path:
        (folder / "README.md").write_text(
            f"| name | file or URL | sha256 | bytes |\n| --- | --- | --- | ---: |\n{rows}"
        )
        return folder

    return write


def test_an_empty_table_is_no_error(table, capsys: pytest.CaptureFixture[str]) -> None:
    table("")
    assert main(["download"]) == 0
    assert "No checkpoint is published yet" in capsys.readouterr().out
    assert main(["download", "rooms"]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.endswith("no published checkpoint 'rooms': none is published yet")


def test_all_are_listed_and_an_unknown_one_is_answered_by_them(table, capsys) -> None:
    table(f"| rooms | l2.safetensors | {SHA} | 12 |\n| homes | https://e.org/a | {SHA} | 3,000 |\n")
    assert main(["download"]) == 0
    assert capsys.readouterr().out == (
        "rooms: 12 bytes, in the repository, checkpoints/l2.safetensors\n"
        "homes: 3.0 kB, https://e.org/a\n"
    )
    assert main(["download", "room"]) == 2
    assert "'room': choose one of rooms, homes" in capsys.readouterr().err


def test_a_file_of_the_repository_is_found_and_checked(table, capsys) -> None:
    folder = table(f"| rooms | l2.safetensors | {SHA} | 12 |\n")
    assert main(["download", "rooms"]) == 2
    assert "is checkpoints/l2.safetensors of the repository, which" in capsys.readouterr().err
    (folder / "l2.safetensors").write_bytes(CONTENT)
    assert main(["download", "rooms"]) == 0
    said = capsys.readouterr().out
    assert f"rooms: in the repository, {folder / 'l2.safetensors'}; its sha256 is right" in said
    assert f"Next: seentwice evaluate checkpoint={folder / 'l2.safetensors'}" in said
    (folder / "l2.safetensors").write_bytes(CONTENT[::-1])
    assert main(["download", "rooms"]) == 2
    assert "is not the file of the table" in capsys.readouterr().err


def test_a_file_of_the_repository_is_copied_where_it_is_asked_for(table, capsys) -> None:
    folder = table(f"| rooms | l2.safetensors | {SHA} | 12 |\n")
    (folder / "l2.safetensors").write_bytes(CONTENT)
    for done in ("copied", "there already"):
        assert main(["download", "rooms", "--to", "own"]) == 0
        said = capsys.readouterr().out
        assert f"own/rooms.safetensors: {done}, 12 bytes; its sha256 is right" in said
        assert "Next: seentwice evaluate checkpoint=own/rooms.safetensors" in said
    copy = Path("own/rooms.safetensors")
    assert copy.read_bytes() == CONTENT
    copy.write_bytes(b"mine")
    assert main(["download", "rooms", "--to", "own"]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.endswith(
        "own/rooms.safetensors: holds something else; rename it, or give --to FOLDER"
    )
    assert copy.read_bytes() == b"mine"


def test_a_url_is_fetched_into_the_folder(table, capsys, monkeypatch) -> None:
    table(f"| homes | https://e.org/a | {SHA} | 12 |\n")
    asked = []

    def fetch(published: PublishedFile, path: Path, on_progress: object) -> bool:
        asked.append((published, path))
        path.write_bytes(CONTENT)
        return len(asked) == 1

    monkeypatch.setattr(published_file, "download_published", fetch)
    expected = PublishedFile("https://e.org/a", SHA, 12), Path("own files/homes.safetensors")
    for done in ("downloaded", "there already"):
        assert main(["download", "homes", "--to", "own files"]) == 0
        said = capsys.readouterr().out
        assert f"own files/homes.safetensors: {done}, 12 bytes; its sha256 is right" in said
        assert "Next: seentwice evaluate 'checkpoint='" in said  # quoted for shell and Hydra
    assert asked == [expected, expected]
    assert Path("own files").is_dir()


@pytest.mark.parametrize("is_tagger", [True, False])
def test_the_command_that_measures_it_is_named(
    is_tagger: bool, table, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "whole.safetensors"
    save = save_untrained_tagger if is_tagger else save_untrained
    save(path, 0)
    content = path.read_bytes()
    folder = table(f"| own | own.bin | {hashlib.sha256(content).hexdigest()} | {len(content)} |\n")
    (folder / "own.bin").write_bytes(content)
    assert main(["download", "own"]) == 0
    command = "tagger" if is_tagger else "evaluate"
    assert f"Next: seentwice {command} checkpoint=" in capsys.readouterr().out
