"""Patterns that fill a face once: paintings, the view outside a window, a mirror, a screen."""

from collections.abc import Callable

import numpy as np

from seentwice.rendering.scene import Material
from seentwice.rendering.surfaces import (
    Face,
    Floats,
    Integers,
    draw_noise,
    hash_cells,
    mix,
    paint,
    soften,
    spread,
    tint,
)

_CANVAS = (0.90, 0.87, 0.80)


def _fill(face: Face) -> tuple[Floats, Floats]:
    """Return the points in units of the face: both in [0, 1]."""
    return face.u / face.width_m, face.v / face.height_m


def _art_blocks(face: Face, material: Material) -> Floats:
    x, y = _fill(face)
    column, row = np.floor(x * 3), np.floor(y * 4)
    picture = paint((_CANVAS, *material.colours), hash_cells(column, row, material.seed))
    gap = np.minimum(
        0.5 - np.abs(x * 3 - column - 0.5),
        0.5 - np.abs(y * 4 - row - 0.5),
    )
    return picture * np.where(gap < 0.05, 0.2, 1).astype(np.float32)[:, None]


def _art_rings(face: Face, material: Material) -> Floats:
    x, y = _fill(face)
    x = x - (0.3 + 0.4 * (material.seed % 5) / 4)
    y = y - (0.3 + 0.4 * (material.seed % 7) / 6)
    ring = np.floor(np.sqrt(x * x + y * y) * 7)
    return paint(material.colours, ring.astype(np.int32).view(np.uint32))


def _art_hills(face: Face, material: Material) -> Floats:
    x, y = _fill(face)
    depth: Integers = np.zeros(x.shape, np.uint32)
    for layer, level in enumerate((0.75, 0.5, 0.28)):
        ridge = level + 0.25 * (draw_noise(x * 3, x * 0, material.seed + layer) - 0.5)
        depth = np.where(y < ridge, np.uint32(layer + 1), depth)
    return paint(material.colours, depth)


def _art_bars(face: Face, material: Material) -> Floats:
    x, y = _fill(face)
    along = x if material.seed & 1 else y
    bar = np.floor(along * 6 + 0.2)
    return paint((*material.colours, _CANVAS), hash_cells(bar, bar * 0, material.seed))


def _art_sun(face: Face, material: Material) -> Floats:
    x, y = _fill(face)
    horizon = 0.3 + 0.05 * (material.seed % 4)
    dx, dy = x - 0.5, y - horizon - 0.12
    inside = dx * dx + dy * dy < 0.06
    which = np.where(y < horizon, np.uint32(0), np.where(inside, np.uint32(1), np.uint32(2)))
    return paint(material.colours, which.astype(np.uint32))


def _outside(face: Face, material: Material) -> Floats:
    """Paint sky, trees or roofs, and the bars that divide the pane."""
    x, y = _fill(face)
    sky = mix((0.95, 0.97, 1.0), (0.62, 0.78, 0.98), np.clip(y * 1.4 - 0.4, 0, 1))
    if material.seed & 1:
        skyline = 0.2 + 0.35 * spread(hash_cells(np.floor(x * 5), x * 0, material.seed))
        ground = tint((0.55, 0.50, 0.48), 0.8 + 0.3 * draw_noise(x * 9, y * 9, material.seed))
    else:
        skyline = 0.25 + 0.3 * draw_noise(x * 5, x * 0, material.seed)
        ground = tint((0.36, 0.50, 0.28), 0.6 + 0.7 * draw_noise(x * 18, y * 18, material.seed))
    picture = np.where((y < skyline)[:, None], ground, sky)
    columns = 2 + material.seed % 2
    from_bar = np.abs(x * columns - np.floor(x * columns + 0.5)) * (face.width_m / columns)
    glass = soften(from_bar - 0.025, face.pixel_m)[:, None]
    return picture * glass + np.array(material.colours[0], np.float32) * (1 - glass) * 0.8


def _mirror(face: Face, material: Material) -> Floats:
    x, y = _fill(face)
    return mix((0.55, 0.62, 0.66), (0.80, 0.85, 0.88), np.clip((x + y) * 0.6, 0, 1))


def _screen(face: Face, material: Material) -> Floats:
    x, y = _fill(face)
    return tint((0.06, 0.07, 0.09), 0.7 + 1.2 * np.clip(x + y - 0.9, 0, 1))


PICTURES: dict[str, Callable[[Face, Material], Floats]] = {
    "art_blocks": _art_blocks,
    "art_rings": _art_rings,
    "art_hills": _art_hills,
    "art_bars": _art_bars,
    "art_sun": _art_sun,
    "outside": _outside,
    "mirror": _mirror,
    "screen": _screen,
}
