"""Rows of photos: who is near whom, and what is laid over which photo."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from torch import Tensor

from experiments.photo_rows import (
    MAX_PIXELS,
    explain_pair,
    rank_neighbours,
    read_thumbnails,
    show_neighbours,
)
from seentwice.compare.photo_plots import RIGHT, WRONG, lay_over
from seentwice.data.folder import read_folder
from seentwice.detectors.occlusion import map_gradient, map_occlusion
from seentwice.detectors.opened_net import OpenedNet, open_net
from seentwice.records import View


@pytest.fixture(scope="module")
def opened(untrained: Path) -> OpenedNet:
    return open_net(untrained)


@pytest.fixture(scope="module")
def views(few_rooms: Path) -> Sequence[View]:
    """Three photos of each of four rooms."""
    return [View(photo) for photo in read_folder(few_rooms).photos[:12]]


@pytest.fixture(scope="module")
def looks(opened: OpenedNet, views: Sequence[View]) -> Tensor:
    return opened.look([view.photo.path for view in views], MAX_PIXELS)


def test_neighbours_are_the_other_photos_by_their_scores(opened: OpenedNet, looks: Tensor) -> None:
    embeddings = opened.embed(looks)
    order, scores = rank_neighbours(opened, embeddings)
    assert order.shape == scores.shape == (12, 11)
    for query in range(12):
        others = [other for other in range(12) if other != query]
        found = opened.score(embeddings, np.full(11, query), np.array(others))
        by_score = sorted(zip(others, found.tolist(), strict=True), key=lambda pair: -pair[1])
        assert order[query].tolist() == [other for other, _ in by_score]
        np.testing.assert_allclose(scores[query], [score for _, score in by_score])


def test_neighbours_are_framed_by_whether_they_show_the_same_place(
    views: Sequence[View],
) -> None:
    order, scores = np.array([[3, 1, 2, 4]]), np.array([[0.9, 0.815, 0.5, 0.25]])
    query, *shown = show_neighbours(views, 0, order, scores, 3)
    assert query.caption == views[0].photo.path.stem
    assert [(photo.caption, photo.frame) for photo in shown] == [
        ("0.90", WRONG),
        ("0.81", RIGHT),
        ("0.50", RIGHT),
    ]
    expected = read_thumbnails([views[index] for index in (3, 1, 2)], 160, 120)
    for photo, pixels in zip(shown, expected, strict=True):
        np.testing.assert_array_equal(photo.pixels, pixels)


def test_a_pair_is_explained_over_its_left_photo(
    opened: OpenedNet, looks: Tensor, views: Sequence[View]
) -> None:
    left, right, by_patch, by_gradient = explain_pair(opened, looks, views, 1, 5, 0.1234)
    assert (left.caption, right.caption) == (views[1].photo.path.stem, views[5].photo.path.stem)
    assert by_patch.caption.startswith("score 0.123; patch, ±")
    thumbnails = read_thumbnails([views[1], views[5]], 160, 120)
    for photo, pixels in zip((left, right), thumbnails, strict=True):
        np.testing.assert_array_equal(photo.pixels, pixels)
    score = opened.score_beside(looks[5])
    for photo, values in (
        (by_patch, map_occlusion(score, looks[1], 14, 4)),
        (by_gradient, map_gradient(score, looks[1], 7, 2)),
    ):
        assert values.std() > 0
        np.testing.assert_array_equal(photo.pixels, lay_over(thumbnails[0], values.numpy()))
