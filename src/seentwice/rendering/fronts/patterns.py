"""Patterns of houses: from a point on a panel, in metres, to the colour of the surface there.

As in `seentwice.rendering.textures`, every pattern is (face, material) -> float32 (n, 3).
"""

from collections.abc import Callable

import numpy as np

from seentwice.rendering.scene import Material
from seentwice.rendering.surfaces import (
    Face,
    Floats,
    dim,
    draw_grooves,
    draw_noise,
    hash_cells,
    mix,
    repeat,
    soften,
    spread,
    tint,
)


def _shadow(face: Face, material: Material) -> Floats:
    return tint(material.colours[0], np.ones_like(face.u))


def _smooth(face: Face, material: Material) -> Floats:
    noise = draw_noise(face.u * 0.8, face.v * 0.8, material.seed)
    return tint(material.colours[0], 0.96 + 0.06 * noise)


def _rough(face: Face, material: Material) -> Floats:
    noise = draw_noise(face.u * 1.2, face.v * 1.2, material.seed)
    grain = draw_noise(face.u * 9, face.v * 9, material.seed + 1)
    return tint(material.colours[0], 0.86 + 0.12 * noise + 0.14 * grain)


def _lap(face: Face, material: Material) -> Floats:
    """Boards that overlap: each darkens towards its upper edge, in the next one's shadow."""
    number, within = repeat(face.v, material.scale_m)
    tone = 0.97 + 0.05 * spread(hash_cells(number, number * 0, material.seed))
    edge = draw_grooves(face.v, material.scale_m, 0.03, face.pixel_m)
    return tint(material.colours[0], tone * (0.72 + 0.28 * edge) * (1 - 0.06 * within))


def _boards(face: Face, material: Material) -> Floats:
    """Upright boards with battens."""
    edge = draw_grooves(face.u, material.scale_m, 0.04, face.pixel_m)
    noise = draw_noise(face.u * 2, face.v * 0.5, material.seed)
    return tint(material.colours[0], (0.74 + 0.26 * edge) * (0.96 + 0.06 * noise))


def _courses(face: Face, material: Material, wide: float, gap_m: float, spread_of: float) -> Floats:
    """Lay rows of stones, each row shifted by half a stone."""
    row, _ = repeat(face.v, material.scale_m)
    odd = row - 2 * np.floor(row / 2)
    shifted = face.u + odd * (wide / 2)
    column, _ = repeat(shifted, wide)
    tone = 1 - spread_of / 2 + spread_of * spread(hash_cells(column, row, material.seed))
    joint = np.minimum(
        draw_grooves(face.v, material.scale_m, gap_m, face.pixel_m),
        draw_grooves(shifted, wide, gap_m, face.pixel_m),
    )
    return dim(mix(material.colours[-1], material.colours[0], joint), tone)


def _bricks(face: Face, material: Material) -> Floats:
    return _courses(face, material, 3 * material.scale_m, 0.02, 0.3)


def _blocks(face: Face, material: Material) -> Floats:
    return _courses(face, material, 1.6 * material.scale_m, 0.04, 0.4)


def _shakes(face: Face, material: Material) -> Floats:
    return _courses(face, material, 0.8 * material.scale_m, 0.025, 0.25)


def _plates(face: Face, material: Material) -> Floats:
    """Large plates without an offset, as on facades of concrete or fibre cement."""
    scale = material.scale_m
    column, row = np.floor(face.u / scale), np.floor(face.v / (scale * 0.6))
    tone = 0.95 + 0.08 * spread(hash_cells(column, row, material.seed))
    joint: Floats = np.minimum(
        draw_grooves(face.u, scale, 0.03, face.pixel_m),
        draw_grooves(face.v, scale * 0.6, 0.03, face.pixel_m),
    )
    return tint(material.colours[0], tone * (0.7 + 0.3 * joint))


