import numpy as np

from seentwice.rendering.fronts.painting import Camera, Light, paint_panels, project
from seentwice.rendering.fronts.panels import Panel, arched, disc, sides, slab, upright
from seentwice.rendering.scene import Material, Vector
from seentwice.rendering.surfaces import Floats

GREY = Material("shadow", ((0.5, 0.5, 0.5),))
CAMERA = Camera((0.0, -10.0, 1.5), (0.0, 1.0), 40.0, (30.0, 25.0))
LIGHT = Light((0.0, -1.0, 0.0), 0.5, 1.0)
SIZE_PX = (60, 40)


def paint(*panels: Panel, camera: Camera = CAMERA) -> Floats:
    picture = np.zeros((SIZE_PX[1], SIZE_PX[0], 3), np.float32)
    paint_panels(picture, camera, LIGHT, panels)
    return picture


def is_inside(corners: tuple[Vector, ...], x: float, y: float) -> bool:
    """Say by a slow walk round the projected outline whether a pixel's centre is inside."""
    outline = [project(CAMERA, corner)[:2] for corner in corners]
    return all(
        (bx - ax) * (y - ay) - (by - ay) * (x - ax) < 0
        for (ax, ay), (bx, by) in zip(outline, [*outline[1:], outline[0]], strict=True)
    )


def test_camera_shows_what_is_nearer_larger_and_what_is_right_at_the_right() -> None:
    near, far = project(CAMERA, (2.0, 0.0, 1.5)), project(CAMERA, (2.0, 10.0, 1.5))
    assert near == (38.0, 25.0, 10.0)
    assert far == (34.0, 25.0, 20.0)
    assert project(CAMERA, (0.0, 0.0, 4.0))[1] == 15.0


def test_panels_cover_the_pixels_inside_their_outline() -> None:
    slanted = ((-4.0, 0.0, 0.5), (4.0, 2.0, 0.0), (4.0, 2.0, 4.0), (-2.0, 0.5, 5.0))
    picture = paint(Panel(slanted, GREY))
    whole = picture.max()
    for row in range(SIZE_PX[1]):
        for column in range(SIZE_PX[0]):
            value = picture[row, column, 0]
            if 0 < value < 0.99 * whole:
                continue  # at the outline, partly covered
            assert (value > 0) == is_inside(slanted, column + 0.5, row + 0.5)


def test_panels_that_face_away_or_lie_behind_are_left_out() -> None:
    front = upright(-1.0, 1.0, 0.0, 3.0, 0.0, GREY)
    behind = upright(-1.0, 1.0, 0.0, 3.0, -12.0, GREY)
    assert paint(front).any()
    assert not paint(Panel(front.corners[::-1], GREY)).any()
    assert not paint(behind).any()


def test_a_box_shows_the_side_that_the_camera_sees() -> None:
    left, right = sides(-1.0, 1.0, 0.0, 3.0, 0.0, 4.0, GREY)
    aside = Camera((6.0, -10.0, 1.5), (0.0, 1.0), 40.0, (60.0, 25.0))
    assert paint(right, camera=aside).any()
    assert not paint(left, camera=aside).any()


def test_underside_of_what_hangs_over_is_seen_from_below_and_not_from_above() -> None:
    below, above, *_ = slab(-2.0, 2.0, 3.0, 3.2, -1.0, 5.0, GREY, wall_y=0.0)
    assert paint(below).any()
    assert not paint(above).any()
    assert {y for _, y, _ in below.corners} == {-1.0, 0.0}


def test_light_from_the_street_brightens_fronts_alone() -> None:
    front = paint(upright(-2.0, 2.0, 0.0, 3.0, 0.0, GREY)).max()
    ground = paint(
        Panel(((-2.0, -5.0, 0.0), (2.0, -5.0, 0.0), (2.0, 0.0, 0.0), (-2.0, 0.0, 0.0)), GREY)
    ).max()
    assert np.isclose(front, 0.25 * (0.8 + 0.5))
    assert np.isclose(ground, 0.25 * 1.0)


def test_half_covering_panels_let_half_through() -> None:
    wall = upright(-2.0, 2.0, 0.0, 3.0, 0.0, GREY)
    black = Material("shadow", ((0.0, 0.0, 0.0),))
    shaded = paint(wall, Panel(wall.corners, black, opacity=0.5))
    assert np.isclose(shaded.max(), paint(wall).max() / 2)


def test_arches_are_round_and_discs_are_whole() -> None:
    arch = arched(-1.0, 1.0, 0.0, 3.0, 0.0, GREY).corners[2:]
    assert np.allclose([x * x + (z - 2.0) ** 2 for x, _, z in arch], 1.0)
    wheel = disc(5.0, 1.0, 0.5, 0.0, GREY).corners
    assert np.allclose([(x - 5.0) ** 2 + (z - 1.0) ** 2 for x, _, z in wheel], 0.25, atol=0.02)
    assert len({(round(x, 9), round(z, 9)) for x, _, z in wheel}) == len(wheel)
