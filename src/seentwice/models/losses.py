"""Losses on pairs."""

from collections.abc import Callable, Mapping

import torch
from torch import Tensor
from torch.nn import functional as F

from seentwice.models.embedding_losses import as_float, find_partners


def balanced_cross_entropy(logits: Tensor, label: Tensor) -> Tensor:
    """Return the mean of the two classes' mean cross-entropies, a scalar.

    With half the weight on each class, 0.5 is the boundary at even odds whatever the share of
    positives. A class that a batch lacks counts for nothing.

    Args:
        logits: (n,) higher is more surely positive.
        label: (n,) bool.
    """
    loss = F.binary_cross_entropy_with_logits(logits, label.float(), reduction="none")
    # Weighed, not picked: to pick, a processor would wait for a graphics card in every step.
    side = torch.stack([label, ~label]).to(loss.dtype)
    count = side.sum(dim=1)
    means = (loss * side).sum(dim=1) / count.clamp(min=1)
    return means.sum() / (count > 0).sum()


def mean_cross_entropy(logits: Tensor, label: Tensor) -> Tensor:
    """Return the mean cross-entropy of all pairs, a scalar; each pair weighs the same.

    Args:
        logits: (n,) higher is more surely positive.
        label: (n,) bool.
    """
    return F.binary_cross_entropy_with_logits(logits, label.float())


PairLoss = Callable[[Tensor, Tensor], Tensor]
"""From logits (n,) and labels (n,) to a scalar."""

PAIR_LOSSES: Mapping[str, PairLoss] = {
    "balanced": balanced_cross_entropy,
    "mean": mean_cross_entropy,
}


def supervised_contrastive(
    embeddings: Tensor, left: Tensor, right: Tensor, label: Tensor, temperature: float
) -> Tensor:
    """Return the supervised contrastive loss of a batch, a scalar.

    Each view picks its positives among all its partners by a softmax over cosines (Khosla et al.
    2020, arXiv:2004.11362, L_out of equation 2), so that the hardest negatives weigh most. Where
    cross-entropy on pairs alone takes long to leave chance, this starts a trunk at once.

    Only pairs that are listed count: two views that are neither a positive nor a negative (rooms
    of one open plan) leave each other alone, and a view beside itself is no pair. A view without a
    positive is no anchor; a batch without any has the loss 0.

    Args:
        embeddings: (b, e), each of length 1.
        left: (n,) indices into the embeddings; no pair is listed twice.
        right: (n,) indices into the embeddings.
        label: (n,) bool, the same place?
        temperature: of the softmax, above 0; lower leans on fewer, harder negatives.
    """
    positive, negative = find_partners(len(embeddings), left, right, label)
    anchor = positive.any(dim=1)
    if not anchor.any():
        return embeddings.sum() * 0
    positive, negative = positive[anchor], negative[anchor]
    with torch.autocast(embeddings.device.type, enabled=False):
        rows = as_float(embeddings)
        similarity = rows[anchor] @ rows.T / temperature
        others = similarity.masked_fill(~(positive | negative), -torch.inf)
        log_share = similarity - others.logsumexp(1, keepdim=True)
        return -((log_share * positive).sum(dim=1) / positive.sum(dim=1)).mean()
