"""What engines are measured against: photos passed through the stages as torch has them."""

import torch
from torch import Tensor, nn

from seentwice.models.preprocessing import Preprocessing


@torch.inference_mode()
def embed_looks(stages: nn.Sequential, preprocessing: Preprocessing, looks: Tensor) -> Tensor:
    """Pass uint8 looks (b, 3, h, w) through stages in eval mode: (b, d) or (b, c, h, w)."""
    pixels = looks.contiguous(memory_format=torch.channels_last)
    rows: Tensor = stages(preprocessing.normalise(pixels))
    return rows
