"""Heads that are multilayer perceptrons on both embeddings."""

from collections.abc import Sequence
from typing import Annotated

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional as F

from seentwice.models.settings import Dropout

Width = Annotated[int, Field(ge=1)]

COSINE_SCALE = 10.0  # what an L2 head starts with


def build_perceptron(
    size: int, hidden: Sequence[int], dropout: float | Sequence[float]
) -> nn.Sequential:
    """Build hidden layers, each with ReLU and dropout, and one output.

    Args:
        size: of the input.
        hidden: the layers' widths, from input to output.
        dropout: after each hidden layer: one rate for all, or one each.

    Raises:
        ValueError: more or fewer rates than hidden layers.
    """
    rates = dropout if isinstance(dropout, Sequence) else [dropout] * len(hidden)
    if len(rates) != len(hidden):
        raise ValueError(
            f"dropout={list(rates)}: hidden has {len(hidden)} layers; give one rate for each, or a "
            "single one for all"
        )
    layers: list[nn.Module] = []
    for width, rate in zip(hidden, rates, strict=True):
        layers += [nn.Linear(size, width), nn.ReLU(), nn.Dropout(rate)]
        size = width
    return nn.Sequential(*layers, nn.Linear(size, 1))


class ConcatHead(nn.Module):
    """A perceptron on both embeddings side by side (SameSpace).

    Not symmetric, unless it is the mean of both orders. Starting at random it has to learn from few
    pairs what the cosine knows: with `cosine_start` it begins at the logit of an untrained L2 head
    on unit-length embeddings, and the perceptron, whose last layer starts at zero, adds to that.
    """

    def __init__(
        self,
        embedding_size: int,
        hidden: Sequence[Width] = (512, 64),
        dropout: Dropout | Sequence[Dropout] = 0.3,
        symmetric: bool = False,
        cosine_start: bool = False,
    ) -> None:
        super().__init__()
        self.layers = build_perceptron(2 * embedding_size, hidden, dropout)
        self.symmetric = symmetric
        self.cosine_scale: nn.Parameter | None = None
        if cosine_start:
            self.cosine_scale = nn.Parameter(torch.tensor(COSINE_SCALE))
            for parameter in self.layers[-1].parameters():
                nn.init.zeros_(parameter)

    def forward(self, left: Tensor, right: Tensor) -> Tensor:
        """(n, d), (n, d) -> logits (n,); symmetric where it is told to be, dropout aside."""
        logits: Tensor = self.layers(torch.cat([left, right], dim=1))
        if self.symmetric:
            logits = (logits + self.layers(torch.cat([right, left], dim=1))) / 2
        if self.cosine_scale is not None:
            # 1 for equal directions, -1 for unrelated ones.
            cosine = 2 * F.cosine_similarity(left, right, dim=1).unsqueeze(1) - 1
            logits = logits + self.cosine_scale * cosine
        return logits.squeeze(1)


class SameSpaceHead(ConcatHead):
    """SameSpace's classifier, with the dropouts of the best of its 16 trials."""

    def __init__(
        self,
        embedding_size: int,
        hidden: Sequence[Width] = (2048, 1024, 512, 64),
        dropout: Dropout | Sequence[Dropout] = (0.306, 0.491, 0.562, 0.0),
    ) -> None:
        super().__init__(embedding_size, hidden, dropout)


class ProductHead(nn.Module):
    """A perceptron on each channel's absolute difference and product; symmetric."""

    def __init__(
        self,
        embedding_size: int,
        hidden: Sequence[Width] = (64,),
        dropout: Dropout | Sequence[Dropout] = 0.3,
    ) -> None:
        super().__init__()
        self.layers = build_perceptron(2 * embedding_size, hidden, dropout)

    def forward(self, left: Tensor, right: Tensor) -> Tensor:
        """(n, d), (n, d) -> logits (n,)."""
        logits: Tensor = self.layers(torch.cat([(left - right).abs(), left * right], dim=1))
        return logits.squeeze(1)
