import numpy as np

from seentwice.rendering.raycast import HIGH_SIDE, LOW_SIDE, cast, point_camera
from seentwice.rendering.scene import Box, Material, View

PLAIN = Material("plain", ((0.5, 0.5, 0.5),))
ROOM_M = (4.0, 5.0, 2.5)
SIZE_PX = (41, 31)


def make_view() -> View:
    return View(
        eye=(2.0, 1.0, 1.2),
        target=(2.0, 5.0, 1.2),
        half_width_tangent=1.0,
        daylight=1.0,
        daylight_colour=(1.0, 1.0, 1.0),
        lamps_on=(),
        exposure=1.0,
        white_balance=(1.0, 1.0, 1.0),
        noise_seed=0,
        shifts_m=(),
    )


def test_empty_room_shows_its_faces_at_their_distance() -> None:
    hits = cast(point_camera(make_view(), SIZE_PX), (), ROOM_M, SIZE_PX)
    middle = (15, 20)
    assert (hits.box[middle], hits.axis[middle]) == (HIGH_SIDE, 1)
    np.testing.assert_allclose(hits.depth_m[middle], 4.0, rtol=1e-6)
    assert (hits.box[15, 0], hits.axis[15, 0]) == (LOW_SIDE, 0)
    assert (hits.box[15, 40], hits.axis[15, 40]) == (HIGH_SIDE, 0)
    assert (hits.box[30, 20], hits.axis[30, 20]) == (LOW_SIDE, 2)


def cast_one_ray(eye: tuple[float, ...], ray: list[float], box: Box) -> float:
    """Walk along the ray in small steps: slow, and independent of slabs and frames."""
    for step in range(1, 5000):
        point = [e + step * 0.001 * r for e, r in zip(eye, ray, strict=True)]
        inside = [a <= p <= b for a, p, b in zip(box.low, point, box.high, strict=True)]
        if all(inside):
            return step * 0.001
    return np.inf


def test_boxes_are_found_where_a_walk_along_the_ray_finds_them() -> None:
    boxes = (
        Box((0.5, 2.0, 0.0), (1.5, 3.0, 0.9), PLAIN),
        Box((1.2, 2.5, 0.2), (3.0, 3.5, 1.6), PLAIN),
    )
    view = make_view()
    hits = cast(point_camera(view, SIZE_PX), boxes, ROOM_M, SIZE_PX)
    for row in range(0, 31, 5):
        for column in range(0, 41, 5):
            ray = [float(part) for part in hits.rays[:, row, column]]
            walked = [cast_one_ray(view.eye, ray, box) for box in boxes]
            nearest = int(np.argmin(walked))
            if np.isinf(walked[nearest]):
                assert hits.box[row, column] < 0
            else:
                assert hits.box[row, column] == nearest
                assert abs(hits.depth_m[row, column] - walked[nearest]) < 0.003


def test_box_behind_the_camera_is_not_seen() -> None:
    box = Box((1.5, 0.1, 0.0), (2.5, 0.5, 2.0), PLAIN)
    hits = cast(point_camera(make_view(), SIZE_PX), (box,), ROOM_M, SIZE_PX)
    assert (hits.box < 0).all()
