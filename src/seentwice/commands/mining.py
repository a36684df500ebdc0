"""The net that hard negatives are mined with, from the section `mining`."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from omegaconf import DictConfig, OmegaConf
from pydantic import Field

from seentwice.commands.settings import read_settings
from seentwice.detectors.describe import Rows
from seentwice.detectors.neighbours import nearest_views
from seentwice.detectors.trunk import describe_input
from seentwice.errors import UserError
from seentwice.models.backbones import Trunk
from seentwice.models.checkpoint import CheckpointRecord, load_checkpoint, read_record
from seentwice.models.nets import SiameseNet


@dataclass(frozen=True, slots=True)
class MiningSettings:
    """The section `mining`."""

    checkpoint: Path | None
    neighbours: Annotated[int, Field(ge=2)]  # how many of a view's nearest ones are looked at


@dataclass(frozen=True, slots=True)
class Miner:
    """A trained net, and what it takes of a view."""

    net: SiameseNet
    inputs: str  # the descriptor whose rows the net takes
    neighbours: int

    def find_nearest(self, rows: Rows, members: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return each member's nearest ones, (m, k), as indices into the members."""
        return nearest_views(self.net, rows[self.inputs], members, self.neighbours)


def read_miner(
    config: DictConfig, data_fingerprint: str, trunk: Trunk | None, folds: int | None
) -> Miner | None:
    """Load the net that `mining.checkpoint` names; None where it names none, or nothing is mined.

    Its backbone must be the one that is trained with, so that each photo passes a trunk once.

    Args:
        config: the composed configuration.
        data_fingerprint: of the photos.
        trunk: what the detectors look through; None where none does.
        folds: how many; None for one split.

    Raises:
        UserError: no such checkpoint, one with another backbone, or one that has learned from
            photos that are tested here.
    """
    if "mining" not in config:
        return None
    settings = read_settings(MiningSettings, config, "mining")
    path = settings.checkpoint
    if path is None:
        return None
    record = read_record(path)
    backbone = config.backbone
    if trunk is None:
        raise UserError("mining.checkpoint: choose a head; no other detector learns from negatives")
    if (backbone.name, backbone.trains) != (
        record.architecture.backbone,
        record.architecture.trunk_trains,
    ):
        raise UserError(
            f"mining.checkpoint={path}: its backbone is {record.architecture.backbone}; "
            f"choose backbone={record.architecture.backbone}"
        )
    _refuse_tested_photos(config, path, record, data_fingerprint, folds)
    net = load_checkpoint(path, record, trunk)
    return Miner(net, describe_input(trunk, backbone.trains).name, settings.neighbours)


def _refuse_tested_photos(
    config: DictConfig,
    path: Path,
    record: CheckpointRecord,
    data_fingerprint: str,
    folds: int | None,
) -> None:
    if record.data_fingerprint != data_fingerprint:
        return
    own: Any = OmegaConf.to_container(config.split, resolve=True)
    learned_with = {key: value for key, value in record.protocol.split.items() if key != "leaks"}
    if folds is not None or any(own.get(key) != value for key, value in learned_with.items()):
        raise UserError(
            f"mining.checkpoint={path}: was trained on photos that are tested here; "
            "choose the split that it was trained with, folds=null included"
        )
