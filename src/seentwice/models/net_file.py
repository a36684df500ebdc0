"""A net and its record in one safetensors file: what all kinds of checkpoints share.

The record is plain JSON beside the weights, and both have their sha256. Reading executes nothing,
and takes no more memory than the net that the record describes.
"""

import hashlib
import json
import math
import re
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Annotated, Any, Protocol, TypeVar

import numpy as np
import torch
from pydantic import BeforeValidator, Field, TypeAdapter, ValidationError
from safetensors.torch import save
from torch import Tensor, nn

from seentwice.display import one_line
from seentwice.errors import UserError
from seentwice.files import write_atomically
from seentwice.models.checkpoint_file import WrongFileError, open_safetensors, read_state
from seentwice.models.trunk import digest_state

FROZEN = "frozen."  # before the names of the frozen stages' tensors
_FAMILY = "seentwice-"  # which all formats begin with
_METADATA = "seentwice"
_RECORD_SHA256, _NET_SHA256 = "record_sha256", "net_sha256"
_LEARNED = "learned_photos"
_MOST_LEARNED = 2**26
# What is raised where a net is built of wrong names and numbers.
_UNBUILDABLE = (UserError, RuntimeError, ValueError, TypeError, OverflowError)

Seed = Annotated[int, Field(ge=0, lt=2**63)]
Finite = Annotated[float, Field(allow_inf_nan=False)]
# NaN where it is undefined, which JSON calls null.
Metric = Annotated[float, BeforeValidator(lambda value: math.nan if value is None else value)]


class NetRecord(Protocol):
    """What the record of every kind says; it is a dataclass."""

    @property
    def bundled(self) -> bool:
        """Whether the frozen stages are stored, too."""
        ...

    @property
    def test_metrics(self) -> dict[str, float]:
        """By name; NaN where one is undefined."""
        ...

    @property
    def learned_photos(self) -> tuple[str, ...]:
        """Of each photo 16 hexadecimal digits; no part of the JSON: there may be a million."""
        ...


Record = TypeVar("Record", bound=NetRecord)
Net = TypeVar("Net", bound=nn.Module)


@dataclass(frozen=True, slots=True)
class NetFormat:
    """A kind of checkpoint."""

    kind: str  # its name without the version, such as "seentwice-siamese-"
    version: int
    writer: str  # the command that writes it, such as "seentwice train"
    file: str  # its name in the folder of a training

    @property
    def name(self) -> str:
        """What the file itself says."""
        return f"{self.kind}{self.version}"

    @property
    def own(self) -> str:
        """What to give in the place of a wrong file."""
        return f"give the {self.file} that {self.writer} wrote"

    @property
    def again(self) -> str:
        """What to do about a damaged one."""
        return f"copy it again, or {self.own}"

    def damaged(self, path: Path, what: str) -> UserError:
        """Return the error of a record that is not as it was written."""
        return UserError(f"checkpoint {path}: its record is damaged ({what}); {self.again}")


def save_net(
    path: Path, form: NetFormat, net: nn.Module, record: NetRecord, frozen: nn.Module | None
) -> None:
    """Write a net and its record, atomically.

    Args:
        path: in a folder that exists.
        form: the kind of checkpoint.
        net: its weights are written.
        record: a dataclass.
        frozen: the frozen stages of its trunk, where the record says that they are stored.
    """
    assert record.bundled == (frozen is not None)
    state = net.state_dict()
    tensors = {name: tensor.contiguous() for name, tensor in state.items()}
    if frozen is not None:
        for name, tensor in frozen.state_dict().items():
            tensors[f"{FROZEN}{name}"] = tensor.contiguous()
    tensors[_LEARNED] = _learned_to_tensor(record.learned_photos)
    values: Any = record
    fields = asdict(values)
    del fields[_LEARNED]
    fields["test_metrics"] = {
        name: value if math.isfinite(value) else None for name, value in record.test_metrics.items()
    }
    # Bytes of a file name that are not UTF-8 become "?": no reader of JSON would take them.
    text = json.dumps(fields, sort_keys=True, ensure_ascii=False).encode("utf-8", "replace")
    metadata = {
        "format": form.name,
        _METADATA: text.decode("utf-8"),
        _RECORD_SHA256: _digest_record(text, tensors[_LEARNED]),
        _NET_SHA256: digest_state(state),
    }
    write_atomically(path, save(tensors, metadata=metadata))


