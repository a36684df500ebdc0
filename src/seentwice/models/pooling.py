"""From a feature map to one feature vector a photo, or to one a window."""

from collections.abc import Mapping

import torch
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


class WindowPooling(nn.Module):
    """The mean over each of several windows, which overlap by about half.

    A window is a third of the map high and wide, rounded up. Between the first and the last, which
    touch the map's borders, others follow evenly, at most half a window (rounded up) apart: 9 of a
    map of 7 x 7, 16 of 8 x 8 or 9 x 9, never more than 25. A map of one cell is one window. The
    windows of R-MAC (Tolias et al. 2016, arXiv:1511.05879), of one size and with means.
    """

    def forward(self, maps: Tensor) -> Tensor:
        """(b, d, h, w) -> (b, k, d), row by row of the map."""
        # While OpenVINO traces it, what says a shape is no number.
        rows, columns = (place_windows(int(side)) for side in maps.shape[2:])
        means = [maps[:, :, row, column].mean(dim=(2, 3)) for row in rows for column in columns]
        return torch.stack(means, dim=1)


def place_windows(side: int) -> list[slice]:
    """Return where windows lie along a side of a map, which may be of any length from 1."""
    length = -(-side // 3)
    steps = -(-(side - length) // -(-length // 2))
    starts = [round(step * (side - length) / max(1, steps)) for step in range(steps + 1)]
    return [slice(start, start + length) for start in starts]


POOLINGS: Mapping[str, type[nn.Module]] = {
    "average": AveragePooling,
    "gem": GeneralisedMeanPooling,
}


def build_pooling(name: str) -> nn.Module:
    """Build one of `POOLINGS`."""
    return POOLINGS[name]()
