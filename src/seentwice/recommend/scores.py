"""The score of two photos: class points, tag points and visual similarity, added up.

All three are linear in what is kept of a photo, its labels as zeros and ones and its embedding of
length 1. So with the weights in the query's row alone, the best by the whole score are those with
the largest inner products, found in one scan. To stay linear the similarity is (1 + cosine) / 2
and not the cosine cut off at 0: the order would differ from the score's where cosines are negative.
"""

import math
from dataclasses import astuple, dataclass, fields

import numpy as np
from numpy.typing import NDArray

from seentwice.errors import UserError
from seentwice.recommend.tags import FRONT, UNKNOWN, Labels, head_number, make_one_hot
from seentwice.records import TagSet

DECIMALS = 6
"""Of a visual similarity, about what float32 knows: equal rows have equal scores."""


@dataclass(frozen=True, slots=True)
class ScoreWeights:
    """The most that each part of the score can give."""

    class_points: float = 1.0  # where both photos show house fronts
    tag_points: float = 0.3  # where all other tags agree
    visual_similarity: float = 1.0  # where both embeddings are the same

    def __post_init__(self) -> None:
        """Refuse weights that give no order.

        Raises:
            UserError: one is negative or no number, or all are 0.
        """
        for field in fields(self):
            value = getattr(self, field.name)
            if not (math.isfinite(value) and value >= 0):
                raise UserError(f"{field.name}={value}: give a weight of 0 or more")
        if not any(astuple(self)):
            raise UserError("all weights of the score are 0; give one above 0")


@dataclass(frozen=True, slots=True, eq=False)
class ScoreParts:
    """What each part gives to the scores of n pairs, (n,) each."""

    class_points: NDArray[np.float64]
    tag_points: NDArray[np.float64]
    visual_similarity: NDArray[np.float64]

    @property
    def score(self) -> NDArray[np.float64]:
        """The sum of the three, (n,)."""
        return self.class_points + self.tag_points + self.visual_similarity


def make_rows(tags: TagSet, labels: Labels, embeddings: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return what is kept of photos: labels and embedding side by side, (n, t + e).

    Args:
        tags: of t labels.
        labels: (n, h).
        embeddings: (n, e), each of length 1.
    """
    return np.concatenate([make_one_hot(tags, labels), embeddings], axis=1, dtype=np.float32)


def make_queries(
    tags: TagSet, weights: ScoreWeights, labels: Labels, embeddings: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Return the rows whose inner products with those of `make_rows` rank by the whole score.

    Args:
        tags: of t labels.
        weights: of the score.
        labels: (q, h) of the photos that are asked about.
        embeddings: (q, e), each of length 1.

    Returns:
        (q, t + e).
    """
    half = np.float32(weights.visual_similarity / 2)
    weighted = make_one_hot(tags, labels) * _weigh_labels(tags, weights)
    return np.concatenate([weighted, half * embeddings], axis=1, dtype=np.float32)


def explain_products(
    tags: TagSet,
    weights: ScoreWeights,
    asked: Labels,
    found: Labels,
    products: NDArray[np.float32],
) -> ScoreParts:
    """Return the parts of scores, given the inner products.

    Args:
        tags: of h heads.
        weights: as in `make_queries`.
        asked: (n, h) labels of the photos that were asked about.
        found: (n, h) labels of the photos that were found.
        products: (n,) of a query and what was found.
    """
    class_share, tag_share = compare_labels(tags, asked, found)
    class_points = weights.class_points * class_share
    tag_points = weights.tag_points * tag_share
    most = weights.visual_similarity
    visual = products.astype(np.float64) - class_points - tag_points + most / 2
    return ScoreParts(class_points, tag_points, np.clip(visual, 0, most).round(DECIMALS))


def compare_labels(
    tags: TagSet, asked: Labels, found: Labels
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Say of n pairs of photos what their labels have in common.

    Args:
        tags: of h heads.
        asked: (n, h).
        found: (n, h).

    Returns:
        (n,) 1 where both show house fronts, else 0; (n,) the share of the other heads that agree.
    """
    agrees = (asked == found) & (asked != UNKNOWN)
    front = head_number(tags, FRONT)
    if front is None:
        return np.zeros(len(agrees)), agrees.sum(axis=1) / max(1, len(tags.heads))
    labels = tags.heads[front].labels
    is_front = agrees[:, front] & (FRONT in labels) & (asked[:, front] == _place(labels))
    others = np.delete(agrees, front, axis=1)
    return is_front.astype(np.float64), others.sum(axis=1) / max(1, others.shape[1])


def _place(labels: tuple[str, ...]) -> int:
    return labels.index(FRONT) if FRONT in labels else UNKNOWN


def _weigh_labels(tags: TagSet, weights: ScoreWeights) -> NDArray[np.float32]:
    """Return what each label gives where both photos have it, (t,)."""
    others = sum(head.name != FRONT for head in tags.heads)
    values: list[float] = []
    for head in tags.heads:
        if head.name == FRONT:
            values += [weights.class_points * (label == FRONT) for label in head.labels]
        else:
            values += [weights.tag_points / others] * len(head.labels)
    return np.array(values, np.float32)
