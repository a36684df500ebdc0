"""Checkpoints to share: safetensors with plain JSON beside the weights.

A checkpoint loads without Hydra, Lightning or the config that trained it, and executes nothing.
The frozen stages of a trunk are not stored again unless that is asked for: their fingerprint is,
and loading asks for the same trunk.
"""

import hashlib
import json
import math
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
import torch
from pydantic import BeforeValidator, Field, TypeAdapter, ValidationError
from safetensors.torch import save
from torch import Tensor, nn

from seentwice.display import one_line
from seentwice.errors import UserError
from seentwice.files import write_atomically
from seentwice.models.checkpoint_file import WrongFileError, open_safetensors, read_state
from seentwice.models.engines import Passing
from seentwice.models.nets import Architecture, SiameseNet, build_siamese
from seentwice.models.preprocessing import Preprocessing
from seentwice.models.trunk import Trunk, digest_state, fingerprint_frozen

_KIND = "seentwice-siamese-"
_VERSION = 6
FORMAT = f"{_KIND}{_VERSION}"
_FAMILY = "seentwice-"  # which all formats begin with
CHECKPOINT_FILE = "checkpoint.safetensors"  # its name in the folder of a training
FROZEN = "frozen."  # before the names of the frozen stages' tensors
_METADATA = "seentwice"
_RECORD_SHA256, _NET_SHA256 = "record_sha256", "net_sha256"
_LEARNED = "learned_photos"
_MOST_LEARNED = 2**26
_LONGEST_SETTINGS = 10_000  # characters of JSON; a million hidden layers would be a record, too
_OWN = f"give the {CHECKPOINT_FILE} that seentwice train wrote"
_AGAIN = f"copy it again, or {_OWN}"
# What is raised where a net is built of wrong names and numbers.
_UNBUILDABLE = (UserError, RuntimeError, ValueError, TypeError, OverflowError)


Seed = Annotated[int, Field(ge=0, lt=2**63)]
Finite = Annotated[float, Field(allow_inf_nan=False)]
# NaN where it is undefined, which JSON calls null.
Metric = Annotated[float, BeforeValidator(lambda value: math.nan if value is None else value)]


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
    assert record.bundled == (frozen is not None)
    state = net.state_dict()
    tensors = {name: tensor.contiguous() for name, tensor in state.items()}
    if frozen is not None:
        for name, tensor in frozen.state_dict().items():
            tensors[f"{FROZEN}{name}"] = tensor.contiguous()
    tensors[_LEARNED] = _learned_to_tensor(record.learned_photos)
    fields = asdict(record)
    del fields[_LEARNED]
    fields["test_metrics"] = {
        name: value if math.isfinite(value) else None for name, value in record.test_metrics.items()
    }
    # Bytes of a file name that are not UTF-8 become "?": no reader of JSON would take them.
    text = json.dumps(fields, sort_keys=True, ensure_ascii=False).encode("utf-8", "replace")
    metadata = {
        "format": FORMAT,
        _METADATA: text.decode("utf-8"),
        _RECORD_SHA256: _digest_record(text, tensors[_LEARNED]),
        _NET_SHA256: digest_state(state),
    }
    write_atomically(path, save(tensors, metadata=metadata))


def read_record(path: Path) -> CheckpointRecord:
    """Read what a checkpoint says of itself, without its weights.

    Raises:
        UserError: no such file, not a checkpoint of this format, or a damaged one.
    """
    if not path.is_file():
        raise UserError(f"checkpoint {path}: no such file; {_OWN}")
    try:
        with open_safetensors(path) as stream:
            metadata = stream.metadata() or {}
            _check_format(path, metadata.get("format", ""))
            record = _RECORDS.validate_json(metadata[_METADATA])
            shape = stream.get_slice(_LEARNED).get_shape()
            if len(shape) != 1 or shape[0] > _MOST_LEARNED:
                raise WrongFileError(f"{_LEARNED} has the shape {shape}")
            learned = stream.get_tensor(_LEARNED)
        text = metadata[_METADATA].encode("utf-8")
        if learned.dtype != torch.int64 or metadata[_RECORD_SHA256] != _digest_record(
            text, learned
        ):
            raise _damaged(path, "it is not the one that was written")
    except WrongFileError as error:
        raise UserError(
            f"checkpoint {path}: not a whole safetensors file ({error}); {_AGAIN}"
        ) from error
    except (KeyError, ValidationError) as error:
        raise _damaged(path, one_line(error)) from error
    return replace(record, learned_photos=_learned_from_tensor(learned))


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
    try:
        if len(json.dumps(settings)) > _LONGEST_SETTINGS:
            raise ValueError(f"settings of more than {_LONGEST_SETTINGS:,} characters")
        # First without memory for its weights: what the file claims may be of any size.
        with torch.device("meta"):
            plan = build_siamese(architecture, trunk, record.seed)
    except _UNBUILDABLE as error:
        raise _damaged(path, one_line(error)) from error
    try:
        with open_safetensors(path) as stream:
            expected = (stream.metadata() or {}).get(_NET_SHA256)
        state = read_state(path, "", plan.state_dict())
        if digest_state(state) != expected:
            raise WrongFileError("they are not those that were written")
        net = build_siamese(architecture, trunk, record.seed)
        net.load_state_dict(state)
    except (RuntimeError, WrongFileError) as error:
        raise UserError(
            f"checkpoint {path}: weights do not fit its record ({one_line(error)}); {_AGAIN}"
        ) from error
    return net.eval()


def _check_format(path: Path, written: str) -> None:
    """Tell a newer format, an older one, another kind and a foreign file from each other."""
    if written == FORMAT:
        return
    number = re.fullmatch(rf"{_KIND}([0-9]{{1,9}})", written)
    if number is not None and int(number[1]) > _VERSION:
        raise UserError(
            f"checkpoint {path}: a newer seentwice wrote it (its format is {written!r}, this "
            f"version reads {FORMAT!r}); update seentwice"
        )
    if number is not None:
        raise UserError(
            f"checkpoint {path}: an older seentwice wrote it (its format is {written!r}, this "
            f"version reads {FORMAT!r}); train it again, or use the version that wrote it"
        )
    if written.startswith(_FAMILY):
        raise UserError(
            f"checkpoint {path}: of another kind (its format is {written[:40]!r}); {_OWN}"
        )
    raise UserError(
        f"checkpoint {path}: no checkpoint of seentwice; give the one that seentwice train "
        "wrote. Weights of a backbone are given as backbone.weights=FILE to train and compare"
    )


def _damaged(path: Path, what: str) -> UserError:
    return UserError(f"checkpoint {path}: its record is damaged ({what}); {_AGAIN}")


def _digest_record(text: bytes, learned: Tensor) -> str:
    return hashlib.sha256(text + learned.numpy().tobytes()).hexdigest()


def _learned_to_tensor(names: Sequence[str]) -> Tensor:
    """Return names of 16 hexadecimal digits as whole numbers of 64 bits, (n,)."""
    numbers = np.array([int(name, 16) for name in names], np.uint64)
    return torch.from_numpy(numbers.view(np.int64))


def _learned_from_tensor(learned: Tensor) -> tuple[str, ...]:
    return tuple(f"{number:016x}" for number in learned.numpy().view(np.uint64).tolist())
