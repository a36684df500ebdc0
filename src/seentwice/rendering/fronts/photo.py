"""Photographs a house front: framing, light, exposure, noise."""

from math import sqrt

import numpy as np
from numpy.random import PCG64, Generator
from numpy.typing import NDArray

from seentwice.rendering.fronts.houses import BUILDS, STOREYS
from seentwice.rendering.fronts.painting import Camera, Light, paint_panels, project
from seentwice.rendering.fronts.palette import draw_palette
from seentwice.rendering.fronts.panels import Panel
from seentwice.rendering.fronts.sides import Side, SideDraws
from seentwice.rendering.fronts.surroundings import (
    draw_background,
    draw_foreground,
    draw_ground,
    paint_sky_and_lawn,
)
from seentwice.rendering.surfaces import Floats

_NOISE = 0.015
"""Half the range of a sensor's noise, of full brightness."""


def render_front(
    seed: int, style: str, storeys: str, side: Side, size_px: tuple[int, int]
) -> NDArray[np.uint8]:
    """Draw a house front and photograph it: the same arguments give the same pixels.

    Args:
        seed: Any number from 0; decides all but style and storeys.
        style: One of `houses.STYLES`.
        storeys: One of `houses.STOREYS`; three or more are three, or one time in three four. No
            ranch house has more than two.
        side: Whose ranges of colours, textures, proportions and cameras are drawn from.
        size_px: Width and height of the photo.

    Returns:
        uint8 (height, width, 3), RGB.
    """
    draws = SideDraws(Generator(PCG64(seed)), side)
    # All that is no part of the house comes first: it is the same whatever is built.
    palette = draw_palette(draws)
    light = _draw_light(draws)
    floors = STOREYS.index(storeys) + 1
    floors += floors == 3 and draws.chance(1 / 3)
    house = BUILDS[style](draws, palette, floors)
    left, right, top = _measure(house)
    camera = _point_camera(draws, (left, right, top), size_px)
    gate_x = _find_gate(house)
    panels = [
        *draw_background(draws, palette, right - left, top),
        *draw_ground(draws, palette, gate_x, camera.eye[1]),
        *house,
        *draw_foreground(draws, palette, left, right, gate_x, camera.eye[1]),
    ]
    picture = np.zeros((size_px[1], size_px[0], 3), np.float32)
    paint_sky_and_lawn(picture, camera, palette, draws.seed())
    paint_panels(picture, camera, light, panels)
    return _develop(picture, draws)


def _draw_light(draws: SideDraws) -> Light:
    x, y, z = draws.between(-1, 1), draws.between(-1, 0.3), draws.between(0.3, 1.2)
    length = sqrt(x * x + y * y + z * z)
    return Light(
        (x / length, y / length, z / length), draws.between(0.1, 0.9), draws.between(0.45, 0.8)
    )


def _measure(house: list[Panel]) -> tuple[float, float, float]:
    """Return the leftmost, the rightmost and the highest point."""
    corners = [corner for panel in house for corner in panel.corners]
    across = [x for x, _, _ in corners]
    return min(across), max(across), max(z for _, _, z in corners)


def _find_gate(house: list[Panel]) -> float:
    """Return where the drive leads to: the middle of a garage door, or of the house's door."""
    for patterns in (("gate", "glazed_gate"), ("door", "flush")):
        gates = [panel for panel in house if panel.material.pattern in patterns]
        if gates:
            across = [x for panel in gates for x, _, _ in panel.corners]
            return (min(across) + max(across)) / 2
    return 0.0


def _point_camera(
    draws: SideDraws, house: tuple[float, float, float], size_px: tuple[int, int]
) -> Camera:
    """Frame the house: its share of the photo is drawn the same way for low and high ones."""
    left, right, top = house
    middle = (left + right) / 2
    away_m = draws.between(13.0, 26.0) + 0.25 * (right - left)
    eye = (middle + draws.between(-0.55, 0.55) * away_m, -away_m, draws.between(1.3, 2.6))
    target_x, target_y = middle - eye[0], 2.0 - eye[1]
    length = sqrt(target_x * target_x + target_y * target_y)
    plain = Camera(eye, (target_x / length, target_y / length), 1.0, (0.0, 0.0))
    seen = [
        project(plain, (x, y, z)) for x in (left, right) for y in (0.0, 7.0) for z in (0.0, top)
    ]
    low_x, high_x = min(x for x, *_ in seen), max(x for x, *_ in seen)
    low_y, high_y = min(y for _, y, _ in seen), max(y for _, y, _ in seen)
    share = draws.between(0.15, 0.3)
    focal_px = sqrt(share * size_px[0] * size_px[1] / ((high_x - low_x) * (high_y - low_y)))
    # The horizon too is drawn the same way for all: sky and lawn tell nothing of the house.
    horizon = size_px[1] * draws.between(0.56, 0.76)
    focal_px = min(
        focal_px,
        size_px[0] * draws.between(0.95, 1.1) / (high_x - low_x),
        horizon * 0.97 / -low_y,
    )
    shift_x = size_px[0] * (0.5 + draws.between(-0.06, 0.06))
    centre = (shift_x - focal_px * (low_x + high_x) / 2, horizon)
    return Camera(eye, plain.forward, focal_px, centre)


def _develop(radiance: Floats, draws: SideDraws) -> NDArray[np.uint8]:
    """Expose, balance, add noise and quantise."""
    # An integer sum: the order in which floats are summed, and so their last bit, would differ.
    mean = int((radiance[..., 1] * 4096).astype(np.int64).sum()) / 4096 / radiance[..., 1].size
    gain = draws.between(0.7, 1.3) * 0.38 / (mean + 0.03)
    balance = (draws.between(0.9, 1.1), 1.0, draws.between(0.9, 1.1))
    noise = Generator(PCG64(draws.seed())).random(radiance.shape, dtype=np.float32)
    picture = np.empty_like(radiance)
    for channel in range(3):
        bright = radiance[..., channel] * np.float32(gain * balance[channel])
        picture[..., channel] = np.sqrt(bright * (1 + bright * 0.25) / (1 + bright))
    picture += (noise - 0.5) * np.float32(2 * _NOISE)
    return (np.clip(picture, 0, 1) * 255 + 0.5).astype(np.uint8)
