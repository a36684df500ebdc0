"""A tagger: one trunk, a classifier for each question, and an embedding of the same features."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import torch
from pydantic import Field
from torch import Tensor, nn

from seentwice.models.nets import VIEW_BLOCK
from seentwice.models.preprocessing import Preprocessing
from seentwice.models.towers import WhitenedTower
from seentwice.models.trunk import BatchNormMode, TrainedBlocks, Trunk
from seentwice.records import TagHead, TagSet

_MOST_LABELS = 10_000  # of all heads; a record that claims more is no tagger's


@dataclass(frozen=True, slots=True)
class TaggerArchitecture:
    """What a checkpoint must remember to build its tagger again: names and numbers."""

    backbone: str
    pooling: str
    trained_blocks: TrainedBlocks  # the last ones of the trunk, which are a part of the tagger
    frozen_batchnorm: BatchNormMode  # in training, of the blocks that are not trained
    heads: tuple[TagHead, ...]
    embedding_size: Annotated[int, Field(ge=1, lt=2**31)]

    @property
    def tags(self) -> TagSet:
        """The heads as a set."""
        return TagSet(self.heads)


class PhotoTagger(nn.Module):
    """Answers questions about one photo: a linear classifier each, on features that all share.

    The embedding is a projection of these features, fitted without labels once they are final.
    Its inputs are the rows of photos at the trunk's cut, see `SiameseNet`.
    """

    temperatures: Tensor

    def __init__(
        self,
        tags: TagSet,
        feature_size: int,
        embedding_size: int,
        trunk: nn.Sequential,
        preprocessing: Preprocessing | None,
    ) -> None:
        """Put the parts together.

        Args:
            tags: the heads.
            feature_size: channels of the features.
            embedding_size: channels of the embedding.
            trunk: its stages after the cut; empty where all of it is frozen.
            preprocessing: of looks; None where the inputs have passed stages already.
        """
        super().__init__()
        self.tags = tags
        self.trunk = trunk
        self.preprocessing = preprocessing
        # What a unit-length row would leave too small for a learning rate that suits others.
        self.scale = feature_size**0.5
        self.heads = nn.ModuleList(nn.Linear(feature_size, len(one.labels)) for one in tags.heads)
        self.register_buffer("temperatures", torch.ones(len(tags)))
        self.projection = WhitenedTower(feature_size, embedding_size).requires_grad_(False)

    def features(self, inputs: Tensor) -> Tensor:
        """Rows at the trunk's cut (n, ...) -> features (n, f)."""
        if self.preprocessing is not None:
            inputs = self.preprocessing.normalise(inputs)
        # Rows are kept in half the bytes where the bank is told to.
        features: Tensor = self.trunk(inputs.to(next(self.parameters()).dtype))
        return features

    def forward(self, features: Tensor) -> tuple[Tensor, ...]:
        """Features (n, f) -> for each head its logits (n, labels), not yet calibrated."""
        unit = nn.functional.normalize(features, dim=1) * self.scale
        return tuple(head(unit) for head in self.heads)

    def probabilities(self, features: Tensor) -> Tensor:
        """Features (n, f) -> calibrated probabilities (n, t), the labels of all heads in order.

        Those of one head sum to 1.
        """
        return torch.cat(
            [
                (logits / temperature).softmax(dim=1)
                for logits, temperature in zip(self(features), self.temperatures, strict=True)
            ],
            dim=1,
        )

    def embed(self, features: Tensor) -> Tensor:
        """Features (n, f) -> embeddings (n, e) of length 1."""
        embeddings: Tensor = self.projection(features)
        return embeddings


def build_tagger(architecture: TaggerArchitecture, trunk: Trunk, seed: int) -> PhotoTagger:
    """Build a tagger with fresh weights in its heads.

    Args:
        architecture: heads and sizes.
        trunk: built as the architecture names it; its stages after the cut become a part of the
            tagger.
        seed: of the fresh weights.

    Raises:
        ValueError: no heads, one of fewer than two labels, too many labels, or an embedding of more
            channels than the features have.
    """
    tags = architecture.tags
    if not tags.heads or any(len(head.labels) < 2 for head in tags.heads):
        raise ValueError("a tagger needs heads, each of at least two labels")
    if tags.width > _MOST_LABELS:
        raise ValueError(f"{tags.width:,} labels, where {_MOST_LABELS:,} are the most")
    if architecture.embedding_size > trunk.feature_size:
        raise ValueError(
            f"an embedding of {architecture.embedding_size:,} channels of {trunk.feature_size:,}"
        )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return PhotoTagger(
            tags,
            trunk.feature_size,
            architecture.embedding_size,
            trunk.trained,
            None if trunk.cut else trunk.preprocessing,
        )


@torch.inference_mode()
def pass_trunk(tagger: PhotoTagger, inputs: Tensor, chosen: Tensor | None = None) -> Tensor:
    """Return the features (n, f) of inputs in eval mode, so many at once.

    Args:
        tagger: put into eval mode.
        inputs: (v, ...) rows at the cut.
        chosen: (n,) indices into them; None is all.
    """
    tagger.eval()
    indices = torch.arange(len(inputs)) if chosen is None else chosen
    parts: Sequence[Tensor] = torch.split(indices, VIEW_BLOCK)
    return torch.cat([tagger.features(inputs[part]) for part in parts])
