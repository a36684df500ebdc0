"""The loss of a tagger: a cross-entropy of each head over the photos whose label is known."""

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

UNKNOWN = -1


def balanced_weights(counts: Tensor) -> Tensor:
    """Return weights (labels,) with which every label counts alike; 0 for one without photos.

    Args:
        counts: (labels,) photos of each label.
    """
    found = counts > 0
    whole = counts.sum() / found.sum().clamp(min=1)
    return torch.where(found, whole / counts.clamp(min=1), torch.zeros(())).float()


def masked_cross_entropy(logits: Tensor, label: Tensor, weight: Tensor) -> Tensor:
    """Return the mean cross-entropy of photos whose label is known; 0 where none is.

    Args:
        logits: (n, labels).
        label: (n,) number of a label, or `UNKNOWN`.
        weight: (labels,) of the photos of each label in the mean.
    """
    whole = F.cross_entropy(logits, label, weight, ignore_index=UNKNOWN, reduction="sum")
    known = torch.where(label == UNKNOWN, weight.new_zeros(()), weight[label.clamp(min=0)])
    return whole / known.sum().clamp(min=torch.finfo(weight.dtype).tiny)


def tag_loss(logits: Sequence[Tensor], label: Tensor, weights: Sequence[Tensor]) -> Tensor:
    """Return the mean of the heads' losses.

    Args:
        logits: of each head, (n, labels).
        label: (n, h).
        weights: of each head's labels.
    """
    losses = [
        masked_cross_entropy(one, column, weight)
        for one, column, weight in zip(logits, label.T, weights, strict=True)
    ]
    return torch.stack(losses).mean()
