import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from seentwice.data.pairs import PairTable
from seentwice.detectors import verification
from seentwice.detectors.keypoints import (
    LOCAL_FEATURES,
    POSITION,
    POSITION_BYTES,
    STEPS,
    KeypointDescriptor,
)
from seentwice.detectors.verification import VerifiedMatches, count_inliers, match_mutually
from seentwice.edits import apply_edit
from seentwice.rendering.layouts import draw_scene
from seentwice.rendering.photo import render_view
from seentwice.rendering.views import draw_view

pytest.importorskip("cv2", reason="needs the extra opencv")
KINDS = sorted(LOCAL_FEATURES)
SIFT = LOCAL_FEATURES["sift"]
COPIES = ["rotate:90", "rotate:7", "crop:0.1,0.1,0.8", "resize:0.7", "jpeg:60"]


def silent(done, total):
    """Nobody watches the progress."""


def table(left, right):
    count = len(left)
    return PairTable(
        (), np.array(left, int), np.array(right, int), np.zeros(count, bool), np.zeros(count, int)
    )


def render(seed):
    scene = draw_scene(seed, "living-room")
    return Image.fromarray(render_view(scene, draw_view(scene, 0), (320, 240)))


@pytest.fixture(scope="module")
def rooms():
    return [render(seed) for seed in (7, 3, 4)]


@pytest.fixture(scope="module", params=KINDS)
def kind(request):
    return request.param


@pytest.fixture(scope="module")
def rows(rooms, kind):
    """Three rooms, copies of the first one, and a blank photo."""
    photos = [*rooms, *(apply_edit(rooms[0], edit) for edit in COPIES), Image.new("RGB", (99, 99))]
    descriptor = KeypointDescriptor(kind)
    return {kind: descriptor.finish(np.stack([descriptor.look(photo) for photo in photos]))}


def make_row(at, descriptors):
    """The row of keypoints at these positions (k, 2)."""
    row = np.zeros((500, POSITION_BYTES + descriptors.shape[1]), np.uint8)
    steps = np.rint(np.asarray(at) * STEPS).astype(POSITION)
    row[: len(at), :POSITION_BYTES] = steps.view(np.uint8).reshape(len(at), -1)
    row[: len(at), POSITION_BYTES:] = descriptors
    return row


def match_slowly(left, right, squared_ratio):
    distance = np.array([[int(((a - b) ** 2).sum()) for b in right] for a in left])
    found = []
    for a, row in enumerate(distance):
        for b, nearest in enumerate(row):
            others = [*np.delete(row, b), *np.delete(distance[:, b], a)]
            if all(nearest < squared_ratio * other for other in others):
                found.append((a, b))
    return found


@settings(max_examples=60, deadline=None)
@given(
    st.integers(2, 8), st.integers(2, 8), st.integers(0, 10**6), st.sampled_from([0.3, 0.64, 1.0])
)
def test_matches_are_nearest_by_far_on_both_sides(many, others, seed, squared_ratio):
    rng = np.random.default_rng(seed)
    left = rng.integers(0, 4, size=(many, 3)).astype(np.float32)
    right = rng.integers(0, 4, size=(others, 3)).astype(np.float32)
    own, other = match_mutually(left, right, squared_ratio)
    assert list(zip(own, other, strict=True)) == match_slowly(left, right, squared_ratio)


def test_what_is_nearest_by_far_from_one_side_alone_is_no_match():
    left, right = np.array([[0.0], [100.0]], np.float32), np.array([[10.0], [11.0]], np.float32)
    # 10 has 0 ten away and 100 ninety; 0 has 10 and 11 almost equally near.
    assert match_mutually(left, right, 0.64)[0].tolist() == []
    assert match_mutually(right, left, 0.64)[0].tolist() == []
    assert match_mutually(left, np.array([[10.0], [90.0]], np.float32), 0.64)[0].tolist() == [0, 1]


