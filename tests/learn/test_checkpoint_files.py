"""The files that a training goes on with, on a disk that is full."""

import errno
import io
from pathlib import Path
from typing import Any

import pytest
import torch

from seentwice.files import UnwritableError
from seentwice.learn.checkpoint_files import AtomicCheckpointIO

STATE = {"rows": torch.arange(100_000)}


class AlmostFull(io.BufferedWriter):
    """A file on a disk with little room."""

    def __init__(self, file: io.RawIOBase, room: int) -> None:
        super().__init__(file)
        self.room = room

    def write(self, data: Any) -> int:
        size = memoryview(data).nbytes
        if size > self.room:
            raise OSError(errno.ENOSPC, "No space left on device")
        self.room -= size
        return super().write(data)


# torch writes a few bytes, the rows, and at last what is where: it raises the error of the first
# and of the last itself, and another where others fail.
@pytest.mark.parametrize("room", [0, 100, 10_000, 800_700])
def test_a_full_disk_is_told_wherever_it_is_met(
    room: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "last.ckpt"
    AtomicCheckpointIO().save_checkpoint({"rows": torch.zeros(1)}, path)
    before = path.read_bytes()

    def open_raw(file: Path, mode: str) -> io.BufferedWriter:
        return AlmostFull(io.FileIO(file, "x"), room)

    monkeypatch.setattr(Path, "open", open_raw)
    with pytest.raises(UnwritableError, match=r"'last\.ckpt' cannot be .*No space left.*make room"):
        AtomicCheckpointIO().save_checkpoint(STATE, path)
    monkeypatch.undo()
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_what_is_no_fault_of_a_file_stays_what_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("mine")

    monkeypatch.setattr(torch, "save", fail)
    with pytest.raises(RuntimeError, match="mine"):
        AtomicCheckpointIO().save_checkpoint(STATE, tmp_path / "last.ckpt")
    assert list(tmp_path.iterdir()) == []


def test_a_state_comes_back(tmp_path: Path) -> None:
    path = tmp_path / "new" / "last.ckpt"
    AtomicCheckpointIO().save_checkpoint(STATE, path)
    assert torch.equal(AtomicCheckpointIO().load_checkpoint(path)["rows"], STATE["rows"])
