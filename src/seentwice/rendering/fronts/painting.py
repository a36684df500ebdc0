"""Paints panels back to front as a camera on the street sees them."""

from collections.abc import Iterable
from dataclasses import dataclass
from math import sqrt

import numpy as np

from seentwice.rendering.fronts.masks import MASKS
from seentwice.rendering.fronts.panels import Panel
from seentwice.rendering.fronts.patterns import PATTERNS
from seentwice.rendering.scene import Vector
from seentwice.rendering.surfaces import Face, Floats

_NEAREST_M = 0.3
_SEAM_PX = 0.25
"""How far a panel reaches over its outline, so that nothing shines through between two."""


@dataclass(frozen=True, slots=True)
class Camera:
    """A level camera with a shifted lens: what is upright stays upright in the photo."""

    eye: Vector
    forward: tuple[float, float]
    """Level direction of view, of length 1."""
    focal_px: float
    centre_px: tuple[float, float]
    """Where the horizon and the direction of view meet in the photo; may be outside it."""


@dataclass(frozen=True, slots=True)
class Light:
    """Daylight on a front."""

    sun: Vector
    """Direction towards it, of length 1."""
    sun_power: float
    sky_power: float


def project(camera: Camera, point: Vector) -> tuple[float, float, float]:
    """Return column and row in pixels, and the depth in metres."""
    x, y, z = (a - b for a, b in zip(point, camera.eye, strict=True))
    forward_x, forward_y = camera.forward
    depth = x * forward_x + y * forward_y
    across = x * forward_y - y * forward_x
    scale = camera.focal_px / max(depth, _NEAREST_M)
    return camera.centre_px[0] + across * scale, camera.centre_px[1] - z * scale, depth


def paint_panels(picture: Floats, camera: Camera, light: Light, panels: Iterable[Panel]) -> None:
    """Paint each panel over what is there, in place.

    Args:
        picture: Radiance, (height, width, 3).
        camera: Where it is seen from; panels behind it or turned away are left out.
        light: What falls on them.
        panels: The farthest first.
    """
    for panel in panels:
        _paint_panel(picture, camera, light, panel)


def _paint_panel(picture: Floats, camera: Camera, light: Light, panel: Panel) -> None:
    origin, along = panel.corners[0], _unit(_minus(panel.corners[1], panel.corners[0]))
    up = _minus(panel.corners[-1], origin)
    normal = _unit(_cross(along, up))
    up = _cross(normal, along)
    to_eye = _minus(camera.eye, origin)
    height_m = _dot(to_eye, normal)
    if height_m <= 1e-3:
        return
    outline = [project(camera, corner) for corner in panel.corners]
    if min(depth for *_, depth in outline) < _NEAREST_M:
        return
    height, width = picture.shape[:2]
    left = max(0, int(min(x for x, *_ in outline)) - 1)
    right = min(width, int(max(x for x, *_ in outline)) + 2)
    top = max(0, int(min(y for _, y, _ in outline)) - 1)
    bottom = min(height, int(max(y for _, y, _ in outline)) + 2)
    if left >= right or top >= bottom:
        return
    columns = np.arange(left, right, dtype=np.float32) + np.float32(0.5)
    rows = (np.arange(top, bottom, dtype=np.float32) + np.float32(0.5))[:, None]
    cover = _cover(outline, columns, rows)
    inside = cover > 0
    if not inside.any():
        return
    x = (columns - np.float32(camera.centre_px[0])) / np.float32(camera.focal_px)
    z = (np.float32(camera.centre_px[1]) - rows) / np.float32(camera.focal_px)
    # Rays have depth 1, so the distance along a ray is the depth.
    towards: Floats = np.minimum(_along(camera, normal, x, z)[inside], np.float32(-1e-4))
    depth = np.float32(-height_m) / towards
    slant: Floats = np.clip(-_along(camera, normal, x, z)[inside], 0.3, 1)
    spans = [
        [_dot(_minus(corner, origin), axis) for corner in panel.corners] for axis in (along, up)
    ]
    u = _dot(to_eye, along) + depth * _along(camera, along, x, z)[inside]
    v = _dot(to_eye, up) + depth * _along(camera, up, x, z)[inside]
    face = Face(
        u=(u - np.float32(min(spans[0]))).astype(np.float32),
        v=(v - np.float32(min(spans[1]))).astype(np.float32),
        width_m=max(spans[0]) - min(spans[0]),
        height_m=max(spans[1]) - min(spans[1]),
        pixel_m=depth / np.float32(camera.focal_px) / slant,
    )
    colour = PATTERNS[panel.material.pattern](face, panel.material)
    lit = light.sky_power * (0.8 + 0.2 * normal[2])
    lit += light.sun_power * max(0.0, _dot(normal, light.sun))
    weight = cover[inside] * np.float32(panel.opacity)
    if panel.mask:
        weight = weight * MASKS[panel.mask](face, panel.material)
    region = picture[top:bottom, left:right]
    below = region[inside]
    # Squares stand for the display's gamma.
    region[inside] = below + (colour * colour * np.float32(lit) - below) * weight[:, None]


def _cover(outline: list[tuple[float, float, float]], columns: Floats, rows: Floats) -> Floats:
    """Return how much of each pixel is inside the outline, (rows, columns)."""
    nearest = np.full((len(rows), len(columns)), np.float32(1))
    for (ax, ay, _), (bx, by, _) in zip(outline, [*outline[1:], outline[0]], strict=True):
        dx, dy = bx - ax, by - ay
        length = sqrt(dx * dx + dy * dy)
        if length < 1e-6:
            continue
        # Counter-clockwise in space is clockwise to rows that count downwards.
        offset = np.float32((ay * dx - ax * dy) / length + 0.5 + _SEAM_PX)
        line = columns * np.float32(dy / length) - rows * np.float32(dx / length) + offset
        np.minimum(nearest, line, out=nearest)
    return np.clip(nearest, 0, 1)


def _along(camera: Camera, axis: Vector, x: Floats, z: Floats) -> Floats:
    """Return the rays' components along an axis, (rows, columns)."""
    forward_x, forward_y = camera.forward
    ahead = np.float32(axis[0] * forward_x + axis[1] * forward_y)
    across = np.float32(axis[0] * forward_y - axis[1] * forward_x)
    component: Floats = ahead + across * x + np.float32(axis[2]) * z
    return component


def _minus(a: Vector, b: Vector) -> Vector:
    return a[0] - b[0], a[1] - b[1], a[2] - b[2]


def _dot(a: Vector, b: Vector) -> float:
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]


def _cross(a: Vector, b: Vector) -> Vector:
    return a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]


def _unit(a: Vector) -> Vector:
    length = sqrt(_dot(a, a))
    return a[0] / length, a[1] / length, a[2] / length
