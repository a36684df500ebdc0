"""Pictures made of photos: what lies where, and in which colours."""

from io import BytesIO

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from seentwice.compare.photo_plots import (
    RIGHT,
    PhotoPicture,
    ShownPhoto,
    draw_photo_map,
    draw_photos,
    fit_photo,
    lay_over,
)

GREY = np.full((60, 80, 3), 100, np.uint8)


def paint(colour: tuple[int, int, int]) -> NDArray[np.uint8]:
    return np.full((60, 80, 3), colour, np.uint8)


def decode(picture: PhotoPicture) -> NDArray[np.int64]:
    with Image.open(BytesIO(picture.jpeg)) as image:
        assert image.format == "JPEG"
        return np.asarray(image.convert("RGB"), np.int64)


def share_of(pixels: NDArray[np.int64], colour: tuple[int, int, int]) -> float:
    return float((np.abs(pixels - colour).max(axis=2) < 24).mean())


def test_photos_lie_in_their_rows_from_left_to_right() -> None:
    red, green, blue = (220, 20, 20), (20, 220, 20), (20, 20, 220)
    rows = [
        [ShownPhoto(paint(red), "$a$ <b>"), ShownPhoto(paint(green))],
        [ShownPhoto(paint(blue))],
    ]
    pixels = decode(draw_photos(rows, "three", 100))
    height, width = (size // 2 for size in pixels.shape[:2])
    quarters = {
        red: pixels[:height, :width],
        green: pixels[:height, width:],
        blue: pixels[height:, :width],
    }
    for colour, quarter in quarters.items():
        assert share_of(quarter, colour) > 0.5
        assert share_of(pixels, colour) == pytest.approx(share_of(quarter, colour) / 4, rel=0.1)


def test_a_frame_is_drawn_in_its_colour() -> None:
    colour = tuple(int(RIGHT[start : start + 2], 16) for start in (1, 3, 5))
    framed, plain = (
        share_of(decode(draw_photos([[ShownPhoto(GREY, "", frame)]], "one")), colour)
        for frame in (RIGHT, "")
    )
    assert framed > 0.01
    assert plain == 0


def test_no_photo_is_no_picture() -> None:
    with pytest.raises(ValueError, match="at least one photo"):
        draw_photos([[], []], "none")
    with pytest.raises(ValueError, match="at least one"):
        draw_photo_map(np.empty((0, 2)), [], [], "none")
    with pytest.raises(ValueError, match="a point, a photo and a group each"):
        draw_photo_map(np.zeros((2, 2)), [GREY], ["a"], "one")


def test_a_picture_says_what_it_shows_and_not_its_bytes() -> None:
    picture = draw_photos([[ShownPhoto(GREY)]], "a grey room")
    assert repr(picture) == "PhotoPicture(alt='a grey room')"
    assert picture._repr_jpeg_() == picture.jpeg


def test_a_map_colours_a_photo_where_it_is_not_zero_alone() -> None:
    values = np.zeros((60, 80))
    values[:30, :40], values[30:, 40:] = 2.0, -2.0
    over = lay_over(GREY, values).astype(int)
    assert (over[:20, :30, 0] > over[:20, :30, 2] + 40).all()
    assert (over[40:, 50:, 2] > over[40:, 50:, 0] + 40).all()
    assert (over[:20, 50:] == 100).all()


def test_the_colours_of_a_map_do_not_depend_on_its_scale_and_zeros_have_none() -> None:
    values = np.random.default_rng(0).normal(size=(6, 8))
    assert np.abs(lay_over(GREY, values) - lay_over(GREY, 1e-4 * values).astype(int)).max() <= 1
    assert (lay_over(GREY, np.zeros((6, 8))) == GREY).all()


def test_a_photo_of_another_shape_keeps_its_own_in_the_middle_of_white() -> None:
    fitted = fit_photo(Image.new("RGB", (400, 100), (10, 20, 30)), 80, 60)
    assert fitted.shape == (60, 80, 3)
    assert (fitted[20:40] == (10, 20, 30)).all()
    assert (fitted[[0, -1]] == 255).all()


def test_photos_lie_on_the_map_where_their_points_are() -> None:
    red, blue = (220, 20, 20), (20, 20, 220)
    points = [[-3.0, 0.0], [5.0, 7.0]]
    pixels = decode(draw_photo_map(points, [paint(red), paint(blue)], ["a", "b"], "two"))
    height, width = (size // 2 for size in pixels.shape[:2])
    assert share_of(pixels[height:, :width], red) > 4 * share_of(pixels, blue) / 5 > 0
    assert share_of(pixels[:height, width:], blue) > share_of(pixels[height:], blue)
    assert share_of(pixels[:height], red) == 0


def test_photos_of_one_group_and_of_one_point_can_be_drawn() -> None:
    together = draw_photo_map(np.zeros((3, 2)), [GREY] * 3, ["a"] * 3, "three")
    assert decode(together).shape == decode(draw_photo_map([[1, 2]], [GREY], ["a"], "one")).shape
