"""Backbones by name: where the network is cut, its feature size, its preprocessing, its weights.

A new backbone is one line of `BACKBONES`, and a function for a new way to cut.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn
from torchvision import models

from seentwice.errors import UserError
from seentwice.models.compact import CompactTrunk
from seentwice.models.pooling import POOLINGS, build_pooling
from seentwice.models.preprocessing import (
    IMAGENET_224,
    IMAGENET_256,
    IMAGENET_257,
    Preprocessing,
)
from seentwice.models.trunk import BatchNormMode, TrainedBlocks, Trunk, find_cut, freeze
from seentwice.models.weights import download_weights, load_weights


@dataclass(frozen=True, slots=True)
class Backbone:
    """An entry of the registry."""

    feature_size: int
    preprocessing: Preprocessing
    build: Callable[[], nn.Module]  # the whole network that weights are published for
    cut: Callable[[nn.Module, nn.Module], Sequence[nn.Module]]  # (network, pooling) -> stages
    imagenet: models.WeightsEnum | None  # torchvision's weights, where there are any


def _cut_features(network: nn.Module, pooling: nn.Module) -> Sequence[nn.Module]:
    features = network.features
    assert isinstance(features, nn.Sequential)
    return [*features, pooling]


def _cut_fc7(network: nn.Module, pooling: nn.Module) -> Sequence[nn.Module]:
    """Cut VGG-16 after the ReLU of fc7; its own 7 x 7 pooling comes first, `pooling` is unused."""
    features, avgpool, classifier = network.features, network.avgpool, network.classifier
    assert isinstance(features, nn.Sequential)
    assert isinstance(avgpool, nn.Module)
    assert isinstance(classifier, nn.Sequential)
    return [*features, avgpool, nn.Flatten(), *classifier[:5]]


BACKBONES: Mapping[str, Backbone] = {
    "compact": Backbone(
        CompactTrunk.feature_size,
        Preprocessing(72, 96, (0.5, 0.5, 0.5), (0.25, 0.25, 0.25)),
        CompactTrunk,
        _cut_features,
        None,
    ),
    "mobilenet_v2": Backbone(
        1280,
        IMAGENET_257,
        models.mobilenet_v2,
        _cut_features,
        models.MobileNet_V2_Weights.IMAGENET1K_V1,
    ),
    "mobilenet_v3_large": Backbone(
        960,
        IMAGENET_256,
        models.mobilenet_v3_large,
        _cut_features,
        models.MobileNet_V3_Large_Weights.IMAGENET1K_V1,
    ),
    "vgg16": Backbone(
        4096,
        IMAGENET_224,
        models.vgg16,
        _cut_fc7,
        models.VGG16_Weights.IMAGENET1K_V1,
    ),
}


def find_backbone(name: str) -> Backbone:
    """Return the registry's entry.

    Raises:
        UserError: no such backbone; the message lists the valid names.
    """
    if name not in BACKBONES:
        raise UserError(f"backbone {name!r}: choose one of {', '.join(sorted(BACKBONES))}")
    return BACKBONES[name]


def build_trunk(
    name: str,
    weights: str,
    pooling: str,
    trained_blocks: TrainedBlocks,
    frozen_batchnorm: BatchNormMode,
    seed: int,
) -> Trunk:
    """Build the trunk `name`.

    Args:
        name: a key of `BACKBONES`.
        weights: `none` (random from `seed`), `imagenet` (torchvision's download) or the path of
            a safetensors file with the state of the whole torchvision network.
        pooling: a key of `POOLINGS`; over the positions of the feature map.
        trained_blocks: how many of the last blocks train; see `freeze`.
        frozen_batchnorm: the mode of BatchNorm in the others.
        seed: of the random weights.

    Raises:
        UserError: an unknown name, weights that cannot be had, or more blocks than there are.
            Weights are never replaced by random ones.
    """
    entry = find_backbone(name)
    if pooling not in POOLINGS:
        raise UserError(f"backbone.pooling={pooling!r}: choose one of {', '.join(POOLINGS)}")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = entry.build()
    if weights == "imagenet":
        network.load_state_dict(download_weights(name, entry.imagenet))
    elif weights != "none":
        load_weights(network, name, Path(weights))
    stages = nn.Sequential(*entry.cut(network, build_pooling(pooling)))
    freeze(stages, trained_blocks, frozen_batchnorm)
    cut = find_cut(stages)
    return Trunk(name, pooling, weights, stages, cut, entry.feature_size, entry.preprocessing)
