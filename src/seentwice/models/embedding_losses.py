"""Losses on the embeddings of a batch alone: they pull those of one place together.

Each takes explicit pairs. Two views that are no pair, such as rooms of one open plan, are neither
pulled together nor pushed apart. All are 0, with gradients that are 0, where a batch holds nothing
to learn from, and finite for embeddings that are equal.
"""

from typing import Literal

import torch
from torch import Tensor

Mining = Literal["semi_hard", "batch_hard", "all"]

LEAST_DISTANCE = 1e-6  # nearer ones have no direction to be pushed in, and no finite logarithm


def triplet(
    embeddings: Tensor, left: Tensor, right: Tensor, label: Tensor, margin: float, mining: Mining
) -> Tensor:
    """Return the mean of max(0, d(anchor, positive) - d(anchor, negative) + margin), a scalar.

    Distances are Euclidean, not squared, with which training collapses more often (Hermans et al.
    2017, arXiv:1703.07737, section 3). Which triplets of the batch count:

    - `semi_hard`: every anchor and positive once, with the nearest negative that is farther than
      the positive; where all are nearer, with the farthest. Schroff et al. 2015 (FaceNet,
      arXiv:1503.03832, section 3.2) leave the latter case open.
    - `batch_hard`: every anchor once, with its farthest positive and nearest negative (Hermans et
      al., equation 5).
    - `all`: every triplet, but the mean is over those that are not yet apart by the margin (there,
      "batch all ≠0").

    Args:
        embeddings: (b, e), each of length 1.
        left: (n,) indices into the embeddings.
        right: (n,) indices into the embeddings.
        label: (n,) bool, the same place?
        margin: above 0, and at most 2, the largest distance there is.
        mining: which triplets count.
    """
    positive, negative = find_partners(len(embeddings), left, right, label)
    distance = _distances(embeddings)
    if mining == "batch_hard":
        anchor = positive.any(dim=1) & negative.any(dim=1)
        near = distance[anchor].masked_fill(~positive[anchor], -torch.inf).amax(dim=1)
        far = distance[anchor].masked_fill(~negative[anchor], torch.inf).amin(dim=1)
        hinge = (near - far + margin).clamp(min=0)
    else:
        one, other = (positive & negative.any(dim=1, keepdim=True)).nonzero(as_tuple=True)
        near = distance[one, other].unsqueeze(1)  # (k, 1) of every anchor and positive
        far, allowed = distance[one], negative[one]  # (k, b)
        if mining == "semi_hard":
            farther = allowed & (far > near)
            hardest = far.masked_fill(~farther, torch.inf).amin(dim=1, keepdim=True)
            easiest = far.masked_fill(~allowed, -torch.inf).amax(dim=1, keepdim=True)
            far = torch.where(farther.any(dim=1, keepdim=True), hardest, easiest)
            hinge = (near - far + margin).clamp(min=0)
        else:
            apart = near - far + margin
            hinge = apart[allowed & (apart > 0)]
    return hinge.mean() if hinge.numel() else embeddings.sum() * 0


def contrastive(
    embeddings: Tensor, left: Tensor, right: Tensor, label: Tensor, margin: float
) -> Tensor:
    """Return the mean over pairs of d² / 2 or, of two places, max(0, margin - d)² / 2, a scalar.

    Hadsell et al. 2006, "Dimensionality reduction by learning an invariant mapping", equation 4.

    Args:
        embeddings: (b, e), each of length 1.
        left: (n,) indices into the embeddings.
        right: (n,) indices into the embeddings.
        label: (n,) bool, the same place?
        margin: the distance beyond which two places leave each other alone, above 0.
    """
    distance = _distance(embeddings[left], embeddings[right])
    lacking = torch.where(label, distance, (margin - distance).clamp(min=0))
    return (lacking**2).mean() / 2 if len(label) else embeddings.sum() * 0


def nearest_entropy(embeddings: Tensor, left: Tensor, right: Tensor, label: Tensor) -> Tensor:
    """Return minus the mean log distance of each view to its nearest negative, a scalar.

    The Kozachenko-Leonenko estimate of the embeddings' entropy, negated: it spreads them over the
    sphere, so that one threshold serves everywhere (Sablayrolles et al. 2019, arXiv:1806.03198;
    without positives, Pizzi et al. 2022, SSCD, arXiv:2202.10261, section 4.3).

    Args:
        embeddings: (b, e), each of length 1.
        left: (n,) indices into the embeddings.
        right: (n,) indices into the embeddings.
        label: (n,) bool, views of one photo?
    """
    _, negative = find_partners(len(embeddings), left, right, label)
    anchor = negative.any(dim=1)
    if not anchor.any():
        return embeddings.sum() * 0
    away = _distances(embeddings.detach()).masked_fill(~negative, torch.inf)
    nearest = _distance(embeddings[anchor], embeddings[away.argmin(dim=1)[anchor]])
    return -nearest.clamp(min=LEAST_DISTANCE).log().mean()


def find_partners(count: int, left: Tensor, right: Tensor, label: Tensor) -> tuple[Tensor, Tensor]:
    """Return which views are each other's positives and negatives, (b, b) bool each.

    No view is a partner of its own: SameSpace's table pairs photos with themselves.
    """
    paired = torch.zeros(count, count, dtype=torch.bool, device=label.device)
    positive = paired.clone()
    paired[left, right] = paired[right, left] = True
    positive[left, right] = positive[right, left] = label
    paired.fill_diagonal_(False)
    return positive & paired, ~positive & paired


def _distances(embeddings: Tensor) -> Tensor:
    """Return all distances, (b, b), by one product of matrices."""
    # The product loses half of the digits where embeddings are near each other: no more than that.
    with torch.autocast(embeddings.device.type, enabled=False):
        rows = as_float(embeddings)
        squared = (rows**2).sum(dim=1)
        rounding = 8 * torch.finfo(rows.dtype).eps
        return _root(squared[:, None] + squared - 2 * rows @ rows.T, rounding)


def _distance(left: Tensor, right: Tensor) -> Tensor:
    """Return the distance of each row to its other one, (n, e), (n, e) -> (n,)."""
    apart = as_float(left) - as_float(right)
    return _root((apart**2).sum(dim=1), LEAST_DISTANCE**2)


def as_float(rows: Tensor) -> Tensor:
    """Return rows in float32 at least: half precision is too coarse to take differences of."""
    return rows if rows.dtype == torch.float64 else rows.float()


def _root(squared: Tensor, least: float) -> Tensor:
    """Return the square root; up to `least`, where its slope has no end, 0 with a gradient of 0."""
    apart = squared > least
    return torch.where(apart, squared, least).sqrt() * apart
