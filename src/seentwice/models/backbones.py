"""Backbones by name: the trunk, where it is cut, its feature size, its preprocessing, its weights.

A trunk maps normalised photos (b, 3, h, w) to features (b, d). A new backbone is one builder and
one line of `BACKBONES`.
"""

import hashlib
import pickle
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.error import URLError

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn
from torchvision import models

from seentwice.display import one_line
from seentwice.errors import UserError
from seentwice.models.compact import CompactTrunk
from seentwice.models.pooling import POOLINGS, build_pooling

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)


@dataclass(frozen=True, slots=True)
class Preprocessing:
    """How a photo becomes a trunk's input; it belongs to the backbone."""

    height_px: int
    width_px: int
    mean: tuple[float, float, float]  # of RGB in [0, 1]
    std: tuple[float, float, float]

    def look(self, image: Image.Image) -> NDArray[np.uint8]:
        """Return the photo squashed to the input size: (3, height_px, width_px) RGB."""
        small = image.resize((self.width_px, self.height_px), Image.Resampling.BICUBIC)
        return np.ascontiguousarray(np.asarray(small, dtype=np.uint8).transpose(2, 0, 1))

    def normalise(self, looks: Tensor) -> Tensor:
        """Map uint8 looks (b, 3, h, w) to float32 with the backbone's mean and deviation."""
        mean = torch.tensor(self.mean, device=looks.device).view(1, 3, 1, 1)
        std = torch.tensor(self.std, device=looks.device).view(1, 3, 1, 1)
        return (looks.float() / 255 - mean) / std


IMAGENET_256 = Preprocessing(256, 256, IMAGENET_MEAN, IMAGENET_STD)
IMAGENET_257 = Preprocessing(257, 257, IMAGENET_MEAN, IMAGENET_STD)
IMAGENET_224 = Preprocessing(224, 224, IMAGENET_MEAN, IMAGENET_STD)


@dataclass(frozen=True, slots=True)
class Backbone:
    """An entry of the registry."""

    feature_size: int
    preprocessing: Preprocessing
    build: Callable[[], nn.Module]  # the whole network that weights are published for
    cut: Callable[[nn.Module, nn.Module], nn.Module]  # (network, pooling) -> trunk
    imagenet: models.WeightsEnum | None  # torchvision's weights, where there are any
    pools: bool = True  # whether `cut` uses the pooling


def _cut_features(network: nn.Module, pooling: nn.Module) -> nn.Module:
    features = network.features
    assert isinstance(features, nn.Module)
    return nn.Sequential(features, pooling)


def _cut_fc7(network: nn.Module, pooling: nn.Module) -> nn.Module:
    """Cut VGG-16 after the ReLU of fc7; its own 7 x 7 pooling comes first, `pooling` is unused."""
    features, avgpool, classifier = network.features, network.avgpool, network.classifier
    assert isinstance(features, nn.Module)
    assert isinstance(avgpool, nn.Module)
    assert isinstance(classifier, nn.Sequential)
    return nn.Sequential(features, avgpool, nn.Flatten(), *classifier[:5])


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
        pools=False,
    ),
}


@dataclass(frozen=True, slots=True)
class Trunk:
    """A built trunk with what a checkpoint must remember of it."""

    backbone: str
    pooling: str
    weights: str  # "none", "imagenet" or a file
    module: nn.Module
    feature_size: int
    preprocessing: Preprocessing

    @property
    def fingerprint(self) -> str:
        """The sha256 of the trunk's names, shapes and values."""
        pooling = self.pooling if find_backbone(self.backbone).pools else "its own"
        digest = hashlib.sha256(f"{self.backbone}/{pooling}".encode())
        for name, tensor in sorted(self.module.state_dict().items()):
            digest.update(f"{name}{tuple(tensor.shape)}".encode())
            digest.update(tensor.cpu().contiguous().numpy().tobytes())
        return digest.hexdigest()


