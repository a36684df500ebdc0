"""From a feature map to one feature vector a photo."""

from collections.abc import Mapping

from torch import Tensor, nn


class AveragePooling(nn.Module):
    """The mean over positions."""

    def forward(self, maps: Tensor) -> Tensor:
        """(b, d, h, w) -> (b, d)."""
        return maps.mean(dim=(2, 3))


class GeneralisedMeanPooling(nn.Module):
    """The generalised mean over positions: strong responses count for more.

    Radenović et al. 2018, arXiv:1711.02512.
    """

    def __init__(self, exponent: float = 3.0, floor: float = 1e-6) -> None:
        super().__init__()
        self.exponent = exponent
        self.floor = floor  # keeps the root differentiable where a map is 0

    def forward(self, maps: Tensor) -> Tensor:
        """(b, d, h, w) -> (b, d), all above 0."""
        powers = maps.clamp(min=self.floor) ** self.exponent
        return powers.mean(dim=(2, 3)) ** (1 / self.exponent)


POOLINGS: Mapping[str, type[nn.Module]] = {
    "average": AveragePooling,
    "gem": GeneralisedMeanPooling,
}


def build_pooling(name: str) -> nn.Module:
    """Build one of `POOLINGS`."""
    return POOLINGS[name]()
