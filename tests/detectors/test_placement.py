import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seentwice.detectors.placement import name_placement, place_photo
from seentwice.detectors.polygons import clip_polygon, list_corners, measure_area

SIZE = (400, 300)


def similarity(degrees, scale, x=0.0, y=0.0):
    """Turn a photo of `SIZE` counter-clockwise about its middle, scale it, then move it."""
    angle = np.deg2rad(degrees)
    turn = scale * np.array([(np.cos(angle), np.sin(angle)), (-np.sin(angle), np.cos(angle))])
    middle = np.array(SIZE) / 2
    matrix = np.eye(3)
    matrix[:2, :2], matrix[:2, 2] = turn, middle - turn @ middle + (x, y)
    return matrix


def count_shown(matrix, left, right):
    """Return by a grid of points what share of the photo its copy shows."""
    x, y = np.meshgrid(*(np.linspace(0, side, 401)[:-1] + side / 800 for side in left))
    flat = np.einsum("ij,jhw->ihw", matrix, np.stack([x, y, np.ones_like(x)]))
    u, v = flat[:2] / flat[2]
    return ((u >= 0) & (u <= right[0]) & (v >= 0) & (v <= right[1])).mean()


@settings(max_examples=40)
@given(
    st.floats(-180, 180),
    st.floats(0.4, 2),
    st.floats(-80, 80),
    st.floats(-80, 80),
    st.floats(-2e-4, 2e-4),
)
def test_a_placement_is_what_the_homography_was_made_of(degrees, scale, x, y, slant):
    matrix = similarity(degrees, scale, x, y)
    placement = place_photo(matrix, SIZE, SIZE)
    assert np.cos(np.deg2rad(placement.turn_degrees - degrees)) == pytest.approx(1)
    assert placement.scale == pytest.approx(scale)
    assert placement.stretch == pytest.approx(1)
    assert placement.perspective == pytest.approx(1)
    assert placement.shown_share == pytest.approx(count_shown(matrix, SIZE, SIZE), abs=0.01)
    slanted = np.array([(1, 0, 0), (0, 1, 0), (slant, 0, 1)]) @ matrix
    seen = place_photo(slanted, SIZE, SIZE)
    assert seen.shown_share == pytest.approx(count_shown(slanted, SIZE, SIZE), abs=0.01)


@pytest.mark.parametrize(
    "matrix",
    [
        np.diag([-1.0, 1, 1]),
        np.diag([20.0, 20, 1]),
        np.diag([0.01, 0.01, 1]),
        np.diag([1.0, 3, 1]),
        np.diag([1.0, 0, 1]),
        np.array([(1.0, 0, 0), (0, 1, 0), (-0.01, 0, 1)]),
        np.array([(1.0, 0, 9000), (0, 1, 0), (0, 0, 1)]),
        np.full((3, 3), np.nan),
    ],
    ids=["mirrored", "huge", "tiny", "stretched", "flat", "folded", "out of sight", "nan"],
)
def test_what_no_edit_makes_has_no_placement(matrix):
    assert place_photo(matrix, SIZE, SIZE) is None


def test_the_same_frame_has_no_name():
    assert name_placement(place_photo(np.eye(3), SIZE, SIZE), True) == []


def test_a_frame_is_named_by_its_sides():
    matrix = np.array([(1.0, 0, 40), (0, 1, 0), (0, 0, 1)])
    placement = place_photo(matrix, SIZE, (440, 300))
    assert placement.margins == pytest.approx((40 / 440, 0, 0, 0))
    assert name_placement(placement, True) == ["bar at left, 91 % of the picture"]
    assert name_placement(placement, False) == ["inside a larger picture, 91 % of the picture"]


@given(st.floats(-1e-9, 1e-9), st.floats(-1e-9, 1e-9))
def test_sides_that_nearly_lie_upon_each_other_are_clipped_rightly(x, y):
    corners = list_corners(SIZE)
    clipped = clip_polygon(corners + np.array([(x, y), (y, x), (-x, y), (x, -y)]), SIZE)
    assert measure_area(clipped) == pytest.approx(120_000)
    assert len(clip_polygon(corners + 1000, SIZE)) == 0
