"""Backbones by name: where the network is cut, its feature size, its preprocessing, its weights.

A new backbone is one line of `BACKBONES`, and a function in `cuts` for a new way to cut. A name
with a slash is a network of a library: `torchvision/convnext_tiny`.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import get_args

import torch
from torch import nn
from torchvision import models

from seentwice.errors import UserError
from seentwice.models.compact import CompactTrunk
from seentwice.models.cuts import cut_children, cut_fc7, cut_features, cut_pool5
from seentwice.models.entry import Backbone
from seentwice.models.pooling import POOLINGS, build_pooling
from seentwice.models.preprocessing import (
    CENTRED_224,
    IMAGENET_224,
    IMAGENET_256,
    IMAGENET_257,
    Normalisation,
    Preprocessing,
)
from seentwice.models.timm_networks import find_timm
from seentwice.models.torchvision_networks import find_torchvision
from seentwice.models.trunk import BatchNormMode, TrainedBlocks, Trunk, find_cut, freeze
from seentwice.models.weights import download_weights, load_weights

BACKBONES: Mapping[str, Backbone] = {
    "compact": Backbone(
        CompactTrunk.feature_size,
        Preprocessing(72, 96, (0.5, 0.5, 0.5), (0.25, 0.25, 0.25)),
        CompactTrunk,
        cut_features,
        None,
    ),
    "efficientnet_b0": Backbone(
        1280,
        IMAGENET_224,
        models.efficientnet_b0,
        cut_features,
        models.EfficientNet_B0_Weights.IMAGENET1K_V1,
    ),
    "googlenet": Backbone(
        1024,
        CENTRED_224,  # what its first layer gets after torchvision's `transform_input`
        partial(models.googlenet, aux_logits=False, init_weights=True),
        cut_children,
        models.GoogLeNet_Weights.IMAGENET1K_V1,
    ),
    "mobilenet_v2": Backbone(
        1280,
        IMAGENET_257,
        models.mobilenet_v2,
        cut_features,
        models.MobileNet_V2_Weights.IMAGENET1K_V1,
    ),
    "mobilenet_v3_large": Backbone(
        960,
        IMAGENET_256,
        models.mobilenet_v3_large,
        cut_features,
        models.MobileNet_V3_Large_Weights.IMAGENET1K_V1,
    ),
    "mobilenet_v3_small": Backbone(
        576,
        IMAGENET_256,
        models.mobilenet_v3_small,
        cut_features,
        models.MobileNet_V3_Small_Weights.IMAGENET1K_V1,
    ),
    "resnet50": Backbone(
        2048,
        IMAGENET_224,
        models.resnet50,
        cut_children,
        models.ResNet50_Weights.IMAGENET1K_V1,
    ),
    "vgg16": Backbone(
        4096,
        IMAGENET_224,
        models.vgg16,
        cut_fc7,
        models.VGG16_Weights.IMAGENET1K_V1,
    ),
    "vgg16_pool5": Backbone(
        25088,
        IMAGENET_224,
        models.vgg16,
        cut_pool5,
        models.VGG16_Weights.IMAGENET1K_V1,
    ),
}

LIBRARIES: Mapping[str, Callable[[str], Backbone]] = {
    "timm": find_timm,
    "torchvision": find_torchvision,
}


def find_backbone(name: str) -> Backbone:
    """Return the entry of a key of `BACKBONES`, or of `LIBRARY/NETWORK`.

    Raises:
        UserError: no such backbone; the message lists the valid names.
    """
    library, slash, network = name.partition("/")
    if slash and library in LIBRARIES:
        return LIBRARIES[library](network)
    if name not in BACKBONES:
        raise UserError(
            f"backbone {name!r}: choose one of {', '.join(sorted(BACKBONES))}, or torchvision or "
            "timm with backbone.name=NETWORK"
        )
    return BACKBONES[name]


def build_trunk(
    name: str,
    weights: str,
    pooling: str,
    trained_blocks: TrainedBlocks,
    frozen_batchnorm: BatchNormMode,
    seed: int,
    normalisation: Normalisation = "usual",
) -> Trunk:
    """Build the trunk `name`.

    Args:
        name: a key of `BACKBONES`, or `LIBRARY/NETWORK` with a key of `LIBRARIES`.
        weights: `none` (random from `seed`), `imagenet` (a download) or the path of a
            safetensors file with the state of the whole network, its classifier included.
        pooling: a key of `POOLINGS`; over the positions of the feature map. `average` alone for a
            network that gives no map.
        trained_blocks: how many of the last blocks train; see `freeze`.
        frozen_batchnorm: the mode of BatchNorm in the others.
        seed: of the random weights.
        normalisation: of photos with the backbone's mean and deviation.

    Raises:
        UserError: an unknown name of one of these, a pooling that the network has no place for,
            weights that cannot be had, or more blocks than there are. Weights are never replaced by
            random ones.
    """
    entry = find_backbone(name)
    given: object = weights  # whatever its annotation says
    if not isinstance(given, str | Path):
        raise UserError(
            f"backbone.weights={given!r}: choose none, imagenet or the path of a .safetensors file"
        )
    for key, value, names in (
        ("pooling", pooling, tuple(POOLINGS)),
        ("frozen_batchnorm", frozen_batchnorm, get_args(BatchNormMode)),
        ("normalisation", normalisation, get_args(Normalisation)),
    ):
        if value not in names:
            raise UserError(f"backbone.{key}={value!r}: choose one of {', '.join(names)}")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = entry.build()
    if weights == "imagenet":
        download_weights(network, name, entry.imagenet)
    elif weights != "none":
        load_weights(network, name, Path(weights))
    pool = build_pooling(pooling)
    stages = nn.Sequential(*entry.cut(network, pool))
    if pooling != "average" and all(module is not pool for module in stages.modules()):
        raise UserError(f"backbone.pooling={pooling}: {name} pools in its own way; choose average")
    freeze(stages, trained_blocks, frozen_batchnorm)
    cut = find_cut(stages)
    preprocessing = replace(entry.preprocessing, normalisation=normalisation)
    return Trunk(name, pooling, weights, stages, cut, entry.feature_size, preprocessing)
