"""A trunk that gives its features, and those of windows of the map that it pools, in one pass."""

from dataclasses import replace

import torch
from torch import Tensor, nn

from seentwice.errors import UserError
from seentwice.models.pooling import POOLINGS, WindowPooling
from seentwice.models.timm_networks import TimmHead, TimmMaps
from seentwice.models.trunk import Trunk, shape_after


class FeaturesAndWindows(nn.Module):
    """The features of a photo, and below them those of the windows of its map."""

    def __init__(self, pooling: nn.Module) -> None:
        super().__init__()
        self.pooling = pooling  # from the map to the features
        self.windows = WindowPooling()

    def forward(self, maps: Tensor) -> Tensor:
        """(b, d, h, w) -> (b, 1 + k, d)."""
        return torch.cat([self.pooling(maps).unsqueeze(1), self.windows(maps)], dim=1)


def add_windows(trunk: Trunk) -> Trunk:
    """Return a trunk that is frozen as a whole with rows (1 + k, d): features, then windows.

    Its features are those of the trunk that is given, with which it shares all weights.

    Raises:
        UserError: its features are not pooled from a map with as many channels.
    """
    *before, last = trunk.frozen
    to_map, pooling = nn.Sequential(*before), last
    if trunk.backbone.startswith("timm/"):
        to_map, pooling = nn.Sequential(TimmMaps(last)), TimmHead(last)
    elif not isinstance(last, tuple(POOLINGS.values())):
        raise _no_map(trunk)
    shape = shape_after(to_map.eval(), trunk.preprocessing)
    if len(shape) != 3 or shape[0] != trunk.feature_size:
        raise _no_map(trunk)
    stages = nn.Sequential(*to_map, FeaturesAndWindows(pooling)).eval()
    return replace(trunk, stages=stages, cut=len(stages))


def _no_map(trunk: Trunk) -> UserError:
    return UserError(
        f"baselines: regions compares windows of the map that a backbone's features are the mean "
        f"of, and {trunk.backbone} has none; choose one such as mobilenet_v2 or resnet50, or leave "
        "regions out"
    )
