"""The trunks that a configuration asks for: the nets' own, and the frozen one of the baselines."""

from dataclasses import dataclass, replace
from typing import Annotated, Any

from omegaconf import DictConfig
from pydantic import Field
from rich.console import Console

from seentwice.commands.progress import print_plainly
from seentwice.commands.settings import SeedSettings, read_settings
from seentwice.models.backbones import build_trunk
from seentwice.models.preprocessing import Normalisation
from seentwice.models.trunk import BatchNormMode, Trunk, resize_input


@dataclass(frozen=True, slots=True)
class BackboneSettings:
    """The section `backbone`."""

    name: str  # of a registered backbone, or of a network of the library
    weights: str
    pooling: str
    trained_blocks: Any  # `TrainedBlocks`, as `freeze` checks, which knows how many there are
    frozen_batchnorm: BatchNormMode
    normalisation: Normalisation
    side_px: Annotated[int, Field(ge=32, le=4096)] | None  # of the input; None is the network's own
    library: str | None = None  # torchvision or timm


def name_backbone(config: DictConfig) -> str:
    """Return the backbone's name as a checkpoint remembers it, such as `torchvision/vit_b_16`."""
    settings = read_settings(BackboneSettings, config, "backbone")
    return f"{settings.library}/{settings.name}" if settings.library else settings.name


@dataclass(frozen=True, slots=True)
class Trunks:
    """One backbone as the nets train it, and as it was: one object where nothing of it trains."""

    own: Trunk  # nets take its rows at the cut, and copies of what comes after
    frozen: Trunk  # whole, for detectors that learn from features

    @property
    def is_frozen(self) -> bool:
        """Whether nets start at its features."""
        return self.own is self.frozen


def read_trunks(config: DictConfig) -> Trunks:
    """Build the trunks that the section `backbone` names.

    Raises:
        UserError: an unknown name, weights that cannot be had, or more blocks than there are.
    """
    settings = read_settings(BackboneSettings, config, "backbone")
    seed = read_settings(SeedSettings, config, None).seed
    name, weights, pooling = name_backbone(config), settings.weights, settings.pooling
    normalisation = settings.normalisation
    frozen = build_trunk(name, weights, pooling, 0, "eval", seed, normalisation)
    if settings.side_px is not None:
        frozen = resize_input(frozen, settings.side_px)
    if settings.trained_blocks == 0 and settings.frozen_batchnorm == "eval":
        return Trunks(frozen, frozen)
    own = build_trunk(
        name,
        weights,
        pooling,
        settings.trained_blocks,
        settings.frozen_batchnorm,
        seed,
        normalisation,
    )
    return Trunks(replace(own, preprocessing=frozen.preprocessing), frozen)


def tell_cut(trunk: Trunk, console: Console) -> None:
    """Say what of a trunk is computed once, and what passes it in every step of a training."""
    stages, cut = len(trunk.stages), trunk.cut
    if cut == stages:
        return
    if cut:
        line = f"its first {cut} of {stages} stages are frozen, and passed once a photo"
    elif any(parameter.requires_grad for parameter in trunk.stages.parameters()):
        line = "nothing of it is frozen: no features are kept, photos pass it in every step"
    else:
        line = (
            "its BatchNorm is in training mode (backbone.frozen_batchnorm=train), so it is no pure "
            "function of a photo: no features are kept, photos pass it in every step"
        )
    print_plainly(f"backbone {trunk.backbone}: {line}", console)
