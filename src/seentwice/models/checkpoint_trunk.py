"""The trunk that a checkpoint was trained on: stored in it, built again, or read from a file."""

from dataclasses import replace
from pathlib import Path
from typing import Protocol

from seentwice.errors import UserError
from seentwice.models.backbones import build_trunk
from seentwice.models.checkpoint_file import WrongFileError, read_state
from seentwice.models.net_file import FROZEN
from seentwice.models.preprocessing import Preprocessing
from seentwice.models.trunk import BatchNormMode, TrainedBlocks, Trunk, fingerprint_frozen
from seentwice.models.weights import NoDownloadError, WeightsFileError

_NO_FILE = ("none", "imagenet")


class TrunkNames(Protocol):
    """How a trunk is built again."""

    @property
    def backbone(self) -> str:
        """Its name."""
        ...

    @property
    def pooling(self) -> str:
        """Of its map."""
        ...

    @property
    def trained_blocks(self) -> TrainedBlocks:
        """The last ones, which are a part of the net."""
        ...

    @property
    def frozen_batchnorm(self) -> BatchNormMode:
        """Of the others, in training."""
        ...


class TrunkRecord(Protocol):
    """What the record of every checkpoint says of its trunk."""

    @property
    def architecture(self) -> TrunkNames:
        """Names and numbers."""
        ...

    @property
    def preprocessing(self) -> Preprocessing:
        """Of photos."""
        ...

    @property
    def trunk_weights(self) -> str:
        """Where they came from: none, imagenet or a file's name."""
        ...

    @property
    def trunk_seed(self) -> int:
        """Of an untrained trunk."""
        ...

    @property
    def trunk_fingerprint(self) -> str:
        """Of its frozen stages; "" where there are none."""
        ...

    @property
    def bundled(self) -> bool:
        """Whether the checkpoint holds these."""
        ...


def rebuild_trunk(path: Path, record: TrunkRecord, weights: str | None, option: str) -> Trunk:
    """Build the trunk of a checkpoint.

    Args:
        path: the checkpoint.
        record: what the checkpoint says of itself.
        weights: where those of the frozen stages come from: none, imagenet or a file; None is what
            the checkpoint remembers, in the working folder or beside the checkpoint.
        option: how a command takes them, for errors: "weights=" or "--weights ".

    Raises:
        UserError: weights that cannot be had, are another network's, or were given and are not
            needed; or a backbone that this version does not have.
    """
    chosen = _choose_weights(path, record, weights, option)
    architecture = record.architecture
    preprocessing = record.preprocessing
    try:
        trunk = build_trunk(
            architecture.backbone,
            chosen,
            architecture.pooling,
            architecture.trained_blocks,
            architecture.frozen_batchnorm,
            record.trunk_seed,
            preprocessing.normalisation,
        )
    except NoDownloadError as error:
        remedies = ", or ".join([*error.remedies, f"give {option}FILE.safetensors"])
        raise UserError(
            f"checkpoint {path}: its frozen trunk has published weights: {error.fault}; {remedies}"
        ) from error
    except WeightsFileError as error:
        raise UserError(
            f"{option}{chosen}: {error.fault}; give the weights of {architecture.backbone} that "
            "the checkpoint was trained on"
        ) from error
    # The checkpoint's own: another version of a library may have others for the same name.
    trunk = replace(trunk, preprocessing=preprocessing)
    if record.bundled:
        _load_frozen(path, record, trunk)
    return trunk


def _choose_weights(path: Path, record: TrunkRecord, weights: str | None, option: str) -> str:
    if record.bundled or not record.trunk_fingerprint:
        if weights:
            raise UserError(
                f"{option}{weights}: has no effect, since the checkpoint holds its whole trunk; "
                "leave it out"
            )
        return "none"
    if weights:
        if weights in _NO_FILE or Path(weights).is_file():
            return weights
        raise UserError(f"{option}{weights}: no such file")
    if record.trunk_weights in _NO_FILE:
        return record.trunk_weights
    # The name alone: who wrote the record does not choose a folder.
    name = Path(record.trunk_weights).name
    for file in (Path(name), path.parent / name):
        if file.is_file():
            return str(file)
    raise UserError(
        f"checkpoint {path}: its frozen trunk came from {name}, which is neither here nor beside "
        f"the checkpoint; give {option}FILE"
    )


def _load_frozen(path: Path, record: TrunkRecord, trunk: Trunk) -> None:
    try:
        state = read_state(path, FROZEN, trunk.frozen.state_dict())
        trunk.frozen.load_state_dict(state)
        if fingerprint_frozen(trunk) != record.trunk_fingerprint:
            raise WrongFileError("they are not those that were written")
    except (RuntimeError, WrongFileError) as error:
        raise UserError(
            f"checkpoint {path}: its frozen trunk is damaged ({error}); copy it again"
        ) from error
