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
    tag_points: float = 0.3  # where all other tags of the asked photo agree
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
    weighted = make_one_hot(tags, labels) * _weigh_labels(tags, weights, labels)
    return np.concatenate([weighted, half * embeddings], axis=1, dtype=np.float32)


def explain_scores(
    tags: TagSet,
    weights: ScoreWeights,
    asked: Labels,
    found: Labels,
    cosine: NDArray[np.float64],
) -> ScoreParts:
    """Return the parts of scores.

    Args:
        tags: of h heads.
        weights: as in `make_queries`.
        asked: (n, h) labels of the photos that were asked about.
        found: (n, h) labels of the photos that were found.
        cosine: (n,) of their embeddings.
    """
    class_share, tag_share = compare_labels(tags, asked, found)
    most = weights.visual_similarity
    visual = np.clip(most * (1 + cosine) / 2, 0, most).round(DECIMALS)
    return ScoreParts(weights.class_points * class_share, weights.tag_points * tag_share, visual)


def compare_labels(
    tags: TagSet, asked: Labels, found: Labels
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Say of n pairs of photos what their labels have in common.

    Args:
        tags: of h heads.
        asked: (n, h).
        found: (n, h).

    Returns:
        (n,) 1 where both show house fronts, else 0; (n,) the share of the other labels of the
        asked photo that the found one has, too.
    """
    agrees = (asked == found) & (asked != UNKNOWN)
    is_other = _other_heads(tags)
    known = _count_known(tags, asked)
    share = agrees[:, is_other].sum(axis=1) / known
    front = head_number(tags, FRONT)
    if front is None:
        return np.zeros(len(agrees)), share
    is_front = agrees[:, front] & (asked[:, front] == _place(tags.heads[front].labels))
    return is_front.astype(np.float64), share


def _other_heads(tags: TagSet) -> NDArray[np.bool_]:
    """Return which heads tell anything but house fronts, (h,)."""
    return np.array([head.name != FRONT for head in tags.heads], np.bool_)


def _count_known(tags: TagSet, labels: Labels) -> NDArray[np.int64]:
    """Return how many of the other heads have a label, at least 1, (n,)."""
    known = np.count_nonzero(labels[:, _other_heads(tags)] != UNKNOWN, axis=1)
    counts: NDArray[np.int64] = np.maximum(1, known)
    return counts


def _place(labels: tuple[str, ...]) -> int:
    # No photo that agrees is unknown.
    return labels.index(FRONT) if FRONT in labels else UNKNOWN


def _weigh_labels(tags: TagSet, weights: ScoreWeights, labels: Labels) -> NDArray[np.float32]:
    """Return what each label gives where the found photo has it, too, (q, t)."""
    of_tags = weights.tag_points / _count_known(tags, labels)
    values = np.repeat(of_tags[:, np.newaxis], tags.width, axis=1)
    for head, columns in zip(tags.heads, tags.columns, strict=True):
        if head.name == FRONT:
            values[:, columns] = [weights.class_points * (label == FRONT) for label in head.labels]
    return values.astype(np.float32)