def read_net_record(path: Path, form: NetFormat, records: TypeAdapter[Record]) -> Record:
    """Read what a checkpoint says of itself, without its weights.

    Raises:
        UserError: no such file, not a checkpoint of this format, or a damaged one.
    """
    if not path.is_file():
        raise UserError(f"checkpoint {path}: no such file; {form.own}")
    try:
        with open_safetensors(path) as stream:
            metadata = stream.metadata() or {}
            _check_format(path, metadata.get("format", ""), form)
            record = records.validate_json(metadata[_METADATA])
            shape = stream.get_slice(_LEARNED).get_shape()
            if len(shape) != 1 or shape[0] > _MOST_LEARNED:
                raise WrongFileError(f"{_LEARNED} has the shape {shape}")
            learned = stream.get_tensor(_LEARNED)
        text = metadata[_METADATA].encode("utf-8")
        if learned.dtype != torch.int64 or metadata[_RECORD_SHA256] != _digest_record(
            text, learned
        ):
            raise form.damaged(path, "it is not the one that was written")
    except WrongFileError as error:
        raise UserError(
            f"checkpoint {path}: not a whole safetensors file ({error}); {form.again}"
        ) from error
    except (KeyError, ValidationError) as error:
        raise form.damaged(path, one_line(error)) from error
    values: Any = record
    whole: Record = replace(values, learned_photos=_learned_from_tensor(learned))
    return whole


def load_net(path: Path, form: NetFormat, build: Callable[[], Net]) -> Net:
    """Build the net of a checkpoint and load its weights.

    Args:
        path: the checkpoint.
        form: its kind.
        build: gives a net as its record says; called twice.

    Returns:
        The net, in eval mode.

    Raises:
        UserError: a net that cannot be built, or weights that do not fit it.
    """
    try:
        # First without memory for its weights: what the file claims may be of any size.
        with torch.device("meta"):
            plan = build()
    except _UNBUILDABLE as error:
        raise form.damaged(path, one_line(error)) from error
    try:
        with open_safetensors(path) as stream:
            expected = (stream.metadata() or {}).get(_NET_SHA256)
        state = read_state(path, "", plan.state_dict())
        if digest_state(state) != expected:
            raise WrongFileError("they are not those that were written")
        net = build()
        net.load_state_dict(state)
    except (RuntimeError, WrongFileError) as error:
        raise UserError(
            f"checkpoint {path}: weights do not fit its record ({one_line(error)}); {form.again}"
        ) from error
    return net.eval()


def _check_format(path: Path, written: str, form: NetFormat) -> None:
    """Tell a newer format, an older one, another kind and a foreign file from each other."""
    if written == form.name:
        return
    number = re.fullmatch(rf"{form.kind}([0-9]{{1,9}})", written)
    if number is not None and int(number[1]) > form.version:
        raise UserError(
            f"checkpoint {path}: a newer seentwice wrote it (its format is {written!r}, this "
            f"version reads {form.name!r}); update seentwice"
        )
    if number is not None:
        raise UserError(
            f"checkpoint {path}: an older seentwice wrote it (its format is {written!r}, this "
            f"version reads {form.name!r}); train it again, or use the version that wrote it"
        )
    if written.startswith(_FAMILY):
        raise UserError(
            f"checkpoint {path}: of another kind (its format is {written[:40]!r}); {form.own}"
        )
    raise UserError(
        f"checkpoint {path}: no checkpoint of seentwice; give the one that {form.writer} "
        "wrote. Weights of a backbone are given as backbone.weights=FILE to train and compare"
    )


def _digest_record(text: bytes, learned: Tensor) -> str:
    return hashlib.sha256(text + learned.numpy().tobytes()).hexdigest()


def _learned_to_tensor(names: Sequence[str]) -> Tensor:
    """Return names of 16 hexadecimal digits as whole numbers of 64 bits, (n,)."""
    numbers = np.array([int(name, 16) for name in names], np.uint64)
    return torch.from_numpy(numbers.view(np.int64))


def _learned_from_tensor(learned: Tensor) -> tuple[str, ...]:
    return tuple(f"{number:016x}" for number in learned.numpy().view(np.uint64).tolist())
