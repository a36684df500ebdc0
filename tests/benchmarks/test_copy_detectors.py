from pathlib import Path

import numpy as np
import pytest
import torch
from copy_detectors import (
    BLOCK,
    DETECTORS,
    PEER_CNN,
    PEER_HASH,
    Lesson,
    combine,
    distance_scorer,
    hash_scorer,
    histogram_scorer,
    make_scorers,
    normalised_scorer,
    product_scorer,
    scale_by_head,
    score_all,
)
from copy_measures import measure_copies, pair_views

from seentwice.data.pairs import PairTable
from seentwice.data.splits import Split, groups_of
from seentwice.data.views import EditChoice, plan_views
from seentwice.detectors.hashes import hash_similarity
from seentwice.detectors.histogram import histogram_similarity
from seentwice.detectors.trunk import cosine_similarity
from seentwice.hashing import HASHES
from seentwice.models.heads import build_head
from seentwice.models.nets import SiameseNet
from seentwice.models.towers import LinearTower
from seentwice.models.trunk import Trunk
from seentwice.records import Photo, View

SIZE = 8
NONE = np.empty(0, np.int64)


def make_rows(views, seed=0):
    generator = np.random.default_rng(seed)
    hashes = generator.integers(2**62, size=(views, len(HASHES))).astype(np.uint64)
    histogram = generator.random((views, 512)).astype(np.float32)
    return {
        "hashes": hashes,
        "histogram": histogram / histogram.sum(axis=1, keepdims=True),
        "trunk": generator.random((views, SIZE)).astype(np.float32),
        PEER_CNN: generator.random((views, SIZE)).astype(np.float32),
        PEER_HASH: hashes[:, :1],
    }


def list_pairs(query, reference):
    """Every pair of a query and a reference, in the order of a flat matrix."""
    views = tuple(View(Photo(Path(str(n)), str(n), str(n))) for n in range(200))
    left, right = (side.ravel() for side in np.meshgrid(query, reference, indexing="ij"))
    count = len(left)
    return PairTable(views, left, right, np.zeros(count, bool), np.zeros(count, np.int8))


def unit(rows):
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def test_matrices_hold_what_detectors_say_of_each_pair():
    rows = make_rows(200)
    query, reference = np.arange(0, BLOCK + 30), np.arange(150, 200)
    pairs = list_pairs(query, reference)
    features = unit(rows["trunk"])
    cases = [
        (hash_scorer(rows["hashes"][:, 1]), hash_similarity("difference")),
        (histogram_scorer(rows["histogram"]), histogram_similarity),
        (product_scorer(lambda views: features[views]), cosine_similarity),
    ]
    for scorer, similarity in cases:
        scores = score_all(scorer, query, reference)

        assert scores.shape == (len(query), len(reference))
        assert scores.ravel() == pytest.approx(similarity(pairs, rows), abs=1e-5)


def test_the_distance_of_an_l2_head_ranks_as_its_logits():
    torch.manual_seed(0)
    head = build_head("l2", SIZE, {"start_scale": 10.0})
    head.raw_weight.data += torch.randn(SIZE)
    net = SiameseNet(LinearTower(SIZE, SIZE), head, torch.nn.Sequential(), None).eval()
    rows = torch.randn(20, SIZE)
    query, reference = np.arange(12), np.arange(12, 20)

    scores = score_all(distance_scorer(scale_by_head(net, rows)), query, reference)

    pairs = list_pairs(query, reference)
    left, right = torch.from_numpy(pairs.left), torch.from_numpy(pairs.right)
    with torch.inference_mode():
        logits = net(rows, left, right) - head.bias
    assert scores.ravel() == pytest.approx(logits.numpy(), abs=1e-4)


def test_a_normalised_score_takes_off_what_a_copy_has_in_common_with_others():
    rows = unit(make_rows(30)["trunk"])
    background = np.arange(20, 30)

    scores = score_all(
        normalised_scorer(lambda views: rows[views], background), np.arange(5), np.arange(5, 20)
    )

    cosines = rows @ rows.T
    nearest = cosines[:5, 20:].max(axis=1, keepdims=True)
    assert scores == pytest.approx(cosines[:5, 5:20] - nearest, abs=1e-5)


def plan_photos(count, edits):
    """Photos of homes of two rooms each, as they are and edited."""
    photos = [Photo(Path(str(n)), f"{n:03}", f"{n:03}", property=str(n // 2)) for n in range(count)]
    split = Split(NONE, NONE, np.arange(count))
    return photos, plan_views(photos, (split,), EditChoice((), edits), seed=0)


def place_rows(plan, noise, seed=0):
    """Rows of views that are near those of their photo."""
    generator = np.random.default_rng(seed)
    rows = make_rows(len(plan.views), seed)
    first = np.flatnonzero(plan.edit_name == "")[plan.photo]
    for name in ("trunk", PEER_CNN, "histogram"):
        own = rows[name]
        rows[name] = own[first] + noise * own.mean() * generator.random(own.shape, np.float32)
    return rows


def test_a_combination_finds_at_least_what_its_best_member_does():
    photos, plan = plan_photos(24, ("hflip", "crop", "rotate"))
    rows = place_rows(plan, 0.8)
    pairs = pair_views(plan, photos, groups_of(photos), 0)
    features = unit(rows["trunk"])
    members = [
        product_scorer(lambda views: features[views]),
        histogram_scorer(rows["histogram"]),
        hash_scorer(rows["hashes"][:, 0]),
    ]

    def recall_of(scorer):
        scores = score_all(scorer, pairs.query, pairs.reference)
        assert np.isfinite(scores).all()
        return measure_copies(scores, pairs, 5).micro_average_precision.value

    assert recall_of(combine(members, pairs)) >= max(map(recall_of, members)) - 0.01


def test_every_detector_is_fitted_and_scores_all_cross_pairs():
    edits = ("hflip", "crop")
    photos, plan = plan_photos(24, edits)
    edited = plan.edit_name != ""
    pairs = pair_views(plan, photos, groups_of(photos), 0)
    lesson = Lesson(
        plan.views,
        place_rows(plan, 0.5),
        np.flatnonzero(~edited),
        np.flatnonzero(edited),
        np.flatnonzero(~edited),
        pairs,
    )
    trunk = Trunk(
        "mobilenet_v2", "average", "none", torch.nn.Sequential(torch.nn.Identity()), 1, SIZE, None
    )

    scorers = make_scorers(lesson, trunk, "none")

    assert set(scorers) == {*HASHES, PEER_HASH, PEER_CNN, *DETECTORS}
    for scorer in scorers.values():
        scores = score_all(scorer, pairs.query, pairs.reference)
        assert np.isfinite(scores).all()
        assert np.unique(scores).size > 1
