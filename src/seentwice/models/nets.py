"""Whole networks: trunk, tower and head put together."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

import torch
from pydantic import Field
from torch import Tensor, nn

from seentwice.models.backbones import Preprocessing, Trunk, find_backbone
from seentwice.models.heads import build_head
from seentwice.models.towers import build_tower

VIEW_BLOCK = 256  # views at once through a trunk: more take more memory and no less time
PAIR_BLOCK = 64 * VIEW_BLOCK  # pairs at once through a head


@dataclass(frozen=True, slots=True)
class Architecture:
    """What a checkpoint must remember to build its net again: names and numbers, no classes."""

    backbone: str
    pooling: str
    trunk_trains: bool  # the trunk is a part of the net; else the net starts at its features
    tower: str
    embedding_size: Annotated[int, Field(ge=1)]
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


def build_siamese(architecture: Architecture, trunk: Trunk | None, seed: int) -> SiameseNet:
    """Build a net with fresh weights in tower and head.

    Args:
        architecture: names and sizes.
        trunk: becomes a part of the net where it trains; a frozen one is not needed, None will do.
        seed: of the fresh weights.

    Raises:
        UserError: an unknown backbone, tower or head, or a wrong setting of the head.
        ValueError: the trunk trains and is None.
    """
    feature_size = find_backbone(architecture.backbone).feature_size
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        tower = build_tower(architecture.tower, feature_size, architecture.embedding_size)
        head = build_head(
            architecture.head, architecture.embedding_size, architecture.head_settings
        )
    if not architecture.trunk_trains:
        return SiameseNet(tower, head)
    if trunk is None:
        raise ValueError("a net whose trunk trains needs the trunk")
    return SiameseNet(tower, head, trunk.module, trunk.preprocessing)


@torch.inference_mode()
def embed_views(net: SiameseNet, inputs: Tensor, chosen: Tensor, block: int = VIEW_BLOCK) -> Tensor:
    """Return the embeddings (n, e) of chosen views (n,) in eval mode, so many at once."""
    net.eval()
    return torch.cat([net.embed(inputs[chunk]) for chunk in torch.split(chosen, block)])


@torch.inference_mode()
def pair_logits(
    net: SiameseNet, inputs: Tensor, left: Tensor, right: Tensor, block: int = VIEW_BLOCK
) -> Tensor:
    """Return the logits (n,) of pairs in eval mode; each view is embedded once.

    Args:
        net: put into eval mode.
        inputs: (v, ...) rows of views; those that no pair names are not embedded.
        left: (n,) indices into the views.
        right: (n,) indices into the views.
        block: views at once through the trunk.
    """
    used, place = torch.unique(torch.cat([left, right]), return_inverse=True)
    embeddings = embed_views(net, inputs, used, block)
    return apply_head(net.head, embeddings, place[: len(left)], place[len(left) :], 64 * block)


def apply_head(
    head: nn.Module, embeddings: Tensor, left: Tensor, right: Tensor, block: int = PAIR_BLOCK
) -> Tensor:
    """Return the logits (n,) of pairs of embeddings (v, e), so many pairs at once."""
    sides = torch.stack([left, right])
    logits = [
        head(embeddings[pairs[0]], embeddings[pairs[1]])
        for pairs in torch.split(sides, block, dim=1)
    ]
    return torch.cat(logits)
