import re
import sys
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageOps

from seentwice.detectors.explanation import explain_copy
from seentwice.edits import apply_edit
from seentwice.errors import UserError
from seentwice.rendering.layouts import draw_scene
from seentwice.rendering.photo import render_view
from seentwice.rendering.views import draw_view

pytest.importorskip("cv2", reason="needs the extra opencv")


@cache
def room(seed=1, number=0):
    scene = draw_scene(seed, "bedroom")
    return Image.fromarray(render_view(scene, draw_view(scene, number), (320, 240)))


@pytest.mark.parametrize(
    ("edit", "name"),
    [
        ("jpeg:80", "same frame"),
        ("hflip", "mirrored"),
        ("resize:0.5", "scaled to 50 %"),
        ("crop:0.05,0.02,0.9", "cropped to 81 %, scaled to 111 %"),
        ("half:0.5,0.5,0.75", "cropped to 50 %"),
        ("perspective:0.1,-0.08", r"seen from one side, scaled to 8\d %"),
        ("border:0.05,240", r"in a border, 8[45] % of the picture"),
        ("screenshot:0.1,0.08,20", "bar at top and bottom, 85 % of the picture"),
        ("screenshot:0.1,0.1,20|rotate:5", r"rotated 5.\d° to the left, bar at top and bottom.*"),
        ("collage:3,0.6,7", "scaled to 60 %, inside a larger picture, 36 % of the picture"),
        ("brightness:0.7", "darker"),
        ("brightness:1.4", "brighter"),
        ("contrast:0.6", "flatter contrast"),
        ("contrast:1.4", "harder contrast"),
        ("cast:0.2", "warmer colours"),
        ("cast:-0.2", "colder colours"),
        ("grey", "grey"),
        ("blur:0.006", "blurred"),
        ("noise:20,3", "noise"),
        ("caption:0.12,300", r"overlay at bottom, 1\d % of the photo"),
        ("watermark:0,0,0.3", r"overlay at top left, \d % of the photo"),
        ("logo:1,1,0.3", r"overlay at bottom right, \d % of the photo"),
        ("sticker:0.5,0.5,0.2,1", r"overlay at the middle, [12]\d % of the photo"),
        ("hflip|brightness:0.7", "mirrored, darker"),
    ],
)
def test_an_edit_is_named(edit, name):
    explained = explain_copy(room(), apply_edit(room(), edit))
    assert explained.is_verified
    assert re.fullmatch(name, explained.edit), explained.edit


def test_a_photo_is_its_own_copy():
    explained = explain_copy(room(), room())
    assert (explained.is_verified, explained.edit) == (True, "same frame")


@pytest.mark.parametrize(("degrees", "side"), [(7, "left"), (-4, "right")])
def test_a_turn_is_named_to_the_degree(degrees, side):
    named = explain_copy(room(), apply_edit(room(), f"rotate:{degrees}")).edit
    found = re.fullmatch(rf"cropped to 9\d %, rotated ([\d.]+)° to the {side}", named)
    assert float(found[1]) == pytest.approx(abs(degrees), abs=0.3)


@pytest.mark.parametrize(
    ("turn", "name"),
    [
        (Image.Transpose.ROTATE_90, "turned by 90° to the left"),
        (Image.Transpose.ROTATE_180, "turned by 180°"),
        (Image.Transpose.ROTATE_270, "turned by 90° to the right"),
        (Image.Transpose.FLIP_TOP_BOTTOM, "mirrored, turned by 180°"),
    ],
)
def test_a_quarter_turn_is_named(turn, name):
    assert explain_copy(room(), room().transpose(turn)).edit == name


def test_a_photo_made_wider_is_stretched():
    wide = room().resize((500, 300), Image.Resampling.BICUBIC)
    assert explain_copy(room(), wide).edit.startswith("stretched")


def test_marks_from_side_to_side_are_a_watermark_across():
    pixels = np.array(room())
    for top in range(25, 220, 80):
        for left in range(25, 290, 110):
            mark = pixels[top : top + 12, left : left + 40]
            mark[:] = np.where(mark > 128, mark // 3, 255 - mark // 3)
    assert explain_copy(room(), Image.fromarray(pixels)).edit == "watermark across the photo"


def test_the_copy_seen_from_its_other_end_is_larger():
    small = apply_edit(room(), "resize:0.5")
    assert explain_copy(room(), small).edit == "scaled to 50 %"
    assert explain_copy(small, room()).edit.startswith("scaled to 200 %")


def test_mirroring_both_changes_no_name():
    copy = apply_edit(room(), "crop:0.05,0.02,0.9|grey")
    plain = explain_copy(room(), copy)
    mirrored = explain_copy(ImageOps.mirror(room()), ImageOps.mirror(copy))
    assert mirrored.edit == plain.edit == "cropped to 81 %, scaled to 111 %, grey"


def test_a_mark_that_both_have_does_not_hide_the_mirror():
    both = [apply_edit(photo, "caption:0.2,300") for photo in (room(), ImageOps.mirror(room()))]
    assert explain_copy(*both).edit.startswith("mirrored")


@pytest.mark.parametrize("other", [room(3), room(1, 1)], ids=["another room", "another view"])
def test_another_photo_is_not_verified(other):
    explained = explain_copy(room(), other)
    assert (explained.is_verified, explained.edit) == (False, "")


def test_a_shared_watermark_verifies_nothing():
    # White letters at one place of two rooms: features agree, what lies around does not.
    marked = [apply_edit(photo, "caption:0.3,300") for photo in (room(), room(3))]
    assert not explain_copy(*marked).is_verified


@settings(max_examples=15, deadline=None)
@given(st.tuples(*[st.sampled_from([1, 2, 31, 33, 700])] * 4), st.booleans())
def test_photos_without_content_of_any_shape_are_not_verified(sides, is_noise):
    pair = []
    for width, height in (sides[:2], sides[2:]):
        pixels = np.full((height, width, 3), 200, np.uint8)
        if is_noise and width * height < 10_000:
            pixels = np.random.default_rng(width).integers(256, size=pixels.shape, dtype=np.uint8)
        pair.append(Image.fromarray(pixels))
    explained = explain_copy(*pair)
    assert explained.edit == "" or sides[:2] == sides[2:]


@pytest.mark.parametrize("size", [(1, 1), (3, 400), (2000, 40), (40, 40)])
def test_a_photo_beside_a_tiny_or_long_one_gives_an_answer(size):
    odd = room().resize(size, Image.Resampling.BICUBIC)
    assert isinstance(explain_copy(room(), odd).is_verified, bool)
    assert isinstance(explain_copy(odd, room()).is_verified, bool)


def test_without_opencv_the_error_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "cv2", None)
    with pytest.raises(UserError, match="opencv"):
        explain_copy(room(), room())
