"""The trunk that a checkpoint was trained on, for whoever scores with it."""

from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load_file, save

from seentwice.display import one_line
from seentwice.errors import UserError
from seentwice.files import write_atomically
from seentwice.models.backbones import build_trunk
from seentwice.models.checkpoint import CheckpointRecord
from seentwice.models.trunk import Trunk
from seentwice.models.weights import WeightsFileError


def save_frozen(trunk: Trunk, path: Path) -> None:
    """Write the weights of a trunk's frozen stages, atomically, in safetensors."""
    # Copies: some networks have one tensor under two names, which the format has no way to say.
    state = {name: tensor.clone() for name, tensor in trunk.frozen.state_dict().items()}
    write_atomically(path, save({name: tensor.contiguous() for name, tensor in state.items()}))


def build_scoring_trunk(
    path: Path, record: CheckpointRecord, weights: str | None, frozen: Path | None
) -> Trunk:
    """Build a trunk as a checkpoint's record names it.

    Args:
        path: the checkpoint, for errors.
        record: what it says of itself.
        weights: none, imagenet or a file of the whole network; None is what the record remembers.
        frozen: the frozen stages alone, as `save_frozen` wrote them, in place of `weights`.

    Raises:
        UserError: weights that cannot be had, or another network's.
    """
    architecture = record.architecture
    is_stored = not record.trunk_fingerprint  # nothing is frozen: the checkpoint holds all of it
    source = "none" if is_stored or frozen is not None else weights or record.trunk_weights
    try:
        trunk = build_trunk(
            architecture.backbone,
            source,
            architecture.pooling,
            architecture.trained_blocks,
            architecture.frozen_batchnorm,
            record.trunk_seed,
            architecture.normalisation,
        )
    except WeightsFileError as error:
        if source == "imagenet":
            raise
        raise UserError(
            f"checkpoint {path}: its frozen trunk came from {source}: {error.fault}; give the "
            f"weights of {architecture.backbone} that it was trained on"
        ) from error
    if frozen is not None and not is_stored:
        try:
            trunk.frozen.load_state_dict(load_file(frozen))
        except (SafetensorError, OSError, RuntimeError) as error:
            raise UserError(
                f"{frozen}: not the frozen stages of {architecture.backbone} "
                f"({one_line(error)}); copy it again"
            ) from error
    return trunk
