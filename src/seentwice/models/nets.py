"""Whole networks: trunk, tower and head put together."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated

import torch
from pydantic import Field
from torch import Tensor, nn

from seentwice.models.heads import build_head
from seentwice.models.preprocessing import Preprocessing
from seentwice.models.towers import build_tower
from seentwice.models.trunk import BatchNormMode, TrainedBlocks, Trunk

VIEW_BLOCK = 256  # views at once through a trunk: more take more memory and no less time
PAIR_BLOCK = 64 * VIEW_BLOCK  # pairs at once through a head


@dataclass(frozen=True, slots=True)
class Architecture:
    """What a checkpoint must remember to build its net again: names and numbers, no classes."""

    backbone: str
    pooling: str
    trained_blocks: TrainedBlocks  # the last ones of the trunk, which are a part of the net
    frozen_batchnorm: BatchNormMode  # in training, of the blocks that are not trained
    tower: str
    embedding_size: Annotated[int, Field(ge=1, lt=2**31)]
    head: str
    head_settings: Mapping[str, object]
    tower_settings: Mapping[str, object] = field(default_factory=dict)
    shared_towers: bool = True  # or each side of a pair has its own


class SidedHead(nn.Module):
    """A tower of its own for each side of a pair, and a head on what the two give (SameSpace).

    There is no one space in which two views could be compared: every view has two embeddings.
    """

    def __init__(self, left: nn.Module, right: nn.Module, head: nn.Module) -> None:
        super().__init__()
        self.left = left
        self.right = right
        self.head = head

    def forward(self, left: Tensor, right: Tensor) -> Tensor:
        """Features (n, d), (n, d) -> logits (n,); not symmetric, whatever the head."""
        logits: Tensor = self.head(self.left(left), self.right(right))
        return logits


class SiameseNet(nn.Module):
    """A tower that both sides of a pair share, and a head on their two embeddings.

    Towers that are not shared are a part of the head, a `SidedHead`; its embeddings are then the
    features that both of them take.

    Its inputs are the rows of views at the trunk's cut, computed once per view beforehand: uint8
    looks (b, 3, h, w) where nothing of the trunk is frozen, maps (b, c, h, w) where its last
    blocks train, features (b, d) where all of it is frozen.
    """

    def __init__(
        self,
        tower: nn.Module,
        head: nn.Module,
        trunk: nn.Sequential,
        preprocessing: Preprocessing | None,
    ) -> None:
        """Put the parts together.

        Args:
            tower: from features to an embedding; the identity where sides share none.
            head: from two embeddings to a logit.
            trunk: its stages after the cut; empty where all of it is frozen.
            preprocessing: of looks; None where the inputs have passed stages already.
        """
        super().__init__()
        self.trunk = trunk
        self.preprocessing = preprocessing
        self.tower = tower
        self.head = head

    @property
    def towers(self) -> tuple[nn.Module, ...]:
        """The one tower that both sides share, or the left and the right one."""
        head = self.head
        return (head.left, head.right) if isinstance(head, SidedHead) else (self.tower,)

    def embed(self, inputs: Tensor) -> Tensor:
        """Rows at the trunk's cut (b, ...) -> embeddings (b, e)."""
        if self.preprocessing is not None:
            inputs = self.preprocessing.normalise(inputs)
        # Rows are kept in half the bytes where the bank is told to.
        inputs = inputs.to(next(self.parameters()).dtype)
        embeddings: Tensor = self.tower(self.trunk(inputs))
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
    """Build a net with fresh weights in towers and head.

    Args:
        architecture: names and sizes.
        trunk: built as the architecture names it; its stages after the cut become a part of the
            net.
        seed: of the fresh weights.

    Raises:
        UserError: an unknown tower or head, or a wrong setting of one.
    """
    chosen = architecture
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        towers = [
            build_tower(
                chosen.tower, trunk.feature_size, chosen.embedding_size, chosen.tower_settings
            )
            for _ in range(1 if chosen.shared_towers else 2)
        ]
        head = build_head(chosen.head, chosen.embedding_size, chosen.head_settings)
    tower = towers[0]
    if not chosen.shared_towers:
        tower, head = nn.Identity(), SidedHead(towers[0], towers[1], head)
    return SiameseNet(tower, head, trunk.trained, None if trunk.cut else trunk.preprocessing)


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
    one = other = embeddings
    if isinstance(head, SidedHead):
        one, left = _pass_tower(head.left, embeddings, left)
        other, right = _pass_tower(head.right, embeddings, right)
        head = head.head
    sides = torch.stack([left, right])
    logits = [head(one[pairs[0]], other[pairs[1]]) for pairs in torch.split(sides, block, dim=1)]
    return torch.cat(logits)


def _pass_tower(tower: nn.Module, features: Tensor, side: Tensor) -> tuple[Tensor, Tensor]:
    """Pass the views of one side of pairs (n,) through its tower, each once.

    Returns:
        What the tower gives (u, e), and indices into that (n,).
    """
    used, place = torch.unique(side, return_inverse=True)
    return torch.cat([tower(features[chunk]) for chunk in torch.split(used, PAIR_BLOCK)]), place
