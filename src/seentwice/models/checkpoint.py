"""Checkpoints to share: safetensors with plain JSON beside the weights.

A checkpoint loads without Hydra, Lightning or the config that trained it, and executes nothing.
The frozen stages of a trunk are not stored again: their fingerprint is, and loading asks for the
same trunk.
"""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, TypeAdapter, ValidationError
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save

from seentwice.display import one_line
from seentwice.errors import UserError
from seentwice.files import write_atomically
from seentwice.models.engines import Passing
from seentwice.models.nets import Architecture, SiameseNet, build_siamese
from seentwice.models.trunk import Trunk, fingerprint_frozen

FORMAT = "seentwice-siamese-5"
_FAMILY = "seentwice-"  # which all formats begin with
CHECKPOINT_FILE = "checkpoint.safetensors"  # its name in the folder of a training
_METADATA = "seentwice"
_OWN = f"give the {CHECKPOINT_FILE} that seentwice train wrote"
_AGAIN = f"copy it again, or {_OWN}"


Seed = Annotated[int, Field(ge=0, lt=2**63)]
Finite = Annotated[float, Field(allow_inf_nan=False)]


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
    trunk_weights: str  # where the trunk's weights came from: none, imagenet or a file's name
    trunk_seed: Seed  # of an untrained trunk
    trunk_fingerprint: str  # of its frozen stages, which are not stored; "" where there are none
    row_type: Literal["float32", "float16"]  # of what comes out of them
    passing: Passing  # how photos passed them
    calibration_slope: Finite
    calibration_offset: Finite
    threshold: Finite  # on the probability; chosen on validation pairs
    data_name: str
    data_fingerprint: str
    # `digest_name` of each file that trained or validated it, or the net that mined its negatives.
    learned_photos: tuple[str, ...]
    mined_by: str  # sha256 of the checkpoint that mined its hard negatives; "" without
    seed: Seed
    protocol: Protocol
    test_metrics: dict[str, float]
    versions: dict[str, str]
    git_commit: str | None


def save_checkpoint(path: Path, net: SiameseNet, record: CheckpointRecord) -> None:
    """Write the net and its record, atomically."""
    tensors = {name: tensor.contiguous() for name, tensor in net.state_dict().items()}
    text = json.dumps(asdict(record), sort_keys=True, ensure_ascii=False)
    # Bytes of a file name that are not UTF-8 become "?": no reader of JSON would take them.
    readable = text.encode("utf-8", "replace").decode("utf-8")
    metadata = {"format": FORMAT, _METADATA: readable}
    write_atomically(path, save(tensors, metadata=metadata))


def read_record(path: Path) -> CheckpointRecord:
    """Read what a checkpoint says of itself, without its weights.

    Raises:
        UserError: no such file, or not a checkpoint of this format.
    """
    if not path.is_file():
        raise UserError(f"checkpoint {path}: no such file; {_OWN}")
    try:
        with safe_open(path, framework="pt") as stream:
            metadata = stream.metadata() or {}
    except (SafetensorError, OSError) as error:
        raise UserError(
            f"checkpoint {path}: not a whole safetensors file ({one_line(error)}); {_AGAIN}"
        ) from error
    if not metadata.get("format", "").startswith(_FAMILY):
        raise UserError(
            f"checkpoint {path}: no checkpoint of seentwice; give the one that seentwice train "
            "wrote. Weights of a backbone are given as backbone.weights=FILE to train and compare"
        )
    if metadata.get("format") != FORMAT:
        raise UserError(
            f"checkpoint {path}: its format is {metadata.get('format')!r}, "
            f"this version reads {FORMAT!r}; train it again, or use the version that wrote it"
        )
    try:
        return TypeAdapter(CheckpointRecord).validate_json(metadata[_METADATA])
    except (KeyError, ValidationError) as error:
        raise UserError(
            f"checkpoint {path}: its record is damaged ({one_line(error)}); {_AGAIN}"
        ) from error


def load_checkpoint(path: Path, record: CheckpointRecord, trunk: Trunk) -> SiameseNet:
    """Build the net of a checkpoint and load its weights.

    Args:
        path: the checkpoint.
        record: what `read_record` said of it.
        trunk: built as the record names it; its frozen stages must have the same fingerprint.

    Raises:
        UserError: another trunk, or weights that do not fit the record.
    """
    if fingerprint_frozen(trunk) != record.trunk_fingerprint:
        raise UserError(
            f"checkpoint {path}: was trained on another {record.architecture.backbone} trunk "
            f"(weights {record.trunk_weights}); give the same weights=FILE"
        )
    try:
        net = build_siamese(record.architecture, trunk, record.seed)
    except (UserError, RuntimeError, ValueError) as error:
        raise UserError(
            f"checkpoint {path}: its record is damaged ({one_line(error)}); {_AGAIN}"
        ) from error
    try:
        net.load_state_dict(load_file(path))
    except (RuntimeError, SafetensorError, OSError) as error:
        raise UserError(
            f"checkpoint {path}: weights do not fit its record ({one_line(error)}); {_AGAIN}"
        ) from error
    return net.eval()
