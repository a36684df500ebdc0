"""Losses on pairs."""

import torch
from torch import Tensor
from torch.nn import functional as F


def balanced_cross_entropy(logits: Tensor, label: Tensor) -> Tensor:
    """Return the mean of the two classes' mean cross-entropies, a scalar.

    With half the weight on each class, 0.5 is the boundary at even odds whatever the share of
    positives. A class that a batch lacks counts for nothing.

    Args:
        logits: (n,) higher is more surely positive.
        label: (n,) bool.
    """
    loss = F.binary_cross_entropy_with_logits(logits, label.float(), reduction="none")
    means = [loss[side].mean() for side in (label, ~label) if side.any()]
    return torch.stack(means).mean()
