"""The files that Lightning goes on with: written whole or not at all, and free to be moved."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from lightning_fabric.plugins.io.torch_io import TorchCheckpointIO

from seentwice.files import open_atomically


class AtomicCheckpointIO(TorchCheckpointIO):
    """Writes a file beside its destination first, so that a killed training leaves a whole one."""

    def save_checkpoint(
        self, checkpoint: dict[str, Any], path: str | Path, storage_options: Any = None
    ) -> None:
        """Write a training's state; the folder is made where it is missing.

        Raises:
            UnwritableError: the disk is full, or the file cannot be written for another reason.
        """
        path = Path(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        with open_atomically(path) as file, _faults_of_files():
            torch.save(checkpoint, file)

    def load_checkpoint(
        self, path: str | Path, map_location: Any = "cpu", weights_only: bool | None = None
    ) -> dict[str, Any]:
        """Read a training's state, in which the files beside this one lie where it lies now.

        Lightning forgets which epoch was the best where their folder was moved.
        """
        state = super().load_checkpoint(path, map_location, weights_only)
        folder = str(Path(path).resolve().parent)
        for kept in state.get("callbacks", {}).values():
            if kept.get("dirpath") is not None:
                _move(kept, folder)
        return state


@contextmanager
def _faults_of_files() -> Iterator[None]:
    """Raise what a write failed with: torch hides it behind a complaint of its own, of positions.

    Raises:
        OSError: in place of torch's complaint.
    """
    try:
        yield
    except RuntimeError as error:
        fault: BaseException | None = error
        while fault is not None and not isinstance(fault, OSError):
            fault = fault.__cause__ or fault.__context__
        if fault is None:
            raise
        raise fault from None


def _move(kept: dict[str, Any], folder: str) -> None:
    """Let the state of a `ModelCheckpoint` name files of a folder."""
    kept["dirpath"] = folder
    for key in ("best_model_path", "kth_best_model_path", "last_model_path"):
        kept[key] = _name_in(folder, kept[key])
    kept["best_k_models"] = {
        _name_in(folder, path): score for path, score in kept["best_k_models"].items()
    }


def _name_in(folder: str, path: str) -> str:
    return str(Path(folder, Path(path).name)) if path else path
