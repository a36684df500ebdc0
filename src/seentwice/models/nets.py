"""Whole networks: trunk, tower and head put together."""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from seentwice.models.backbones import Preprocessing, Trunk
from seentwice.models.heads import build_head
from seentwice.models.towers import build_tower


@dataclass(frozen=True, slots=True)
class Architecture:
    """What a checkpoint must remember to build its net again: names and numbers, no classes."""

    backbone: str
    pooling: str
    trunk_trains: bool  # the trunk is a part of the net; else the net starts at its features
    tower: str
    embedding_size: int
    head: str
    head_settings: Mapping[str, object]


class SiameseNet(nn.Module):
    """Two towers with shared weights, and a head on their two embeddings.

    With a trunk that trains, its inputs are uint8 looks (b, 3, h, w); without one, the features
    (b, d) of a frozen trunk, computed once per view beforehand.
    """

    def __init__(
        self,
        tower: nn.Module,
        head: nn.Module,
        trunk: nn.Module | None = None,
        preprocessing: Preprocessing | None = None,
    ) -> None:
        super().__init__()
        if (trunk is None) != (preprocessing is None):
            raise ValueError("a trunk needs its preprocessing, and the other way round")
        self.trunk = trunk
        self.preprocessing = preprocessing
        self.tower = tower
        self.head = head

    def embed(self, inputs: Tensor) -> Tensor:
        """Looks (b, 3, h, w) or features (b, d) -> embeddings (b, e)."""
        if self.trunk is not None and self.preprocessing is not None:
            inputs = self.trunk(self.preprocessing.normalise(inputs))
        embeddings: Tensor = self.tower(inputs)
        return embeddings

    def forward(self, inputs: Tensor, left: Tensor, right: Tensor) -> Tensor:
        """Score pairs of a batch of views, each embedded once.

        Args:
            inputs: (b, ...) the views of the batch.
            left: (n,) indices into the batch.
            right: (n,) indices into the batch.

        Returns:
            Logits (n,), higher is more surely the same place.
        """
        embeddings = self.embed(inputs)
        logits: Tensor = self.head(embeddings[left], embeddings[right])
        return logits


def build_siamese(architecture: Architecture, trunk: Trunk, seed: int) -> SiameseNet:
    """Build a net with fresh weights in tower and head.

    Args:
        architecture: names and sizes.
        trunk: the built trunk; becomes a part of the net where it trains.
        seed: of the fresh weights.

    Raises:
        UserError: an unknown tower, head or head setting.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        tower = build_tower(architecture.tower, trunk.feature_size, architecture.embedding_size)
        head = build_head(
            architecture.head, architecture.embedding_size, architecture.head_settings
        )
    if not architecture.trunk_trains:
        return SiameseNet(tower, head)
    return SiameseNet(tower, head, trunk.module, trunk.preprocessing)


@torch.inference_mode()
def score_pairs(
    net: SiameseNet, inputs: Tensor, left: Tensor, right: Tensor, block: int = 256
) -> Tensor:
    """Return the logits (n,) of pairs in eval mode; each view is embedded once.

    Args:
        net: put into eval mode.
        inputs: (v, ...) rows of views; those that no pair names are not embedded.
        left: (n,) indices into the views.
        right: (n,) indices into the views.
        block: views at once through the trunk; pairs go in blocks 64 times as large.
    """
    net.eval()
    used, place = torch.unique(torch.cat([left, right]), return_inverse=True)
    embeddings = torch.cat([net.embed(inputs[chunk]) for chunk in torch.split(used, block)])
    sides = torch.stack([place[: len(left)], place[len(left) :]])
    logits = [
        net.head(embeddings[pairs[0]], embeddings[pairs[1]])
        for pairs in torch.split(sides, 64 * block, dim=1)
    ]
    return torch.cat(logits)
