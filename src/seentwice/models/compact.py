"""A small trunk that trains from scratch in a minute on two cores."""

from torch import Tensor, nn


class CompactTrunk(nn.Module):
    """Six strided or plain convolutions with BatchNorm."""

    feature_size = 128

    def __init__(self) -> None:
        super().__init__()
        widths = [(3, 24, 2), (24, 32, 2), (32, 48, 1), (48, 64, 2), (64, 96, 1), (96, 128, 2)]
        self.features = nn.Sequential(*[_block(i, o, s) for i, o, s in widths])

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
