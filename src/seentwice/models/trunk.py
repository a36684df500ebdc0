"""Trunks: a network's stages up to its features, and where they can be cut.

What is frozen and in eval mode is a pure function of the photo: the stages before the cut are
passed once a photo, and what comes out is kept. The stages after it belong to the net that trains.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Annotated, Literal

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from seentwice.errors import UserError
from seentwice.models.preprocessing import Preprocessing

TrainedBlocks = Literal["all"] | Annotated[int, Field(ge=0)]
BatchNormMode = Literal["eval", "train"]


@dataclass(frozen=True, slots=True)
class Trunk:
    """A built trunk with what a checkpoint must remember of it."""

    backbone: str  # a name of the registry, or LIBRARY/NETWORK
    pooling: str
    weights: str  # "none", "imagenet" or a file
    stages: nn.Sequential  # from normalised photos (b, 3, h, w) to features (b, d)
    cut: int  # the number of leading stages that are frozen, see `find_cut`; scoring moves none
    feature_size: int
    preprocessing: Preprocessing

    @property
    def frozen(self) -> nn.Sequential:
        """The stages before the cut."""
        return self.stages[: self.cut]

    @property
    def trained(self) -> nn.Sequential:
        """The stages after the cut, which belong to the net."""
        return self.stages[self.cut :]


def find_cut(stages: nn.Sequential) -> int:
    """Return the number of leading stages in which nothing can change.

    A stage can change when one of its parameters takes a gradient, or when it is in training mode:
    BatchNorm then moves its statistics and Dropout draws.
    """
    for number, stage in enumerate(stages):
        takes_gradient = any(parameter.requires_grad for parameter in stage.parameters())
        if takes_gradient or any(module.training for module in stage.modules()):
            return number
    return len(stages)


def resize_input(trunk: Trunk, side_px: int) -> Trunk:
    """Return a trunk that takes square photos of another size, with the same weights.

    Args:
        trunk: frozen as a whole.
        side_px: of the photos; the more, the smaller the things that it sees, and the slower.

    Raises:
        UserError: the network takes its own size alone.
    """
    own = trunk.preprocessing
    resized = replace(own, height_px=side_px, width_px=side_px)
    try:
        with torch.no_grad():
            fits = shape_after(trunk.stages, resized) == (trunk.feature_size,)
    except (AssertionError, RuntimeError, ValueError):  # theirs, of layers that count pixels
        fits = False
    if not fits:
        raise UserError(
            f"backbone.side_px={side_px}: {trunk.backbone} takes no photos of that size; leave it "
            f"null for {own.width_px} x {own.height_px} px"
        )
    return replace(trunk, preprocessing=resized)


def freeze(stages: nn.Sequential, trained: TrainedBlocks, batchnorm: BatchNormMode) -> None:
    """Put stages into eval mode without gradients, but for the last blocks.

    Args:
        stages: of a trunk.
        trained: how many of the last blocks train, with all that comes after them; a block is a
            stage that has parameters.
        batchnorm: of the frozen stages; "train" leaves their BatchNorm in training mode, which
            moves its statistics, as SameSpace's code does. There each side of a pair has a trunk
            of its own, which normalises the 64 photos of its side of a batch; here one trunk
            normalises the views of both sides together, each view once.

    Raises:
        UserError: `trained` is neither "all" nor a number of blocks that there are.
    """
    blocks = [
        number for number, stage in enumerate(stages) if any(True for _ in stage.parameters())
    ]
    # By its type, too: of a wrong value in a config nobody else knows how many there are.
    if trained != "all" and not (type(trained) is int and 0 <= trained <= len(blocks)):
        raise UserError(
            f"backbone.trained_blocks={trained}: choose 0 to {len(blocks)}, the blocks that this "
            "backbone has, or all"
        )
    count = len(blocks) if trained == "all" else trained
    first = 0 if trained == "all" else blocks[-count] if count else len(stages)
    for number, stage in enumerate(stages):
        stage.requires_grad_(number >= first)
    _set_modes(stages, first, batchnorm)


def restore_modes(stages: nn.Sequential) -> None:
    """Put the stages after a trunk's cut back into the modes in which `freeze` left them.

    Frozen ones are among them only where their BatchNorm is in training mode: others are before
    the cut.
    """
    first = (
        number
        for number, stage in enumerate(stages)
        if any(parameter.requires_grad for parameter in stage.parameters())
    )
    _set_modes(stages, next(first, len(stages)), "train")


def _set_modes(stages: nn.Sequential, first: int, batchnorm: BatchNormMode) -> None:
    for number, stage in enumerate(stages):
        stage.train(number >= first)
        if number < first and batchnorm == "train":
            for module in stage.modules():
                if isinstance(module, _BatchNorm):
                    module.train()


def fingerprint_frozen(trunk: Trunk) -> str:
    """Return the sha256 of a trunk's name, and of all in its frozen stages; "" where none is.

    Trunks of equal weights that pool otherwise have different ones, wherever they are cut.
    """
    frozen = trunk.frozen
    if len(frozen) == 0:
        return ""
    return digest_state(
        frozen.state_dict(), f"{trunk.backbone}/{trunk.pooling}/{len(frozen)}".encode()
    )


def digest_state(state: Mapping[str, Tensor], prefix: bytes = b"") -> str:
    """Return the sha256 of a prefix, and of the names, shapes, types and values of tensors."""
    digest = hashlib.sha256(prefix)
    for key, tensor in sorted(state.items()):
        digest.update(f"{key}{tuple(tensor.shape)}{tensor.dtype}".encode())
        digest.update(tensor.cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()


@torch.inference_mode()
def shape_after(stages: nn.Sequential, preprocessing: Preprocessing) -> tuple[int, ...]:
    """Return the shape of one photo's row after stages in eval mode, (d,) or (c, h, w)."""
    size = (1, 3, preprocessing.height_px, preprocessing.width_px)
    return tuple(stages(torch.zeros(size)).shape[1:])
