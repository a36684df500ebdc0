"""What every pattern is woven of: hashed cells, smooth noise, soft lines, mixed colours.

Lines are softened over the width of a pixel, so that far patterns fade instead of flickering.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from seentwice.rendering.scene import Colour

Floats = NDArray[np.float32]
Integers = NDArray[np.uint32]


@dataclass(frozen=True)
class Face:
    """Points of one face of a box, as seen by the camera."""

    u: Floats
    """(n,) metres from the face's left edge."""
    v: Floats
    """(n,) metres from the face's lower edge."""
    width_m: float
    height_m: float
    pixel_m: Floats
    """(n,) how much of the surface a pixel covers."""


def hash_cells(x: Floats, y: Floats, seed: int) -> Integers:
    """Return 32 well-mixed bits for each lattice cell (x, y); x and y are whole numbers."""
    # By way of int32: a negative float to uint32 is undefined and differs between processors.
    column = x.astype(np.int32).view(np.uint32)
    row = y.astype(np.int32).view(np.uint32)
    bits = column * np.uint32(0x9E3779B1) ^ row * np.uint32(0x85EBCA77) ^ np.uint32(seed)
    bits ^= bits >> np.uint32(15)
    bits *= np.uint32(0x2C1B3C6D)
    bits ^= bits >> np.uint32(12)
    bits *= np.uint32(0x297A2D39)
    bits ^= bits >> np.uint32(15)
    return bits


def spread(bits: Integers) -> Floats:
    """Return the bits as numbers in [0, 1)."""
    return (bits >> np.uint32(8)).astype(np.float32) * np.float32(1 / (1 << 24))


def draw_noise(x: Floats, y: Floats, seed: int) -> Floats:
    """Return smooth value noise in [0, 1) with features of size one."""
    left, low = np.floor(x), np.floor(y)
    a, b = x - left, y - low
    a, b = a * a * (3 - 2 * a), b * b * (3 - 2 * b)
    lower = spread(hash_cells(left, low, seed)) * (1 - a)
    lower = lower + spread(hash_cells(left + 1, low, seed)) * a
    upper = spread(hash_cells(left, low + 1, seed)) * (1 - a)
    upper = upper + spread(hash_cells(left + 1, low + 1, seed)) * a
    return lower * (1 - b) + upper * b


def mix(first: Colour, second: Colour, weight: Floats) -> Floats:
    """Return colours between the first (weight 0) and the second (weight 1): (n, 3)."""
    picture = np.empty((*weight.shape, 3), np.float32)
    for channel in range(3):
        picture[..., channel] = first[channel] + (second[channel] - first[channel]) * weight
    return picture


def paint(colours: tuple[Colour, ...], which: Integers) -> Floats:
    """Return the colour that each number picks, modulo their count: (n, 3)."""
    table = np.array(colours, np.float32)
    picture: Floats = table[which % np.uint32(len(colours))]
    return picture


def tint(colour: Colour, tone: Floats) -> Floats:
    """Return one colour in many tones: (n, 3)."""
    return tone[..., None] * np.array(colour, np.float32)


def dim(picture: Floats, factor: Floats) -> Floats:
    """Return the colours times a factor per point."""
    return picture * factor[..., None]


def soften(signed_m: Floats, pixel_m: Floats) -> Floats:
    """Return 0 below, 1 above, a ramp of one pixel across zero."""
    ramp: Floats = np.clip(signed_m / pixel_m + 0.5, 0, 1)
    return ramp


def repeat(x: Floats, period: float) -> tuple[Floats, Floats]:
    """Return the number of the repeat, and the position within it in metres."""
    number = np.floor(x / period)
    return number, x - number * period


def draw_grooves(x: Floats, period: float, width_m: float, pixel_m: Floats) -> Floats:
    """Return 1 inside, 0 in the grooves at each multiple of the period."""
    _, within = repeat(x, period)
    from_groove = np.minimum(within, period - within)
    shown = soften(from_groove - width_m / 2, pixel_m)
    covered: Floats = np.minimum(pixel_m / period, 1)
    return shown * (1 - covered) + (1 - width_m / period) * covered


def soften_repeat(signed_m: Floats, period: float, pixel_m: Floats) -> Floats:
    """Return a soft 0/1 mask that fades to one half where a pixel covers the period."""
    mask = soften(signed_m, pixel_m)
    covered: Floats = np.clip(2 * pixel_m / period - 0.2, 0, 1)
    return mask * (1 - covered) + 0.5 * covered
