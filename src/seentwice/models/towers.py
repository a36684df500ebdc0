"""Towers: from a trunk's features to an embedding.

A new tower is one class and one line of `TOWERS`.
"""

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from seentwice.errors import UserError
from seentwice.models.settings import Dropout, check_settings


class LinearTower(nn.Module):
    """Project and scale to unit length; starts at random."""

    def __init__(self, feature_size: int, embedding_size: int) -> None:
        super().__init__()
        self.projection = nn.Linear(feature_size, embedding_size)

    def forward(self, features: Tensor) -> Tensor:
        """(b, feature_size) -> (b, embedding_size), each of length 1."""
        return F.normalize(self.projection(features), dim=1)


class WhitenedTower(nn.Module):
    """Scale to unit length, centre, project, scale again; starts as a whitening without labels."""

    def __init__(self, feature_size: int, embedding_size: int) -> None:
        super().__init__()
        self.mean = nn.Parameter(torch.zeros(feature_size))
        self.projection = nn.Parameter(torch.eye(feature_size, embedding_size))

    def forward(self, features: Tensor) -> Tensor:
        """(b, feature_size) -> (b, embedding_size), each of length 1."""
        return F.normalize((F.normalize(features, dim=1) - self.mean) @ self.projection, dim=1)

    @torch.no_grad()
    def start_from(self, features: Tensor, power: float, ridge: float) -> None:
        """Set mean and projection to the whitening of unit-length features; see `fit_whitening`."""
        unit = F.normalize(features, dim=1)
        mean, projection = fit_whitening(unit, self.projection.shape[1], power, ridge)
        self.mean.copy_(mean)
        self.projection.copy_(projection)


class HardswishTower(nn.Module):
    """Project, Hardswish and dropout (SameSpace); starts at random, and lengths differ."""

    def __init__(self, feature_size: int, embedding_size: int, dropout: Dropout = 0.2) -> None:
        super().__init__()
        self.projection = nn.Linear(feature_size, embedding_size)
        self.dropout = nn.Dropout(dropout)

    def forward(self, features: Tensor) -> Tensor:
        """(b, feature_size) -> (b, embedding_size)."""
        embeddings: Tensor = self.dropout(F.hardswish(self.projection(features)))
        return embeddings


def fit_whitening(
    features: Tensor, dimensions: int, power: float, ridge: float
) -> tuple[Tensor, Tensor]:
    """Return the mean (d,) and the projection (d, dimensions) that whitens features.

    Each principal component of variance v is multiplied by (1 + v / (ridge · m))^(-power / 2), m
    the mean variance of the components that the features span: frequent directions stop
    drowning the rare ones that tell rooms apart (Jégou & Chum 2012). Directions that the features
    do not span keep their weight of 1: with fewer photos than dimensions, most of what tells new
    rooms apart lies there, and plain whitening would drop it.

    Args:
        features: (n, d) with n >= 2.
        dimensions: components to keep, at most d, of largest variance first.
        power: 0 is plain PCA, 1 full whitening.
        ridge: above 0; the larger, the more variance a direction needs to be damped.
    """
    samples = features.double()
    mean = samples.mean(dim=0)
    covariance = (samples - mean).T @ (samples - mean) / (len(samples) - 1)
    ascending, components = torch.linalg.eigh(covariance)
    variance = ascending.flip(0).clamp(min=0)
    spanned = variance > 1e-10 * variance[0]
    # Photos that all are the same span nothing, and leave every direction its weight.
    level = variance[spanned].mean() if spanned.any() else variance.new_ones(())
    scale = (1 + variance / (ridge * level)) ** (-power / 2)
    projection = components.flip(1)[:, :dimensions] * scale[:dimensions]
    return mean.to(features.dtype), projection.to(features.dtype)


TOWERS: Mapping[str, type[nn.Module]] = {
    "hardswish": HardswishTower,
    "linear": LinearTower,
    "whitened": WhitenedTower,
}

UNIT_LENGTH = frozenset({"linear", "whitened"})
"""The towers whose embeddings have length 1."""


def build_tower(
    name: str, feature_size: int, embedding_size: int, settings: Mapping[str, object]
) -> nn.Module:
    """Build a tower by name.

    Args:
        name: a key of `TOWERS`.
        feature_size: channels of what it takes.
        embedding_size: channels of what it gives.
        settings: the tower's own constructor arguments beside these, as its config file gives them.

    Raises:
        UserError: no such tower or setting, or a value that the setting cannot take.
    """
    if name not in TOWERS:
        raise UserError(f"tower {name!r}: choose one of {', '.join(sorted(TOWERS))}")
    chosen = check_settings("tower.settings", name, TOWERS[name], 2, settings)
    return TOWERS[name](feature_size, embedding_size, **chosen)