def _slats(face: Face, material: Material) -> Floats:
    """Narrow level slats with open joints."""
    number, _ = repeat(face.v, material.scale_m)
    tone = 0.85 + 0.25 * spread(hash_cells(number, np.floor(face.u / 2.4), material.seed))
    joint = draw_grooves(face.v, material.scale_m, 0.03, face.pixel_m)
    return tint(material.colours[0], tone * (0.55 + 0.45 * joint))


def _shingles(face: Face, material: Material) -> Floats:
    row, _ = repeat(face.v, material.scale_m)
    column, _ = repeat(face.u + row * 0.37, material.scale_m * 1.4)
    tone = 0.82 + 0.34 * spread(hash_cells(column, row, material.seed))
    edge = draw_grooves(face.v, material.scale_m, 0.03, face.pixel_m)
    return tint(material.colours[0], tone * (0.8 + 0.2 * edge))


def _seams(face: Face, material: Material) -> Floats:
    """Metal sheets with standing seams."""
    edge = draw_grooves(face.u, material.scale_m, 0.05, face.pixel_m)
    noise = draw_noise(face.u * 0.5, face.v * 0.5, material.seed)
    return tint(material.colours[0], (0.75 + 0.25 * edge) * (0.95 + 0.1 * noise))


def _barrels(face: Face, material: Material) -> Floats:
    """Round clay tiles: ribs that run up the roof, in rows."""
    column, within = repeat(face.u, material.scale_m)
    row, _ = repeat(face.v, material.scale_m * 1.6)
    x = within / material.scale_m * 2 - 1
    covered: Floats = np.clip(face.pixel_m / material.scale_m * 1.5 - 0.3, 0, 1)
    rib = (1 - x * x) * (1 - covered) + 0.66 * covered
    tone = 0.84 + 0.3 * spread(hash_cells(column, row, material.seed))
    edge = draw_grooves(face.v, material.scale_m * 1.6, 0.05, face.pixel_m)
    return tint(material.colours[0], tone * (0.5 + 0.62 * rib) * (0.75 + 0.25 * edge))


def _glass(face: Face, material: Material, columns: int, rows: int, bar_m: float) -> Floats:
    """Panes that mirror the sky above and are dark below, in a grid of bars.

    The colours are those of the room behind, of the bars and of the mirrored sky.
    """
    x, y = face.u / face.width_m, face.v / face.height_m
    slant = np.clip(y * 1.2 - 0.1 + 0.25 * (x - 0.5), 0, 1)
    noise = draw_noise(face.u * 1.3, face.v * 1.3, material.seed)
    picture = mix(material.colours[0], material.colours[2], slant * (0.35 + 0.65 * noise))
    wide, high = face.width_m / columns, face.height_m / rows
    near_u = np.abs(face.u - wide * np.floor(face.u / wide + 0.5))
    near_v = np.abs(face.v - high * np.floor(face.v / high + 0.5))
    bars = soften(bar_m / 2 - np.minimum(near_u, near_v), face.pixel_m)
    weight = bars[:, None] * np.float32(min(1.0, 1.2 * bar_m / 0.05))
    return picture * (1 - weight) + np.array(material.colours[1], np.float32) * weight


def _count(size_m: float, scale_m: float) -> int:
    return max(1, round(size_m / scale_m))


def _muntins(face: Face, material: Material) -> Floats:
    """Small panes, as in sash windows."""
    rows = 2 * _count(face.height_m, 2 * material.scale_m)
    return _glass(face, material, _count(face.width_m, material.scale_m), rows, 0.05)


def _casement(face: Face, material: Material) -> Floats:
    """Panes as high as the window."""
    return _glass(face, material, _count(face.width_m, material.scale_m), 1, 0.06)


def _sliding(face: Face, material: Material) -> Floats:
    """Two or three wide panes."""
    return _glass(face, material, max(2, _count(face.width_m, 1.6 * material.scale_m)), 1, 0.06)


def _gate(face: Face, material: Material) -> Floats:
    """Draw a garage door of sections."""
    high = face.height_m / 4
    wide = face.width_m / _count(face.width_m, material.scale_m)
    rim = np.minimum(
        draw_grooves(face.v, high, 0.05, face.pixel_m),
        0.5 + 0.5 * draw_grooves(face.u, wide, 0.05, face.pixel_m),
    )
    return tint(material.colours[0], 0.72 + 0.28 * rim)


