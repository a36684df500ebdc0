"""What the registry of backbones says of one."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import nn
from torchvision import models

from seentwice.models.cuts import Cut
from seentwice.models.pooling import build_pooling
from seentwice.models.preprocessing import Preprocessing
from seentwice.models.trunk import shape_after
from seentwice.models.weights import HubFile


@dataclass(frozen=True, slots=True)
class Backbone:
    """An entry of the registry."""

    feature_size: int
    preprocessing: Preprocessing
    build: Callable[[], nn.Module]  # the whole network that weights are published for
    cut: Cut
    imagenet: models.WeightsEnum | HubFile | None  # published weights, where there are any


def measure_features(build: Callable[[], nn.Module], cut: Cut, preprocessing: Preprocessing) -> int:
    """Return a network's number of features, found by a photo of zeros.

    On the meta device, where tensors have shapes and no values: no memory, and hardly time.
    """
    try:
        with torch.device("meta"):
            network = build()
    except NotImplementedError:  # RegNet reads tensors while it is built
        with torch.random.fork_rng(devices=[]):
            network = build().to("meta")
    with torch.device("meta"):
        stages = nn.Sequential(*cut(network, build_pooling("average"))).eval()
        (size,) = shape_after(stages, preprocessing)
    return size
