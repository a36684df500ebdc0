"""What MLflow gets of a training, as files of TensorBoard beside it."""

from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from seentwice.errors import UserError

if TYPE_CHECKING:
    from pytorch_lightning.loggers import TensorBoardLogger

FOLDER = "tensorboard"
"""In the folder of a training."""


def check_tensorboard() -> None:
    """Look for the package.

    Raises:
        UserError: it is not installed.
    """
    if find_spec("tensorboard") is None:
        raise UserError(
            "tracking.tensorboard=true: TensorBoard is not installed: "
            "pip install 'seentwice[tensorboard]'"
        )


def open_board(folder: Path) -> "TensorBoardLogger":
    """Return a Lightning logger that writes each epoch's metrics into a training's folder."""
    from pytorch_lightning.loggers import TensorBoardLogger

    return TensorBoardLogger(folder, name="", version=FOLDER, default_hp_metric=False)


def write_final(folder: Path, metrics: Mapping[str, float]) -> None:
    """Add the metrics of the end, in a file of their own."""
    from torch.utils.tensorboard import SummaryWriter

    with SummaryWriter(str(folder / FOLDER)) as writer:
        for name, value in metrics.items():
            writer.add_scalar(name, value)
