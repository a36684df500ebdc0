"""How light falls on what a photo sees: windows, lamps, shadows, dark corners."""

import numpy as np
from numpy.typing import NDArray

from seentwice.rendering.scene import Box, Colour, Scene, Vector, View
from seentwice.rendering.surfaces import Floats

_LAMP_COLOUR: Colour = (1.0, 0.80, 0.56)
_PENUMBRA_M = 0.25
"""Light that passes this much of a box is gone: thinner corners give soft edges of shadows."""
_SHADOW_M3 = 0.04
"""Smaller boxes cast no shadow."""


def _lies_open(position: Floats, light: Vector, blockers: list[Box]) -> Floats:
    """Return how much of the light reaches each point: (h, w) in [0, 1]."""
    way = [np.float32(light[axis]) - position[axis] for axis in range(3)]
    squared = way[0] * way[0] + way[1] * way[1] + way[2] * way[2]
    length = np.sqrt(squared)
    inverse = [
        1 / np.where(np.abs(way[axis]) < 1e-5, np.float32(1e-5), way[axis]) for axis in range(3)
    ]
    passed = np.zeros_like(length)
    for box in blockers:
        enter = np.zeros_like(length)
        leave = np.ones_like(length)
        for axis in range(3):
            first = (box.low[axis] - position[axis]) * inverse[axis]
            second = (box.high[axis] - position[axis]) * inverse[axis]
            enter = np.maximum(enter, np.minimum(first, second))
            leave = np.minimum(leave, np.maximum(first, second))
        passed += np.maximum(leave - enter, 0)
    reaching: Floats = np.maximum(1 - passed * length / _PENUMBRA_M, 0)
    return reaching


def _shine(
    position: Floats, facing: Floats, axis: NDArray[np.int16], light: Vector, inward: Vector | None
) -> Floats:
    """Return what a small light gives each point, by angle and distance; (h, w)."""
    way = [np.float32(light[a]) - position[a] for a in range(3)]
    squared = way[0] * way[0] + way[1] * way[1] + way[2] * way[2]
    along_normal = np.where(axis == 0, way[0], np.where(axis == 1, way[1], way[2])) * facing
    length = np.sqrt(squared)
    # Half-Lambert: light from the room's other surfaces reaches what faces away a little.
    cosine = along_normal / (length + 0.01)
    received: Floats = np.maximum(cosine * 0.8 + 0.2, 0) / (squared + 0.5)
    if inward is not None:
        leaving = -(way[0] * inward[0] + way[1] * inward[1] + way[2] * inward[2])
        received = received * np.maximum(leaving / (length + 0.01) + 0.25, 0)
    return received


def _darken_corners(
    position: Floats, axis: NDArray[np.int16], boxes: list[Box], room_m: Vector
) -> Floats:
    """Return how open each point lies to the rest of the room: (h, w) in [0, 1]."""
    openness = np.ones(axis.shape, np.float32)
    for wall in range(3):
        from_wall = np.minimum(position[wall], room_m[wall] - position[wall])
        closeness = np.maximum(1 - from_wall / 0.6, 0)
        openness *= np.where(axis == wall, 1, 1 - 0.35 * closeness * closeness)
    low = (axis == 2) & (position[2] < 0.05)
    rows, columns = np.nonzero(low)
    x, y = position[0, rows, columns], position[1, rows, columns]
    under = np.ones(x.shape, np.float32)
    for box in boxes:
        if box.low[2] > 0.5:
            continue
        dx = np.maximum(np.maximum(box.low[0] - x, x - box.high[0]), 0)
        dy = np.maximum(np.maximum(box.low[1] - y, y - box.high[1]), 0)
        closeness = np.maximum(1 - np.sqrt(dx * dx + dy * dy) / 0.35, 0)
        under *= 1 - 0.5 * closeness * closeness
    openness[rows, columns] *= under
    return openness


def illuminate(
    scene: Scene,
    view: View,
    boxes: tuple[Box, ...],
    position: Floats,
    axis: NDArray[np.int16],
    facing: Floats,
) -> Floats:
    """Return the light that falls on each pixel's surface.

    Args:
        scene: The room, for its lamps and windows.
        view: Which lamps are on, and the daylight.
        boxes: The furniture where it stands in this view.
        position: (3, h, w) in metres.
        axis: (h, w) axis that the surface is square to.
        facing: (h, w), 1 or -1: the way along the axis that the surface looks.

    Returns:
        float32 (h, w, 3), linear, 0 for no light.
    """
    blockers = [box for box in boxes if _measure_volume(box) > _SHADOW_M3]
    openness = _darken_corners(position, axis, blockers, scene.size_m)
    upward = np.where(axis == 2, facing, 0).astype(np.float32)
    ambient = openness * (1 + 0.15 * upward)
    lit = sum(view.lamps_on)
    sky = 0.05 + 0.22 * view.daylight
    picture = np.empty((*axis.shape, 3), np.float32)
    for channel in range(3):
        glow = sky * view.daylight_colour[channel] + 0.09 * lit * _LAMP_COLOUR[channel]
        picture[..., channel] = ambient * glow
    sources: list[tuple[Vector, Vector | None, float, Colour]] = [
        (w.centre, w.inward, 1.6 * w.area_m2 * view.daylight, view.daylight_colour)
        for w in scene.windows
    ]
    sources += [
        (lamp.position, None, lamp.power, _LAMP_COLOUR)
        for lamp, on in zip(scene.lamps, view.lamps_on, strict=True)
        if on
    ]
    sources.sort(key=lambda source: -source[2])
    for number, (place, inward, power, colour) in enumerate(sources):
        received = _shine(position, facing, axis, place, inward) * power
        # Shadows are the dearest part; those of the strongest light are the ones that one sees.
        if number == 0:
            received *= _lies_open(position, place, blockers)
        for channel in range(3):
            picture[..., channel] += received * (openness * colour[channel])
    return picture


def _measure_volume(box: Box) -> float:
    width, depth, height = (high - low for low, high in zip(box.low, box.high, strict=True))
    return width * depth * height
