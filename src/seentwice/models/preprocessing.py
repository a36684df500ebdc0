"""How a photo becomes a trunk's input."""

from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from pydantic import Field
from torch import Tensor

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)
CENTRED_MEAN = (0.5, 0.5, 0.5)  # to [-1, 1]
CENTRED_STD = (0.5, 0.5, 0.5)

Normalisation = Literal["usual", "samespace"]
"""Mean and deviation of pixels in [0, 1]; or, a slip of SameSpace's code, of pixels in [0, 255]
that are divided by 255 only then, so that the mean is hardly taken off."""

# Bounds of what a checkpoint may name; no published network comes near them.
Side = Annotated[int, Field(ge=1, le=4096)]
Level = Annotated[float, Field(ge=-1e6, le=1e6)]
Spread = Annotated[float, Field(ge=1e-6, le=1e6)]


@dataclass(frozen=True, slots=True)
class Preprocessing:
    """How a photo becomes a trunk's input; it belongs to the backbone."""

    height_px: Side
    width_px: Side
    mean: tuple[Level, Level, Level]  # of RGB in [0, 1]
    std: tuple[Spread, Spread, Spread]
    normalisation: Normalisation = "usual"

    def look(self, image: Image.Image) -> NDArray[np.uint8]:
        """Return the photo squashed to the input size: (3, height_px, width_px) RGB."""
        small = image.resize((self.width_px, self.height_px), Image.Resampling.BICUBIC)
        return np.ascontiguousarray(np.asarray(small, dtype=np.uint8).transpose(2, 0, 1))

    def normalise(self, looks: Tensor) -> Tensor:
        """Map uint8 looks (b, 3, h, w) to float32 with the backbone's mean and deviation."""
        mean = torch.tensor(self.mean, device=looks.device).view(1, 3, 1, 1)
        std = torch.tensor(self.std, device=looks.device).view(1, 3, 1, 1)
        if self.normalisation == "samespace":
            return (looks.float() - mean) / std / 255
        return (looks.float() / 255 - mean) / std


IMAGENET_256 = Preprocessing(256, 256, IMAGENET_MEAN, IMAGENET_STD)
IMAGENET_257 = Preprocessing(257, 257, IMAGENET_MEAN, IMAGENET_STD)
IMAGENET_224 = Preprocessing(224, 224, IMAGENET_MEAN, IMAGENET_STD)
CENTRED_224 = Preprocessing(224, 224, CENTRED_MEAN, CENTRED_STD)
