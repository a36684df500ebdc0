"""A whole checkpoint as one function of two batches of photos."""

from torch import Tensor, nn

from seentwice.models.nets import SiameseNet
from seentwice.models.trunk import Trunk


class PairScorer(nn.Module):
    """Trunk, towers, head and calibration put together, for use outside of this package."""

    def __init__(self, trunk: Trunk, net: SiameseNet, slope: float, offset: float) -> None:
        """Take the parts of a checkpoint; all are put into eval mode.

        Args:
            trunk: whose stages after the cut are the net's own.
            net: loaded from the checkpoint.
            slope: of the calibration.
            offset: likewise.
        """
        super().__init__()
        self.frozen = trunk.frozen
        self.trunk = net.trunk
        self.tower = net.tower
        self.head = net.head
        self.slope = slope
        self.offset = offset
        self.eval()
        self.requires_grad_(False)

    def embed(self, photos: Tensor) -> Tensor:
        """Map preprocessed photos (n, 3, h, w) to embeddings (n, e)."""
        embeddings: Tensor = self.tower(self.trunk(self.frozen(photos)))
        return embeddings

    def forward(self, left: Tensor, right: Tensor) -> Tensor:
        """Score pairs of photos.

        Args:
            left: (n, 3, h, w) float32, preprocessed.
            right: likewise, the other photo of each pair.

        Returns:
            Calibrated probabilities (n,) float32; of both orders the same where the head is
            symmetric.
        """
        logits: Tensor = self.head(self.embed(left), self.embed(right))
        # As where it was measured: a steep slope takes what a large offset leaves of float32.
        return (self.slope * logits.double() + self.offset).sigmoid().float()
