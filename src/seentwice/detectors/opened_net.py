"""A checkpoint, opened to look at: embeddings and scores of photos, and what they rest on."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from seentwice.detectors.calibration import Calibration
from seentwice.detectors.occlusion import Score
from seentwice.models.checkpoint import CheckpointRecord
from seentwice.models.nets import VIEW_BLOCK, SiameseNet, apply_head
from seentwice.models.opened_checkpoint import open_checkpoint
from seentwice.models.trunk import Trunk
from seentwice.photos import read_photo


@dataclass(frozen=True, slots=True, eq=False)
class OpenedNet:
    """A trained net with its trunk, both in eval mode."""

    record: CheckpointRecord
    trunk: Trunk
    net: SiameseNet

    def look(self, files: Sequence[Path], max_pixels: int) -> Tensor:
        """Decode photos to the trunk's input: uint8 (n, 3, h, w).

        Raises:
            PhotoError: a file that gives no photo.
        """
        look = self.trunk.preprocessing.look
        return torch.from_numpy(np.stack([look(read_photo(file, max_pixels)) for file in files]))

    @torch.no_grad()
    def embed(self, photos: Tensor) -> Tensor:
        """Map photos (n, 3, h, w), RGB of 0 to 255, to embeddings (n, e)."""
        return torch.cat([self._pass(block) for block in torch.split(photos, VIEW_BLOCK)])

    @torch.no_grad()
    def score(
        self, embeddings: Tensor, left: NDArray[np.int64], right: NDArray[np.int64]
    ) -> NDArray[np.float64]:
        """Return the probability (n,) that pairs of embeddings (v, e) show the same place.

        Args:
            embeddings: of photos.
            left: (n,) indices into them.
            right: (n,) likewise.
        """
        sides = torch.from_numpy(left), torch.from_numpy(right)
        logits = apply_head(self.net.head, embeddings, *sides)
        calibration = Calibration(self.record.calibration_slope, self.record.calibration_offset)
        return calibration(logits.double().numpy())

    def score_beside(self, right: Tensor) -> Score:
        """Return what maps left photos to the logits of their pairs with one right photo.

        Args:
            right: (3, h, w), RGB of 0 to 255.
        """
        beside = self.embed(right[None])

        def score(photos: Tensor) -> Tensor:
            logits: Tensor = self.net.head(self._pass(photos), beside.expand(len(photos), -1))
            return logits

        return score

    def _pass(self, photos: Tensor) -> Tensor:
        """Embed photos; gradients pass, too."""
        if self.trunk.cut:
            photos = self.trunk.frozen(self.trunk.preprocessing.normalise(photos))
        return self.net.embed(photos)


def open_net(path: Path, weights: str | None = None) -> OpenedNet:
    """Open a checkpoint.

    Args:
        path: the file, or the folder of the training.
        weights: of a trunk that is frozen: none, imagenet or a file; None is where they came from.

    Raises:
        UserError: no such file, no checkpoint, or a trunk that cannot be had.
    """
    opened = open_checkpoint(path, weights, "weights=")
    opened.trunk.stages.eval()
    return OpenedNet(opened.record, opened.trunk, opened.net)
