"""Heads: two embeddings in, one logit out; they differ in how the two combine.

A new head is one class and one line of `HEADS`; those that only embeddings learn for are in
`embedding_heads`.
"""

import inspect
import math
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Annotated

import torch
from pydantic import Field, TypeAdapter, ValidationError
from torch import Tensor, nn
from torch.nn import functional as F

from seentwice.errors import UserError
from seentwice.models.embedding_heads import EMBEDDING_HEADS

# Beyond these the weights that a head starts with are no numbers any more.
StartScale = Annotated[float, Field(ge=0.01, le=40)]
Width = Annotated[int, Field(ge=1)]
Dropout = Annotated[float, Field(ge=0, lt=1)]


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
    """Weighted absolute difference (Koch et al. 2015, section 3.1)."""

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


class ConcatHead(nn.Module):
    """A multilayer perceptron on both embeddings side by side (SameSpace); not symmetric."""

    def __init__(
        self,
        embedding_size: int,
        hidden: Sequence[Width] = (512, 64),
        dropout: Dropout = 0.3,
    ) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        size = 2 * embedding_size
        for width in hidden:
            layers += [nn.Linear(size, width), nn.ReLU(), nn.Dropout(dropout)]
            size = width
        self.layers = nn.Sequential(*layers, nn.Linear(size, 1))

    def forward(self, left: Tensor, right: Tensor) -> Tensor:
        """(n, d), (n, d) -> logits (n,)."""
        logits: Tensor = self.layers(torch.cat([left, right], dim=1))
        return logits.squeeze(1)


HEADS: Mapping[str, type[nn.Module]] = {
    "l1": L1Head,
    "l2": L2Head,
    "concat": ConcatHead,
    **EMBEDDING_HEADS,
}


def build_head(name: str, embedding_size: int, settings: Mapping[str, object]) -> nn.Module:
    """Build a head by name.

    Args:
        name: a key of `HEADS`.
        embedding_size: channels of each of the two embeddings.
        settings: the head's own constructor arguments, as its config file gives them.

    Raises:
        UserError: no such head or setting, or a value that the setting cannot take.
    """
    if name not in HEADS:
        raise UserError(f"head {name!r}: choose one of {', '.join(sorted(HEADS))}")
    _, *valid = inspect.signature(HEADS[name]).parameters.values()
    annotations = {parameter.name: parameter.annotation for parameter in valid}
    unknown = sorted(set(settings) - set(annotations))
    if unknown:
        raise UserError(
            f"head.{name}.{unknown[0]}: no such setting; "
            f"{name} takes {', '.join(annotations) or 'none'}"
        )
    chosen = {
        setting: _validate(f"head.{name}.{setting}", annotations[setting], value)
        for setting, value in settings.items()
    }
    return HEADS[name](embedding_size, **chosen)


def _validate(key: str, annotation: type[object], value: object) -> object:
    try:
        return TypeAdapter(annotation).validate_python(value)
    except ValidationError as error:
        raise UserError(f"{key}={value!r}: {error.errors()[0]['msg']}") from error
