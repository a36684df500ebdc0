"""What each pixel of a photo sees: the nearest box, the face and the distance."""

from dataclasses import dataclass
from math import sqrt

import numpy as np
from numpy.typing import NDArray

from seentwice.rendering.scene import Box, Vector, View
from seentwice.rendering.surfaces import Floats

LOW_SIDE = -1
"""In `Hits.box`: the room's face at 0 of its axis, such as the floor."""
HIGH_SIDE = -2
"""In `Hits.box`: the room's face at its size, such as the ceiling."""

_NEAR_M = 0.05


@dataclass(frozen=True)
class Camera:
    """A pinhole: the ray of pixel (row, column) is ahead + right * x + up * y."""

    eye: Vector
    ahead: Vector
    right: Vector
    up: Vector
    half_width: float
    half_height: float


@dataclass(frozen=True)
class Hits:
    """The nearest surface along every ray."""

    rays: Floats
    """(3, h, w), as long along the camera's axis as one metre."""
    depth_m: Floats
    """(h, w), along the camera's axis."""
    box: NDArray[np.int16]
    """(h, w) position in the list of boxes; the room's own faces are LOW_SIDE and HIGH_SIDE."""
    axis: NDArray[np.int16]
    """(h, w) axis that the face is square to: 0, 1 or 2 for x, y or z."""


def _normalise(x: float, y: float, z: float) -> Vector:
    length = sqrt(x * x + y * y + z * z)
    return x / length, y / length, z / length


def point_camera(view: View, size_px: tuple[int, int]) -> Camera:
    """Return the upright camera that looks from the view's eye at its target."""
    ahead = _normalise(*(t - e for t, e in zip(view.target, view.eye, strict=True)))
    right = _normalise(ahead[1], -ahead[0], 0.0)
    up = (
        right[1] * ahead[2],
        -right[0] * ahead[2],
        right[0] * ahead[1] - right[1] * ahead[0],
    )
    half_height = view.half_width_tangent * size_px[1] / size_px[0]
    return Camera(view.eye, ahead, right, up, view.half_width_tangent, half_height)


def _cast_rays(camera: Camera, size_px: tuple[int, int]) -> Floats:
    width, height = size_px
    x = ((np.arange(width) + 0.5) / width * 2 - 1).astype(np.float32) * camera.half_width
    y = (1 - (np.arange(height) + 0.5) / height * 2).astype(np.float32) * camera.half_height
    rays = np.empty((3, height, width), np.float32)
    for axis in range(3):
        across, upward = x * camera.right[axis], y * camera.up[axis] + camera.ahead[axis]
        rays[axis] = across[None, :] + upward[:, None]
    # A ray square to an axis would divide by zero; a ray almost square to it will not.
    return np.where(np.abs(rays) < 1e-6, np.float32(1e-6), rays)


def _frame(camera: Camera, box: Box, size_px: tuple[int, int]) -> tuple[slice, slice] | None:
    """Return the rows and columns that can show the box, or None where none can."""
    xs, ys = [], []
    behind = 0
    for corner in range(8):
        offset = [
            (box.high if corner >> axis & 1 else box.low)[axis] - camera.eye[axis]
            for axis in range(3)
        ]
        ahead, right, up = (
            offset[0] * way[0] + offset[1] * way[1] + offset[2] * way[2]
            for way in (camera.ahead, camera.right, camera.up)
        )
        if ahead < _NEAR_M:
            behind += 1
            continue
        xs.append(right / ahead / camera.half_width)
        ys.append(up / ahead / camera.half_height)
    width, height = size_px
    if behind == 8:
        return None
    if behind:
        return slice(0, height), slice(0, width)
    left, right_end = int((min(xs) + 1) / 2 * width), int((max(xs) + 1) / 2 * width) + 1
    top, bottom = int((1 - max(ys)) / 2 * height), int((1 - min(ys)) / 2 * height) + 1
    left, right_end = max(left, 0), min(right_end, width)
    top, bottom = max(top, 0), min(bottom, height)
    if left >= right_end or top >= bottom:
        return None
    return slice(top, bottom), slice(left, right_end)


def cast(camera: Camera, boxes: tuple[Box, ...], room_m: Vector, size_px: tuple[int, int]) -> Hits:
    """Find what every pixel sees, from a camera inside the room.

    Args:
        camera: Inside the room and outside all boxes.
        boxes: The furniture.
        room_m: Width, depth and height of the room.
        size_px: Width and height of the picture.
    """
    rays = _cast_rays(camera, size_px)
    inverse = 1 / rays
    exits = [
        np.where(
            rays[axis] > 0, np.float32(room_m[axis] - camera.eye[axis]), -camera.eye[axis]
        ).astype(np.float32)
        * inverse[axis]
        for axis in range(3)
    ]
    depth = np.minimum(np.minimum(exits[0], exits[1]), exits[2])
    axis_hit = np.where(depth == exits[0], 0, np.where(depth == exits[1], 1, 2)).astype(np.int16)
    along = np.where(axis_hit == 0, rays[0], np.where(axis_hit == 1, rays[1], rays[2]))
    box_hit = np.where(along > 0, HIGH_SIDE, LOW_SIDE).astype(np.int16)
    for number, box in enumerate(boxes):
        frame = _frame(camera, box, size_px)
        if frame is None:
            continue
        rows, columns = frame
        enter, leave = [], []
        for axis in range(3):
            slope = inverse[axis, rows, columns]
            first = slope * (box.low[axis] - camera.eye[axis])
            second = slope * (box.high[axis] - camera.eye[axis])
            enter.append(np.minimum(first, second))
            leave.append(np.maximum(first, second))
        near = np.maximum(np.maximum(enter[0], enter[1]), enter[2])
        far = np.minimum(np.minimum(leave[0], leave[1]), leave[2])
        shown = depth[rows, columns]
        hit = (near < far) & (near > _NEAR_M) & (near < shown)
        face = np.where(near == enter[0], 0, np.where(near == enter[1], 1, 2))
        depth[rows, columns] = np.where(hit, near, shown)
        np.copyto(box_hit[rows, columns], np.int16(number), where=hit)
        np.copyto(axis_hit[rows, columns], face.astype(np.int16), where=hit)
    return Hits(rays, depth, box_hit, axis_hit)
