"""A small trunk that trains from scratch in a minute on two cores."""

from torch import Tensor, nn


class CompactTrunk(nn.Module):
    """Five convolutions with BatchNorm, on photos freed of their light.

    Each colour channel of a photo is first brought to mean 0 and deviation 1 (Ulyanov et al.
    2016, arXiv:1607.08022, on the input alone): lamps and daylight change both from view to view,
    the room does not.
    """

    feature_size = 128

    def __init__(self) -> None:
        super().__init__()
        widths = [(3, 16, 2), (16, 32, 2), (32, 64, 2), (64, 96, 1), (96, 128, 2)]
        # A part of the features, since that is what a trunk is cut from.
        self.features = nn.Sequential(
            nn.InstanceNorm2d(3), *[_block(i, o, s) for i, o, s in widths]
        )

    def forward(self, photos: Tensor) -> Tensor:
        """(b, 3, h, w) -> (b, 128, h/16, w/16)."""
        maps: Tensor = self.features(photos)
        return maps


def _block(channels: int, out_channels: int, stride: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(channels, out_channels, 3, stride, padding=1, bias=False),
        nn.BatchNorm2d(out_channels),
        nn.ReLU(inplace=True),
    )
