from dataclasses import astuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_homes import TAGS, make_values, score_slowly

from seentwice.errors import UserError
from seentwice.recommend.photo_table import unit_rows
from seentwice.recommend.scores import (
    ScoreWeights,
    compare_labels,
    explain_scores,
    make_queries,
    make_rows,
)
from seentwice.recommend.tags import UNKNOWN, choose_labels, find_front, make_one_hot
from seentwice.records import TagHead, TagSet

WEIGHT = st.floats(0, 3, allow_subnormal=False)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 100), WEIGHT, WEIGHT, WEIGHT)
def test_one_inner_product_is_the_whole_score(
    seed: int, class_points: float, tag_points: float, visual: float
) -> None:
    weights = ScoreWeights(class_points, tag_points, visual + 0.1)
    values = make_values(seed, 8)
    labels = choose_labels(TAGS, values[:, : TAGS.width])
    embeddings = unit_rows(values[:, TAGS.width :])
    products = (
        make_queries(TAGS, weights, labels, embeddings) @ make_rows(TAGS, labels, embeddings).T
    )
    for asked in range(8):
        cosine = embeddings.astype(np.float64) @ embeddings[asked]
        parts = explain_scores(
            TAGS, weights, np.repeat(labels[asked : asked + 1], 8, axis=0), labels, cosine
        )
        slow = np.array([score_slowly(values, asked, found, weights) for found in range(8)])
        found = np.stack([parts.class_points, parts.tag_points, parts.visual_similarity], axis=1)
        np.testing.assert_allclose(found, slow, atol=5e-6)
        # The score is the product and a constant.
        np.testing.assert_allclose(
            products[asked] + weights.visual_similarity / 2, slow.sum(axis=1), atol=5e-6
        )


def test_a_label_that_is_not_sure_is_unknown_and_agrees_with_nothing() -> None:
    tags = TagSet((TagHead("style", ("a", "b", "c")),))
    labels = choose_labels(tags, np.array([[0.4, 0.35, 0.25], [0.2, 0.5, 0.3]]))
    assert labels.tolist() == [[UNKNOWN], [1]]
    assert make_one_hot(tags, labels).tolist() == [[0, 0, 0], [0, 1, 0]]
    _, share = compare_labels(tags, labels[[0, 1]], labels[[0, 1]])
    assert share.tolist() == [0, 1]


def test_two_rooms_get_no_class_points() -> None:
    labels = np.array([[0, 0, UNKNOWN, 0], [1, UNKNOWN, 0, 0]], np.int16)
    classes, tags = compare_labels(TAGS, labels, labels)
    assert classes.tolist() == [1, 0]
    assert tags.tolist() == [1, 1]


def test_fronts_have_no_room_type_and_rooms_no_style() -> None:
    probabilities = np.tile([0.9, 0.1, 0.8, 0.1, 0.1, 0.7, 0.3, 0.6, 0.4], (2, 1))
    probabilities[1, :2] = [0.1, 0.9]
    labels = choose_labels(TAGS, probabilities)
    assert labels.tolist() == [[0, 0, UNKNOWN, 0], [1, UNKNOWN, 0, 0]]


def test_the_share_is_of_the_labels_that_the_asked_photo_has() -> None:
    asked = np.array([[0, UNKNOWN, UNKNOWN, 1], [0, 2, UNKNOWN, 1]], np.int16)
    found = np.array([[0, 2, UNKNOWN, 1], [0, UNKNOWN, UNKNOWN, 1]], np.int16)
    assert compare_labels(TAGS, asked, found)[1].tolist() == [1, 0.5]


def test_without_a_head_that_tells_fronts_no_photo_is_one() -> None:
    tags = TagSet((TagHead("style", ("a", "b")),))
    assert find_front(tags, np.ones((2, 2), np.float32)).tolist() == [0, 0]
    assert find_front(TAGS, make_values(0, 3)).tolist() == make_values(0, 3)[:, 0].tolist()


@pytest.mark.parametrize("weights", [(-1, 0.3, 1), (float("nan"), 0, 1), (0, 0, 0)])
def test_weights_that_give_no_order_are_refused(weights: tuple[float, float, float]) -> None:
    with pytest.raises(UserError, match="give"):
        ScoreWeights(*weights)
    assert astuple(ScoreWeights()) == (1.0, 0.3, 1.0)
