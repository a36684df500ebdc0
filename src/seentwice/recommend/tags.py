"""Labels of photos: what a tagger is sure of, a number a head."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from seentwice.records import TagSet

UNKNOWN = -1
"""In place of the number of a label."""
LEAST_PROBABILITY = 0.5
"""Of a label; a photo whose likeliest one is less sure has none."""
FRONT = "front"
"""The head that tells house fronts, and its label of one."""
OF_ROOMS, OF_FRONTS = ("room_type",), ("style", "storeys")
"""Heads that ask of rooms, and of house fronts: of the others a tagger's answer means nothing."""
NO_TAGS = TagSet(())
"""Of photos that have embeddings alone."""

Labels = NDArray[np.int16]
"""The number of a label a head, (n, h); `UNKNOWN` for none."""


def head_number(tags: TagSet, name: str) -> int | None:
    """Return which head has a name; None where none has."""
    return next((number for number, head in enumerate(tags.heads) if head.name == name), None)


def choose_labels(tags: TagSet, probabilities: NDArray[np.floating[Any]]) -> Labels:
    """Return the likeliest label a head (n, h) where it is sure enough.

    Where a head tells house fronts, fronts have no room type, and rooms no style and no storeys.

    Args:
        tags: h heads of t labels.
        probabilities: (n, t), those of each head adding up to 1.
    """
    labels = np.full((len(probabilities), len(tags)), UNKNOWN, np.int16)
    for number, columns in enumerate(tags.columns):
        of_head = probabilities[:, columns]
        is_sure = of_head.max(axis=1) >= LEAST_PROBABILITY
        labels[is_sure, number] = of_head.argmax(axis=1)[is_sure]
    front = head_number(tags, FRONT)
    if front is not None and FRONT in tags.heads[front].labels:
        is_front = labels[:, front] == tags.heads[front].labels.index(FRONT)
        for number, head in enumerate(tags.heads):
            if head.name in (*OF_ROOMS, *OF_FRONTS):
                labels[is_front == (head.name in OF_ROOMS), number] = UNKNOWN
    return labels


def make_one_hot(tags: TagSet, labels: Labels) -> NDArray[np.float32]:
    """Return a 1 for each label that is known, (n, t).

    Args:
        tags: h heads of t labels.
        labels: (n, h).
    """
    rows = np.zeros((len(labels), tags.width), np.float32)
    for number, columns in enumerate(tags.columns):
        known = np.flatnonzero(labels[:, number] != UNKNOWN)
        rows[known, columns.start + labels[known, number].astype(np.int64)] = 1
    return rows


def find_front(tags: TagSet, probabilities: NDArray[np.floating[Any]]) -> NDArray[np.float32]:
    """Return the probability (n,) that a photo shows a house front; 0 where no head tells.

    Args:
        tags: of t labels.
        probabilities: (n, t).
    """
    number = head_number(tags, FRONT)
    if number is None or FRONT not in tags.heads[number].labels:
        return np.zeros(len(probabilities), np.float32)
    column = tags.columns[number].start + tags.heads[number].labels.index(FRONT)
    return np.ascontiguousarray(probabilities[:, column], np.float32)
