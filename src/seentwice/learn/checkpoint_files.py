"""The files that Lightning goes on with, written whole or not at all."""

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
        """Write a training's state; the folder is made where it is missing."""
        path = Path(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        with open_atomically(path) as file:
            torch.save(checkpoint, file)