def find_backbone(name: str) -> Backbone:
    """Return the registry's entry.

    Raises:
        UserError: no such backbone; the message lists the valid names.
    """
    if name not in BACKBONES:
        raise UserError(f"backbone {name!r}: choose one of {', '.join(sorted(BACKBONES))}")
    return BACKBONES[name]


def build_trunk(name: str, weights: str, pooling: str, seed: int) -> Trunk:
    """Build the trunk `name` in eval mode.

    Args:
        name: a key of `BACKBONES`.
        weights: `none` (random from `seed`), `imagenet` (torchvision's download) or the path of
            a safetensors file with the state of the whole torchvision network.
        pooling: a key of `POOLINGS`; over the positions of the feature map.
        seed: of the random weights.

    Raises:
        UserError: an unknown name, or weights that cannot be had. They are never replaced by
            random ones.
    """
    entry = find_backbone(name)
    if pooling not in POOLINGS:
        raise UserError(f"backbone.pooling={pooling!r}: choose one of {', '.join(POOLINGS)}")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = entry.build()
    if weights == "imagenet":
        network.load_state_dict(_download(name, entry))
    elif weights != "none":
        _load_file(network, name, Path(weights))
    module = entry.cut(network, build_pooling(pooling)).eval()
    return Trunk(name, pooling, weights, module, entry.feature_size, entry.preprocessing)


def _download(name: str, entry: Backbone) -> Mapping[str, Tensor]:
    if entry.imagenet is None:
        raise UserError(
            f"backbone.weights=imagenet: {name} has no published weights; use none or a file"
        )
    cache = Path(torch.hub.get_dir()) / "checkpoints" / Path(entry.imagenet.url).name
    try:
        _check_hash(cache)
        state: Mapping[str, Tensor] = entry.imagenet.get_state_dict(
            progress=True, check_hash=True, weights_only=True
        )
    except (URLError, OSError, RuntimeError) as error:
        raise UserError(
            f"backbone.weights=imagenet: cannot download {entry.imagenet.url} ({error}); "
            f"put that file at {cache}, give backbone.weights=FILE.safetensors, "
            "or backbone.weights=none for an untrained trunk"
        ) from error
    except pickle.UnpicklingError as error:
        raise UserError(
            f"backbone.weights=imagenet: {cache} cannot be read: delete it to download it again"
        ) from error
    return state


def _check_hash(cache: Path) -> None:
    """Compare a file that is there already with the sha256 in its name: torch checks new ones only.

    Raises:
        UserError: another file than was published.
    """
    named = re.search(r"-([a-f0-9]+)\.", cache.name)
    if named is None or not cache.is_file():
        return
    with cache.open("rb") as stream:
        found = hashlib.file_digest(stream, "sha256").hexdigest()
    if not found.startswith(named[1]):
        raise UserError(
            f"backbone.weights=imagenet: {cache} is not the file that was published "
            f"(its sha256 starts with {found[: len(named[1])]}): delete it to download it again"
        )


def _load_file(network: nn.Module, name: str, path: Path) -> None:
    if path.suffix != ".safetensors":
        raise UserError(
            f"backbone.weights={path}: choose none, imagenet or a .safetensors file "
            "(other formats can run code when they are opened)"
        )
    if not path.is_file():
        raise UserError(f"backbone.weights={path}: no such file")
    try:
        network.load_state_dict(load_file(path))
    except (SafetensorError, RuntimeError, OSError) as error:
        raise UserError(
            f"backbone.weights={path}: not the weights of {name}: {one_line(error)}"
        ) from error


@torch.inference_mode()
def embed_looks(trunk: Trunk, looks: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Pass looks (b, 3, h, w) through the trunk once: features (b, feature_size)."""
    pixels = torch.from_numpy(looks).contiguous(memory_format=torch.channels_last)
    features: Tensor = trunk.module(trunk.preprocessing.normalise(pixels))
    return features.numpy()
