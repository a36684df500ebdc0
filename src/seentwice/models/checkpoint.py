"""Checkpoints to share: safetensors with plain JSON beside the weights.

A checkpoint loads without Hydra, Lightning or the config that trained it, and executes nothing.
The frozen stages of a trunk are not stored again unless that is asked for: their fingerprint is,
and loading asks for the same trunk.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import TypeAdapter
from torch import nn

from seentwice.errors import UserError
from seentwice.models.engines import Passing
from seentwice.models.net_file import (
    Finite,
    Metric,
    NetFormat,
    Seed,
    load_net,
    read_net_record,
    save_net,
)
from seentwice.models.nets import Architecture, SiameseNet, build_siamese
from seentwice.models.preprocessing import Preprocessing
from seentwice.models.trunk import Trunk, fingerprint_frozen

CHECKPOINT_FILE = "checkpoint.safetensors"  # its name in the folder of a training
_FORM = NetFormat("seentwice-siamese-", 6, "seentwice train", CHECKPOINT_FILE)
FORMAT = _FORM.name
_LONGEST_SETTINGS = 10_000  # characters of JSON; a million hidden layers would be a record, too


@dataclass(frozen=True, slots=True)
class Protocol:
    """The sections of the configuration that made the pair tables."""

    split: dict[str, Any]
    edits: dict[str, Any]
    sampling: dict[str, Any]


@dataclass(frozen=True, slots=True)
class CheckpointRecord:
    """Everything about a net but its weights."""

    architecture: Architecture
    preprocessing: Preprocessing  # of photos, for the trunk
    trunk_weights: str  # where the trunk's weights came from: none, imagenet or a file's name
    trunk_seed: Seed  # of an untrained trunk
    trunk_fingerprint: str  # of its frozen stages; "" where there are none
    bundled: bool  # whether these are stored, too
    row_type: Literal["float32", "float16"]  # of what comes out of them
    passing: Passing  # how photos passed them
    calibration_slope: Finite  # the temperature is 1 / slope
    calibration_offset: Finite
    threshold: Finite  # on the probability; chosen on validation pairs
    data_name: str
    data_fingerprint: str
    mined_by: str  # sha256 of the checkpoint that mined its hard negatives; "" without
    seed: Seed
    protocol: Protocol
    test_metrics: dict[str, Metric]
    versions: dict[str, str]
    machine: str
    git_commit: str | None
    # `digest_name` of each file that trained or validated it, or the net that mined its negatives.
    learned_photos: tuple[str, ...] = ()  # no part of the JSON: there may be a million


_RECORDS = TypeAdapter(CheckpointRecord)


def save_checkpoint(
    path: Path, net: SiameseNet, record: CheckpointRecord, frozen: nn.Module | None = None
) -> None:
    """Write the net and its record, atomically.

    Args:
        path: in a folder that exists.
        net: its weights are written.
        record: of the net.
        frozen: the frozen stages of its trunk, where the record says that they are stored.
    """
    save_net(path, _FORM, net, record, frozen)


def read_record(path: Path) -> CheckpointRecord:
    """Read what a checkpoint says of itself, without its weights.

    Raises:
        UserError: no such file, not a checkpoint of this format, or a damaged one.
    """
    return read_net_record(path, _FORM, _RECORDS)


def load_checkpoint(path: Path, record: CheckpointRecord, trunk: Trunk) -> SiameseNet:
    """Build the net of a checkpoint and load its weights.

    Args:
        path: the checkpoint.
        record: what `read_record` said of it.
        trunk: built as the record names it; its frozen stages must have the same fingerprint.

    Raises:
        UserError: another trunk, or weights that do not fit the record.
    """
    architecture = record.architecture
    if fingerprint_frozen(trunk) != record.trunk_fingerprint:
        raise UserError(
            f"checkpoint {path}: was trained on another {architecture.backbone} trunk "
            f"(weights {record.trunk_weights}); give the same weights"
        )
    settings = [dict(architecture.head_settings), dict(architecture.tower_settings)]

    def build() -> SiameseNet:
        if len(json.dumps(settings)) > _LONGEST_SETTINGS:
            raise ValueError(f"settings of more than {_LONGEST_SETTINGS:,} characters")
        return build_siamese(architecture, trunk, record.seed)

    return load_net(path, _FORM, build)
