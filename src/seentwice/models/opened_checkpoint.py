"""A checkpoint, opened: what it says of itself, its trunk and its net."""

from dataclasses import dataclass
from pathlib import Path

from seentwice.models.checkpoint import (
    CHECKPOINT_FILE,
    CheckpointRecord,
    load_checkpoint,
    read_record,
)
from seentwice.models.checkpoint_trunk import rebuild_trunk
from seentwice.models.nets import SiameseNet
from seentwice.models.trunk import Trunk


@dataclass(frozen=True, slots=True, eq=False)
class OpenedCheckpoint:
    """The parts of a checkpoint."""

    path: Path  # the file
    record: CheckpointRecord
    trunk: Trunk
    net: SiameseNet  # in eval mode


def open_checkpoint(given: Path, weights: str | None, option: str) -> OpenedCheckpoint:
    """Read a checkpoint with all that it needs.

    Args:
        given: the file that `seentwice train` wrote, or the folder of the training.
        weights: where those of a frozen trunk come from, see `rebuild_trunk`.
        option: how a command takes them, for errors: "weights=" or "--weights ".

    Raises:
        UserError: no such file, no checkpoint, a damaged one, or a trunk that cannot be had.
    """
    path = given / CHECKPOINT_FILE if given.is_dir() else given
    record = read_record(path)
    trunk = rebuild_trunk(path, record, weights, option)
    return OpenedCheckpoint(path, record, trunk, load_checkpoint(path, record, trunk))
