"""The scores of photos that are in no index, each beside what is asked about."""

import numpy as np
from numpy.typing import NDArray

from seentwice.recommend.answering import Asked
from seentwice.recommend.photo_table import unit_rows
from seentwice.recommend.scores import (
    ScoreParts,
    ScoreWeights,
    explain_scores,
    make_queries,
    make_rows,
)
from seentwice.recommend.tags import choose_labels
from seentwice.records import TagSet


def score_photos(
    tags: TagSet, weights: ScoreWeights, asked: Asked, values: NDArray[np.float32]
) -> ScoreParts:
    """Return the parts of the scores of n photos, as they would have in an index.

    Args:
        tags: of t labels.
        weights: of the score.
        asked: about q photos; of each of the n, the best of them counts.
        values: (n, t + e) probabilities of labels, then the embedding, as the reader gives them.
    """
    labels = choose_labels(tags, values[:, : tags.width])
    embeddings = unit_rows(values[:, tags.width :])
    rows = make_rows(tags, labels, embeddings)
    products = make_queries(tags, weights, asked.labels, asked.embeddings) @ rows.T
    best = products.argmax(axis=0)
    cosine = np.einsum("ne,ne->n", embeddings, asked.embeddings[best], dtype=np.float64)
    return explain_scores(tags, weights, asked.labels[best], labels, cosine)
