import errno
import inspect
import io
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from filelock import FileLock
from omegaconf import OmegaConf
from rich.console import Console

from seentwice.bank.bank import open_bank
from seentwice.bank.entries import count_entry, list_entries
from seentwice.bank.recipe import Recipe, row_keys
from seentwice.bank.segment import ABOUT
from seentwice.commands.application import find_configs
from seentwice.commands.bank import DEFAULT
from seentwice.commands.banking import tell_of_damage, tell_of_removal, tell_of_waiting
from seentwice.commands.main import main
from seentwice.models.preprocessing import Preprocessing

INPUT = Preprocessing(72, 96, (0.5, 0.5, 0.5), (0.25, 0.25, 0.25))
SLIP = replace(INPUT, normalisation="samespace")
PARTS = (("backbone", "mobilenet_v2"), ("cut", "20 of 20 stages"), ("weights", "abc"))


@pytest.fixture
def filled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A bank with rows of two data sets, houses used last, as the one of configurations."""
    folder = tmp_path / "bank"
    bank = open_bank(folder, 1)
    for number, (data, rows) in enumerate([("rooms", 1000), ("houses", 2)]):
        recipe = Recipe("trunk", PARTS, (300,), "float32")
        keys = row_keys([bytes([number]) * 32] * rows, [str(n) for n in range(rows)])
        with bank.alone([recipe], lambda: None), bank.begin_segment(recipe, data) as writer:
            writer.append(keys, np.ones((rows, 300)))
        os.utime(writer.path.with_suffix(ABOUT), (10**9 + number, 10**9 + number))
    monkeypatch.setenv("SEENTWICE_BANK", str(folder))
    return folder


def data_of(folder: Path) -> list[str]:
    return sorted(entry.data or "" for entry in list_entries(folder))


def test_the_bank_is_listed_last_used_first(filled: Path, capsys: pytest.CaptureFixture[str]):
    assert main(["bank"]) == 0
    text = capsys.readouterr().out
    rows = [line for line in text.splitlines() if "mobilenet_v2, 20 of 20 stages" in line]
    assert ["houses" in row for row in rows] == [True, False]
    assert re.search(r"rooms .* trunk .* 1,000 .* 1\.2 MB .* 2001-09-09", rows[1])
    assert f"{filled}: 2 parts, 1.2 MB" in text


def test_rows_that_are_kept_apart_are_told_apart(filled: Path, capsys: pytest.CaptureFixture[str]):
    kinds = {
        "openvino 1 bfloat16": ((2,), "float32", ("engine", "openvino 1 bfloat16")),
        "decoded to at least 9 x 9": ((2,), "float32", ("reduced", "to at least 9 x 9")),
        " 2 float16 ": ((2,), "float16", ("code", "1")),
        " 3 x 4 x 5 uint8 ": ((3, 4, 5), "uint8", ("code", "1")),
        " weights 0123abcd ": ((2,), "float32", ("weights", "0123abcd" * 8)),
        " 96 x 72 px, normalisation usual ": ((2,), "float32", ("preprocessing", repr(INPUT))),
        "px, normalisation samespace": ((2,), "float32", ("preprocessing", repr(SLIP))),
    }
    bank = open_bank(filled, 1)
    for number, (shape, dtype, part) in enumerate(kinds.values()):
        recipe = Recipe("trunk", (part,), shape, dtype)
        with bank.alone([recipe], lambda: None), bank.begin_segment(recipe, "flats") as writer:
            writer.append(row_keys([bytes([number])], [""]), np.ones((1, *shape)))
    assert main(["bank", "--data", "flats"]) == 0
    rows = [line for line in capsys.readouterr().out.splitlines() if "flats" in line]
    for kind in kinds:
        assert sum(kind in row for row in rows) == 1


def test_what_is_not_described_any_more_is_told_with_its_file(
    filled: Path, capsys: pytest.CaptureFixture[str]
):
    (recipe,) = filled.rglob("recipe.json")
    about = min(recipe.parent.glob(f"*{ABOUT}"), key=lambda file: file.stat().st_mtime)
    recipe.write_text(recipe.read_text().replace("300", "301"))
    about.write_text('{"dat')
    assert main(["bank"]) == 0
    text = capsys.readouterr().out
    assert re.search(r"houses .* unknown .* unknown .* unknown .* unknown .* 2001-09-09", text)
    lines = [line for line in text.splitlines() if "damaged" in line]
    assert [line.partition(": ")[0] for line in lines] == [str(recipe), str(about)]
    assert lines[0].endswith("the next run that uses them writes it anew")
    assert lines[1].endswith("seentwice bank clear --data unknown throws them away")
    assert main(["bank", "clear", "--data", "unknown"]) == 0
    assert len(data_of(filled)) == 1


@pytest.mark.parametrize(
    ("suffix", "spoil", "fault"),
    [
        (".rows", None, "gone, so none of these rows can be found"),
        (".keys", None, "gone, so none of these rows can be found"),
        (".rows", lambda data: data[:-1], "cut, so 1 row cannot be found"),
        (".rows", lambda data: b"", "cut, so 1,000 rows cannot be found"),
        (".keys", lambda data: b"", "holds no key, so none of these rows can be found"),
        (".keys", lambda data: b"?" * 48 + data[48:], "damaged, so 2 rows cannot be found"),
    ],
)
def test_rows_that_cannot_be_found_are_told_with_their_file(
    filled: Path,
    suffix: str,
    spoil: Callable[[bytes], bytes] | None,
    fault: str,
    capsys: pytest.CaptureFixture[str],
):
    assert main(["bank"]) == 0
    assert "cannot be found" not in capsys.readouterr().out
    file = max(filled.rglob(f"*{suffix}"), key=lambda file: file.stat().st_size)
    if spoil is None:
        file.unlink()
    else:
        file.write_bytes(spoil(file.read_bytes()))
    assert main(["bank"]) == 0
    lines = [line for line in capsys.readouterr().out.splitlines() if line.startswith(str(file))]
    assert lines == [f"{file}: {fault}; what is missing is computed again when it is needed"]


def test_one_data_set_is_thrown_away(filled: Path, capsys: pytest.CaptureFixture[str]):
    assert main(["bank", "clear", "--data", "rooms"]) == 0
    assert capsys.readouterr().out == "1 part thrown away, 1.2 MB\n"
    assert data_of(filled) == ["houses"]


def test_all_is_thrown_away_but_what_is_being_filled(
    filled: Path, capsys: pytest.CaptureFixture[str]
):
    other = Recipe("trunk", PARTS, (300,), "float16")
    bank = open_bank(filled, 1)
    with bank.alone([other], lambda: None):
        with bank.begin_segment(other, "busy") as writer:
            writer.append(row_keys([b"x"], [""]), np.ones((1, 300)))
        assert main(["bank", "clear"]) == 0
    text = capsys.readouterr().out
    assert "2 parts thrown away" in text
    assert "1 part being added to right now, or another account's, which stay: busy" in text
    assert data_of(filled) == ["busy"]


def test_what_a_killed_fill_left_is_thrown_away(filled: Path, capsys: pytest.CaptureFixture[str]):
    for file in filled.rglob("*.keys"):
        file.unlink()
    assert main(["bank"]) == 0
    assert f"{filled}: 2 parts, 1.2 MB" in capsys.readouterr().out
    assert main(["bank", "clear"]) == 0
    assert "2 parts thrown away, 1.2 MB" in capsys.readouterr().out
    assert list(filled.rglob("*.rows")) == []


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["clear", "--data", "barns"], "--data barns: choose one of houses, rooms"),
        (["--folder", "void"], "--folder void: no such folder"),
        (["empty"], "argument action: invalid choice: 'empty'"),
    ],
)
def test_a_mistake_is_one_line(
    filled: Path, words: list[str], complaint: str, capsys: pytest.CaptureFixture[str]
):
    assert main(["bank", *words]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert complaint in line
    assert data_of(filled) == ["houses", "rooms"]


def test_nothing_is_thrown_away_where_it_cannot_be_written(
    filled: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    def refuse(lock: FileLock, *arguments: object, **options: object) -> None:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS), lock.lock_file)

    monkeypatch.setattr(FileLock, "acquire", refuse)
    assert main(["bank", "clear"]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line == (
        f"seentwice bank: {filled}: nothing can be thrown away there (Read-only file system); let "
        "your account write it"
    )
    assert data_of(filled) == ["houses", "rooms"]


def test_no_bank_yet_is_no_mistake(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setenv("SEENTWICE_BANK", str(tmp_path / "bank"))
    assert main(["bank"]) == 0
    assert "is not there: nothing is kept yet" in capsys.readouterr().out


def test_configurations_keep_it_where_the_command_looks(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("SEENTWICE_BANK")
    assert OmegaConf.load(find_configs() / "bank" / "disk.yaml").folder == DEFAULT


def test_that_another_process_fills_the_bank_is_told(tmp_path: Path):
    console = Console(file=io.StringIO(), width=20)
    tell_of_waiting(open_bank(tmp_path, 1), console)()
    assert console.file.getvalue() == (
        f"Another process is adding the same rows to {tmp_path}: waiting for it\n"
    )


@pytest.mark.parametrize(("views", "named"), [(1, "1 view"), (1234, "1,234 views")])
def test_damaged_rows_are_told_in_one_line(tmp_path: Path, views: int, named: str):
    console = Console(file=io.StringIO(), width=20)
    tell_of_damage(open_bank(tmp_path, 1), console)(views)
    assert console.file.getvalue() == (
        f"bank.folder={tmp_path}: rows of {named} were damaged and are computed again\n"
    )


def test_what_a_full_bank_throws_away_is_told_in_one_line(filled: Path):
    console = Console(file=io.StringIO(), width=20)
    tell_of_removal(open_bank(filled, 0.0002), console)(list_entries(filled))
    assert console.file.getvalue() == (
        "bank.max_gb=0.0002: 2 parts (1.2 MB: houses, rooms) thrown away\n"
    )


@pytest.mark.parametrize("command", ["prepare", "card"])
def test_commands_tell_what_they_throw_away(
    command: str,
    filled: Path,
    few_rooms: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
):
    words = ["data=folder", f"data.root={few_rooms}", "bank.max_gb=0.0002"]
    assert main([command, *words, f"hydra.run.dir={tmp_path / 'out'}"]) == 0
    told = "bank.max_gb=0.0002: 1 part (1.2 MB: rooms) thrown away"
    assert capsys.readouterr().out.splitlines().count(told) == 1


def fill_bank(root, folder, on_progress):
    """Describe photos; with imports of its own, since another process runs its source, too."""
    from seentwice.bank.bank import open_bank
    from seentwice.data.folder import read_folder
    from seentwice.detectors.describe import describe_views
    from seentwice.detectors.hashes import HashDescriptor
    from seentwice.files import digest_file
    from seentwice.records import View

    photos = read_folder(root).photos
    return describe_views(
        [View(photo) for photo in photos],
        [digest_file(photo.path) for photo in photos],
        [HashDescriptor()],
        open_bank(folder, 1),
        "rooms",
        1,
        10**8,
        on_progress,
    )


FILL = f"""
import sys
from pathlib import Path
from seentwice.detectors import filling

filling.BATCH = 4
{inspect.getsource(fill_bank)}


def report(done, total):
    if done == 30:
        print("half", flush=True)
        sys.stdin.read()


fill_bank(*map(Path, sys.argv[1:]), report)
"""


def test_a_fill_that_is_killed_is_resumed(few_rooms: Path, tmp_path: Path):
    """By SIGKILL, which nothing can be done about, while the rows are being written."""
    command = [sys.executable, "-c", FILL, str(few_rooms)]
    command.append(str(tmp_path / "a"))
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"half\n"
        process.send_signal(signal.SIGKILL)
    kept = sum(count_entry(entry).found for entry in list_entries(tmp_path / "a"))
    assert kept == 28  # seven blocks of four
    told = []
    whole = fill_bank(few_rooms, tmp_path / "b", lambda *_: None)
    resumed = fill_bank(few_rooms, tmp_path / "a", lambda *counts: told.append(counts))
    np.testing.assert_array_equal(resumed.rows["hashes"], whole.rows["hashes"])
    assert whole.readable.all()
    assert resumed.readable.all()
    assert told[0] == (1, 60 - kept)