def _glazed_gate(face: Face, material: Material) -> Floats:
    """Draw a garage door with a row of panes in its upper section."""
    picture = _gate(face, material)
    high = face.height_m / 4
    pane, _ = repeat(face.u, face.width_m / _count(face.width_m, material.scale_m))
    within = face.u - pane * (face.width_m / _count(face.width_m, material.scale_m))
    middle = face.width_m / _count(face.width_m, material.scale_m) / 2
    inside = soften(
        np.minimum(
            high * 0.3 - np.abs(face.v - 3.5 * high), middle * 0.75 - np.abs(within - middle)
        ),
        face.pixel_m,
    )[:, None]
    return picture * (1 - inside) + np.array(material.colours[-1], np.float32) * inside


def _door(face: Face, material: Material) -> Floats:
    """Two columns of sunk fields and a knob."""
    wide, high = face.width_m / 2, face.height_m / 3
    near_u = np.abs(face.u - wide * (np.floor(face.u / wide) + 0.5))
    near_v = np.abs(face.v - high * (np.floor(face.v / high) + 0.5))
    field = soften(np.minimum(wide * 0.32 - near_u, high * 0.36 - near_v), face.pixel_m)
    return tint(material.colours[0], 1 - 0.2 * field)


def _flush(face: Face, material: Material) -> Floats:
    """Draw a plain door with an upright strip of glass."""
    strip = soften(0.1 - np.abs(face.u - face.width_m * 0.3), face.pixel_m)
    strip = strip * soften(face.height_m * 0.38 - np.abs(face.v - face.height_m / 2), face.pixel_m)
    return mix(material.colours[0], material.colours[-1], strip)


def _louvres(face: Face, material: Material) -> Floats:
    joint = draw_grooves(face.v, 0.1, 0.04, face.pixel_m)
    return tint(material.colours[0], 0.7 + 0.3 * joint)


def _balusters(face: Face, material: Material) -> Floats:
    """Bars before the dark: the second colour is what is seen between them."""
    bar = 1 - draw_grooves(face.u, material.scale_m, 0.05, face.pixel_m)
    rail = soften(face.v - (face.height_m - 0.1), face.pixel_m)
    return mix(material.colours[-1], material.colours[0], np.maximum(bar, rail))


def _leaves(face: Face, material: Material) -> Floats:
    noise = draw_noise(face.u * 6, face.v * 6, material.seed) * 0.5
    noise = noise + draw_noise(face.u * 1.7, face.v * 1.7, material.seed + 1) * 0.5
    tone = 0.4 + 0.8 * noise + 0.3 * face.v / face.height_m
    return tint(material.colours[0], np.clip(tone, 0, 1.3))


def _paved(face: Face, material: Material) -> Floats:
    noise = draw_noise(face.u * 1.5, face.v * 1.5, material.seed)
    joint = draw_grooves(face.v, material.scale_m, 0.04, face.pixel_m)
    return tint(material.colours[0], (0.9 + 0.15 * noise) * (0.85 + 0.15 * joint))


PATTERNS: dict[str, Callable[[Face, Material], Floats]] = {
    "shadow": _shadow,
    "smooth": _smooth,
    "rough": _rough,
    "lap": _lap,
    "boards": _boards,
    "bricks": _bricks,
    "blocks": _blocks,
    "shakes": _shakes,
    "plates": _plates,
    "slats": _slats,
    "shingles": _shingles,
    "seams": _seams,
    "barrels": _barrels,
    "muntins": _muntins,
    "casement": _casement,
    "sliding": _sliding,
    "gate": _gate,
    "glazed_gate": _glazed_gate,
    "door": _door,
    "flush": _flush,
    "louvres": _louvres,
    "balusters": _balusters,
    "leaves": _leaves,
    "paved": _paved,
}
