"""Heads on the difference of each channel; all are symmetric."""

import math
from abc import ABC, abstractmethod
from typing import Annotated

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional as F

# Beyond these the weights that a head starts with are no numbers any more.
StartScale = Annotated[float, Field(ge=0.01, le=40)]


class DifferenceHead(nn.Module, ABC):
    """logit = bias - sum over channels of a positive weight times a difference.

    The weights start equal, so on unit-length embeddings the L2 head starts at the cosine and
    can only learn which channels count for more. Equal embeddings start at the logit
    `start_scale`, unrelated ones of unit length at about `-start_scale`.
    """

    def __init__(self, embedding_size: int, start_scale: StartScale = 10.0) -> None:
        super().__init__()
        # softplus keeps weights positive: a channel that differs never speaks for "the same".
        weight = 2 * start_scale / self.unrelated_difference(embedding_size)
        start = torch.log(torch.expm1(torch.tensor(weight)))
        self.raw_weight = nn.Parameter(start.repeat(embedding_size))
        self.bias = nn.Parameter(torch.tensor(start_scale))

    @staticmethod
    @abstractmethod
    def unrelated_difference(embedding_size: int) -> float:
        """Return the difference, summed, to expect of random embeddings of unit length."""

    @abstractmethod
    def difference(self, left: Tensor, right: Tensor) -> Tensor:
        """Return the non-negative difference of each channel, (n, d)."""

    def forward(self, left: Tensor, right: Tensor) -> Tensor:
        """(n, d), (n, d) -> logits (n,); symmetric."""
        return self.bias - self.difference(left, right) @ F.softplus(self.raw_weight)


class L1Head(DifferenceHead):
    """Weighted absolute difference; Koch's, but for the sign of its weights."""

    @staticmethod
    def unrelated_difference(embedding_size: int) -> float:
        """Return 2 √(d / π): d channels, each the absolute value of a normal of variance 2/d."""
        return 2 * math.sqrt(embedding_size / math.pi)

    def difference(self, left: Tensor, right: Tensor) -> Tensor:
        """Return |left - right|."""
        return (left - right).abs()


class L2Head(DifferenceHead):
    """Weighted squared difference."""

    @staticmethod
    def unrelated_difference(embedding_size: int) -> float:
        """Return 2, the squared distance of orthogonal vectors, whatever their size."""
        return 2.0

    def difference(self, left: Tensor, right: Tensor) -> Tensor:
        """Return (left - right)²."""
        return (left - right) ** 2


class WeightedL1Head(nn.Module):
    """Learned weights of any sign on the absolute difference (Koch et al. 2015, section 3.1).

    As published, p = σ(Σ αⱼ |aⱼ - bⱼ|), with the bias of its code's last layer: a channel may
    speak for "the same" by differing, and the weights start at random.
    """

    def __init__(self, embedding_size: int) -> None:
        super().__init__()
        self.weight = nn.Linear(embedding_size, 1)

    def forward(self, left: Tensor, right: Tensor) -> Tensor:
        """(n, d), (n, d) -> logits (n,); symmetric."""
        logits: Tensor = self.weight((left - right).abs())
        return logits.squeeze(1)
