"""Shapes cut out of a panel: from a point on it to how much it covers, 0 to 1."""

from collections.abc import Callable

import numpy as np

from seentwice.rendering.scene import Material
from seentwice.rendering.surfaces import Face, Floats, draw_noise, soften


def _crown(face: Face, material: Material) -> Floats:
    x: Floats = face.u / face.width_m * 2 - 1
    y: Floats = face.v / face.height_m * 2 - 1
    radius: Floats = np.sqrt(x * x + y * y)
    noise = draw_noise(x * 3.5, y * 3.5, material.seed) * 0.4
    noise = noise + draw_noise(x * 11, y * 11, material.seed + 1) * 0.25
    inside: Floats = (1.05 - noise - radius) * (face.width_m / 2)
    return soften(inside, face.pixel_m)


def _conifer(face: Face, material: Material) -> Floats:
    x = np.abs(face.u / face.width_m * 2 - 1)
    y = face.v / face.height_m
    tier = y * 6 - np.floor(y * 6)
    reach = (1 - y) * (1.05 - 0.35 * tier)
    noise = draw_noise(face.u * 5, face.v * 5, material.seed) * 0.25
    return soften((reach - noise * reach - x) * face.width_m / 2, face.pixel_m)


def _hedge(face: Face, material: Material) -> Floats:
    noise = draw_noise(face.u * 2.5, face.v * 0, material.seed) * 0.3
    noise = noise + draw_noise(face.u * 9, face.v * 4, material.seed + 1) * 0.15
    from_end = np.minimum(face.u, face.width_m - face.u)
    top = face.height_m * (1 - noise) * np.clip(0.4 + from_end * 2, 0, 1)
    return soften(np.minimum(top - face.v, from_end), face.pixel_m)


MASKS: dict[str, Callable[[Face, Material], Floats]] = {
    "crown": _crown,
    "conifer": _conifer,
    "hedge": _hedge,
}