def test_a_photo_agrees_with_its_copies_and_with_no_other_room(rows, kind):
    found = VerifiedMatches(kind, 2, silent).of(table([0] * 9, [0, 3, 4, 5, 6, 7, 1, 2, 8]), rows)
    assert (found[:6] > np.log1p(50)).all()
    assert (found[6:8] < np.log1p(8)).all()
    assert found[8] == 0  # the blank one


def test_blank_photos_agree_on_nothing(kind):
    nothing = np.zeros((2, *KeypointDescriptor(kind).recipe.shape), np.uint8)
    assert VerifiedMatches(kind, 1, silent).of(table([0, 0], [1, 0]), {kind: nothing}).tolist() == [
        0,
        0,
    ]


def test_no_pairs_have_no_evidence(rows, kind):
    assert VerifiedMatches(kind, 2, silent).of(table([], []), rows).shape == (0,)


def test_order_direction_and_threads_change_nothing(rows, kind, monkeypatch):
    left, right = np.array([(a, b) for a in range(9) for b in range(9)]).T
    expected = VerifiedMatches(kind, 1, silent).of(table(left, right), rows)
    square = expected.reshape(9, 9)
    np.testing.assert_array_equal(square, square.T)
    assert len(np.unique(expected)) > 5
    monkeypatch.setattr(verification, "BLOCK", 7)
    order = np.random.default_rng(0).permutation(81)
    found = VerifiedMatches(kind, 4, silent).of(table(left[order], right[order]), rows)
    np.testing.assert_array_equal(found, expected[order])


def test_inliers_are_the_matches_of_one_homography():
    rng = np.random.default_rng(3)
    at = rng.uniform(20, 300, size=(60, 2))
    moved = (
        np.concatenate([at, np.ones((60, 1))], axis=1)
        @ np.array([[1.1, -0.2, 70], [0.25, 0.9, 10], [2e-4, 1e-4, 1]]).T
    )
    moved = moved[:, :2] / moved[:, 2:]
    moved[40:] = rng.uniform(0, 400, size=(20, 2))  # matches that are mistaken
    looks = rng.integers(0, 120, size=(60, 128), dtype=np.uint8)
    order = rng.permutation(60)
    left, right = make_row(at, looks), make_row(moved[order], looks[order])
    assert 40 <= count_inliers(left, right, SIFT) <= 42
    assert count_inliers(left, right, SIFT) == count_inliers(right, left, SIFT)


@pytest.mark.parametrize(("matches", "inliers"), [(0, 0), (1, 0), (3, 0), (5, 5)])
def test_few_matches_fix_no_homography(matches, inliers):
    rng = np.random.default_rng(4)
    at = rng.uniform(0, 500, size=(5, 2))
    looks = rng.integers(0, 120, size=(10, 128), dtype=np.uint8)
    left, right = make_row(at, looks[:5]), make_row(at, looks[5:])
    right[:matches] = left[:matches]
    assert count_inliers(left, right, SIFT) == inliers


def test_keypoints_on_one_line_or_place_are_no_evidence():
    looks = np.random.default_rng(5).integers(0, 120, size=(8, 128), dtype=np.uint8)
    for at in ([(10 * n, 10 * n) for n in range(8)], [(50, 50)] * 8):
        row = make_row(at, looks)
        assert count_inliers(row, row, SIFT) in range(9)  # whatever it finds, it is no crash


def test_progress_is_told_to_the_end_and_can_stop(rows, kind, monkeypatch):
    monkeypatch.setattr(verification, "BLOCK", 2)
    told = []
    VerifiedMatches(kind, 2, lambda *counts: told.append(counts)).of(table([0] * 5, [1] * 5), rows)
    assert told == [(2, 5), (4, 5), (5, 5)]

    def stop(done, total):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        VerifiedMatches(kind, 2, stop).of(table([0] * 5, [1] * 5), rows)
