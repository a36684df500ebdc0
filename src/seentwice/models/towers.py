"""Towers: from a trunk's features to an embedding, shared by both sides of a pair.

A new tower is one class and one line of `TOWERS`.
"""

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from seentwice.errors import UserError


class LinearTower(nn.Module):
    """Project and scale to unit length; starts at random."""

    def __init__(self, feature_size: int, embedding_size: int) -> None:
        super().__init__()
        self.projection = nn.Linear(feature_size, embedding_size)

    def forward(self, features: Tensor) -> Tensor:
        """(b, feature_size) -> (b, embedding_size), each of length 1."""
        return F.normalize(self.projection(features), dim=1)


class WhitenedTower(nn.Module):
    """Centre, project, scale to unit length; starts as the whitening of unlabelled features."""

    def __init__(self, feature_size: int, embedding_size: int) -> None:
        super().__init__()
        self.mean = nn.Parameter(torch.zeros(feature_size))
        self.projection = nn.Parameter(torch.eye(feature_size, embedding_size))

    def forward(self, features: Tensor) -> Tensor:
        """(b, feature_size) -> (b, embedding_size), each of length 1."""
        return F.normalize((features - self.mean) @ self.projection, dim=1)

    @torch.no_grad()
    def start_from(self, features: Tensor, power: float) -> None:
        """Set mean and projection to the whitening of features; see `fit_whitening`."""
        mean, projection = fit_whitening(features, self.projection.shape[1], power)
        self.mean.copy_(mean)
        self.projection.zero_()
        self.projection[:, : projection.shape[1]] = projection


def fit_whitening(features: Tensor, dimensions: int, power: float) -> tuple[Tensor, Tensor]:
    """Return the mean (d,) and the projection (d, k) that whitens features.

    Principal components, each divided by its standard deviation to the given power (Jégou & Chum
    2012; half whitening is power 0.5): frequent directions stop drowning the rare ones that tell
    rooms apart. k is `dimensions`, or fewer where the features span fewer.

    Args:
        features: (n, d) with n >= 2.
        dimensions: components to keep, at most d.
        power: 0 is plain PCA, 1 full whitening.
    """
    mean = features.mean(dim=0)
    _, deviation, components = torch.linalg.svd(features - mean, full_matrices=False)
    rank = min(dimensions, int((deviation > 1e-5 * deviation[0]).sum()))
    scale = (deviation[:rank] / (len(features) - 1) ** 0.5) ** -power
    return mean, components[:rank].T * scale


TOWERS: Mapping[str, type[nn.Module]] = {"linear": LinearTower, "whitened": WhitenedTower}


def build_tower(name: str, feature_size: int, embedding_size: int) -> nn.Module:
    """Build a tower by name.

    Raises:
        UserError: no such tower; the message lists the valid names.
    """
    if name not in TOWERS:
        raise UserError(f"tower {name!r}: choose one of {', '.join(sorted(TOWERS))}")
    return TOWERS[name](feature_size, embedding_size)
