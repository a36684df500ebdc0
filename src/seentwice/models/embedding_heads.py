"""Heads that learn nothing themselves: two embeddings are as near as they are.

What differs is what the embeddings are trained by, and on which batches. A new objective is one
class and one line of `EMBEDDING_HEADS`.
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal

from pydantic import Field
from torch import Tensor, nn

from seentwice.models.embedding_losses import Mining, contrastive, nearest_entropy, triplet
from seentwice.models.losses import supervised_contrastive

BatchSource = Literal["table", "places", "copies"]
"""Pairs of the table; places with several views each; photos with an edited copy each."""

Distance = Annotated[float, Field(gt=0, le=2)]  # of embeddings of length 1
Temperature = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Weight = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class EmbeddingHead(nn.Module, ABC):
    """logit = 10 - 10 |left - right|²: where an L2 head starts, and where this one stays.

    So what trains is what makes the embeddings, and any index of nearest neighbours finds what the
    net finds. Calibration on validation pairs turns the logit into a probability; a threshold on
    that is one on the distance.
    """

    SCALE: ClassVar[float] = 10.0
    batches: ClassVar[BatchSource]
    """What the loss is to be given."""

    def forward(self, left: Tensor, right: Tensor) -> Tensor:
        """(n, d), (n, d) -> logits (n,); symmetric."""
        return self.SCALE - self.SCALE * ((left - right) ** 2).sum(dim=1)

    def distance_at(self, logit: float) -> float:
        """Return the distance, 0 to 2, at which two embeddings of length 1 have a logit.

        The nearest there is where none is so near, and the farthest where none is so far.
        """
        return math.sqrt(min(max(1 - logit / self.SCALE, 0.0), 4.0))

    @abstractmethod
    def loss(self, embeddings: Tensor, left: Tensor, right: Tensor, label: Tensor) -> Tensor:
        """Return the loss of a batch, a scalar.

        Args:
            embeddings: (b, d), each of length 1.
            left: (n,) indices into the embeddings; no pair is listed twice.
            right: (n,) indices into the embeddings.
            label: (n,) bool.
        """


class TripletHead(EmbeddingHead):
    """A view is nearer to those of its own place than to others, by a margin; see `triplet`."""

    batches = "places"

    def __init__(
        self, embedding_size: int, margin: Distance = 0.2, mining: Mining = "semi_hard"
    ) -> None:
        super().__init__()
        self.margin = margin
        self.mining = mining

    def loss(self, embeddings: Tensor, left: Tensor, right: Tensor, label: Tensor) -> Tensor:
        """Return the triplet loss."""
        return triplet(embeddings, left, right, label, self.margin, self.mining)


class ContrastiveHead(EmbeddingHead):
    """Pairs of one place meet, others keep a distance; see `contrastive`."""

    batches = "table"

    def __init__(self, embedding_size: int, margin: Distance = 1.0) -> None:
        super().__init__()
        self.margin = margin

    def loss(self, embeddings: Tensor, left: Tensor, right: Tensor, label: Tensor) -> Tensor:
        """Return the contrastive loss."""
        return contrastive(embeddings, left, right, label, self.margin)


class InfoNceHead(EmbeddingHead):
    """A view picks the other one of its photo among all others; needs no labels.

    The recipe of SSCD (Pizzi et al. 2022, arXiv:2202.10261, section 4): InfoNCE, which is the
    supervised contrastive loss where each view has one positive, and the entropy of the embeddings.
    """

    batches = "copies"

    def __init__(
        self, embedding_size: int, temperature: Temperature = 0.05, entropy_weight: Weight = 30.0
    ) -> None:
        super().__init__()
        self.temperature = temperature
        self.entropy_weight = entropy_weight

    def loss(self, embeddings: Tensor, left: Tensor, right: Tensor, label: Tensor) -> Tensor:
        """Return InfoNCE plus the weighted entropy term."""
        loss = supervised_contrastive(embeddings, left, right, label, self.temperature)
        if self.entropy_weight:
            loss = loss + self.entropy_weight * nearest_entropy(embeddings, left, right, label)
        return loss


EMBEDDING_HEADS: Mapping[str, type[EmbeddingHead]] = {
    "triplet": TripletHead,
    "contrastive": ContrastiveHead,
    "infonce": InfoNceHead,
}
