"""Patterns: from a point on a face, in metres, to the colour of the surface there.

Every pattern is a function (face, material) -> float32 (n, 3), colours as displayed.
"""

from collections.abc import Callable

import numpy as np

from seentwice.rendering.pictures import PICTURES
from seentwice.rendering.scene import Material
from seentwice.rendering.surfaces import (
    Face,
    Floats,
    dim,
    draw_grooves,
    draw_noise,
    hash_cells,
    mix,
    paint,
    repeat,
    soften,
    soften_repeat,
    spread,
    tint,
)

_DARK = 0.55
"""Brightness of the gaps between planks against the planks."""


def _plain(face: Face, material: Material) -> Floats:
    noise = draw_noise(face.u * 3, face.v * 3, material.seed)
    return tint(material.colours[0], 0.96 + 0.06 * noise)


def _weave(face: Face, material: Material) -> Floats:
    noise = draw_noise(face.u * 60, face.v * 60, material.seed)
    return dim(mix(material.colours[0], material.colours[1], noise * 0.25), 0.9 + 0.15 * noise)


def _stripes(face: Face, material: Material) -> Floats:
    _, within = repeat(face.u, material.scale_m)
    signed = material.scale_m / 4 - np.abs(within - material.scale_m / 2)
    mask = soften_repeat(signed, material.scale_m, face.pixel_m)
    return mix(material.colours[0], material.colours[1], mask)


def _bands(face: Face, material: Material) -> Floats:
    number, within = repeat(face.v, material.scale_m)
    tone = spread(hash_cells(number, number * 0, material.seed))
    edge = soften(np.minimum(within, material.scale_m - within), face.pixel_m)
    return mix(material.colours[0], material.colours[1], tone * edge)


def _plaid(face: Face, material: Material) -> Floats:
    scale = material.scale_m
    _, across = repeat(face.u, scale)
    _, along = repeat(face.v, scale)
    first = soften_repeat(scale / 5 - np.abs(across - scale / 2), scale, face.pixel_m)
    second = soften_repeat(scale / 5 - np.abs(along - scale / 2), scale, face.pixel_m)
    return mix(material.colours[0], material.colours[1], (first + second) * 0.5)


def _dots(face: Face, material: Material) -> Floats:
    scale = material.scale_m
    row, y = repeat(face.v, scale)
    odd = row - 2 * np.floor(row / 2)
    _, x = repeat(face.u + odd * (scale / 2), scale)
    x, y = x - scale / 2, y - scale / 2
    radius: Floats = np.sqrt(x * x + y * y)
    mask = soften_repeat(scale * 0.3 - radius, scale, face.pixel_m)
    return mix(material.colours[0], material.colours[1], mask)


def _diamonds(face: Face, material: Material) -> Floats:
    scale = material.scale_m
    _, x = repeat(face.u, scale)
    _, y = repeat(face.v, scale)
    reach = np.abs(x - scale / 2) + np.abs(y - scale / 2)
    mask = soften_repeat(reach - scale / 2, scale, face.pixel_m)
    return mix(material.colours[0], material.colours[1], mask)


def _wainscot(face: Face, material: Material) -> Floats:
    below = soften(0.95 - face.v, face.pixel_m)
    rail = soften(0.03 - np.abs(face.v - 0.97), face.pixel_m)
    grooves = 1 - below * (1 - draw_grooves(face.u, 0.16, 0.015, face.pixel_m)) * 0.4
    return dim(mix(material.colours[0], material.colours[1], below), grooves * (1 - 0.2 * rail))


def _lay_planks(u: Floats, v: Floats, face: Face, material: Material) -> Floats:
    """Lay planks along u: each has its own tone, grain and end."""
    row, _ = repeat(v, material.scale_m)
    offset = spread(hash_cells(row, row * 0, material.seed)) * 1.3
    plank, _ = repeat(u + offset, 1.3)
    tone = 0.82 + 0.3 * spread(hash_cells(plank, row, material.seed + 1))
    grain = draw_noise(u * 3 + row * 7, v * 60, material.seed + 2)
    grain = grain * np.clip(1 - face.pixel_m * 40, 0, 1)
    gap = np.minimum(
        draw_grooves(v, material.scale_m, 0.006, face.pixel_m),
        draw_grooves(u + offset, 1.3, 0.006, face.pixel_m),
    )
    tone = tone * (0.94 + 0.12 * grain) * (_DARK + (1 - _DARK) * gap)
    return tint(material.colours[0], tone)


def _planks(face: Face, material: Material) -> Floats:
    return _lay_planks(face.u, face.v, face, material)


def _chevron(face: Face, material: Material) -> Floats:
    column, within = repeat(face.u, 0.6)
    odd = column - 2 * np.floor(column / 2)
    slanted = face.v + np.where(odd > 0, within, 0.6 - within)
    row, _ = repeat(slanted, material.scale_m)
    tone = 0.78 + 0.36 * spread(hash_cells(row, column, material.seed))
    gap: Floats = np.minimum(
        draw_grooves(slanted, material.scale_m, 0.008, face.pixel_m),
        draw_grooves(face.u, 0.6, 0.008, face.pixel_m),
    )
    tone = tone * (_DARK + (1 - _DARK) * gap)
    return tint(material.colours[0], tone)


def _grain(face: Face, material: Material) -> Floats:
    noise = draw_noise(face.u * 4, face.v * 45, material.seed)
    noise = 0.5 + (noise - 0.5) * np.clip(1.5 - face.pixel_m * 40, 0, 1)
    return tint(material.colours[0], 0.86 + 0.24 * noise)


def _speckle(face: Face, material: Material) -> Floats:
    noise = draw_noise(face.u / material.scale_m, face.v / material.scale_m, material.seed)
    noise = 0.5 + (noise - 0.5) * np.clip(1.5 - face.pixel_m / material.scale_m, 0, 1)
    return tint(material.colours[0], 0.84 + 0.26 * noise)


def _tiles(face: Face, material: Material) -> Floats:
    scale = material.scale_m
    column, row = np.floor(face.u / scale), np.floor(face.v / scale)
    tone = 0.93 + 0.1 * spread(hash_cells(column, row, material.seed))
    grout = np.minimum(
        draw_grooves(face.u, scale, scale * 0.04, face.pixel_m),
        draw_grooves(face.v, scale, scale * 0.04, face.pixel_m),
    )
    return dim(mix(material.colours[1], material.colours[0], grout), tone)


def _checker(face: Face, material: Material) -> Floats:
    scale = material.scale_m
    column, x = repeat(face.u, scale)
    row, y = repeat(face.v, scale)
    odd = (column + row) - 2 * np.floor((column + row) / 2)
    from_edge = np.minimum(np.minimum(x, scale - x), np.minimum(y, scale - y))
    sharp = np.clip(from_edge / face.pixel_m, 0, 1) * 0.5
    weight = np.where(odd > 0, 0.5 + sharp, 0.5 - sharp)
    tone = 0.95 + 0.08 * spread(hash_cells(column, row, material.seed))
    return dim(mix(material.colours[0], material.colours[1], weight), tone)


def _hexagons(face: Face, material: Material) -> Floats:
    scale = material.scale_m
    # Hexagons are the nearest-centre cells of two interleaved rectangular lattices.
    tall = scale * 1.7320508
    across = [face.u / scale, face.u / scale + 0.5]
    along = [face.v / tall, face.v / tall + 0.5]
    cells = [(np.floor(x), np.floor(y)) for x, y in zip(across, along, strict=True)]
    far = []
    for x, y, (column, row) in zip(across, along, cells, strict=True):
        dx, dy = (x - column - 0.5) * scale, (y - row - 0.5) * tall
        far.append(np.sqrt(dx * dx + dy * dy))
    other = far[1] < far[0]
    column = np.where(other, cells[1][0] * 2 + 1, cells[0][0] * 2)
    row = np.where(other, cells[1][1] * 2 + 1, cells[0][1] * 2)
    bits = hash_cells(column, row, material.seed)
    edge = soften(np.abs(far[1] - far[0]) - scale * 0.03, face.pixel_m)
    picture = paint((material.colours[0], material.colours[0], material.colours[1]), bits)
    return dim(picture, 0.75 + 0.25 * edge)


def _front(face: Face, material: Material, columns: int, rows: int) -> Floats:
    """Divide the face into doors or drawers with a handle each."""
    wide, high = face.width_m / columns, face.height_m / rows
    column, x = repeat(face.u, wide)
    row, y = repeat(face.v, high)
    rim = np.minimum(np.minimum(x, wide - x), np.minimum(y, high - y))
    groove = np.minimum(
        soften(rim - 0.008, face.pixel_m),
        1 - 0.6 * soften(0.008 - np.abs(rim - 0.07), face.pixel_m),
    )
    tone = 0.96 + 0.06 * spread(hash_cells(column, row, material.seed))
    surface = tint(material.colours[0], tone * (0.6 + 0.4 * groove))
    upright = rows == 1
    from_x = np.abs(x - (wide - 0.05 if upright else wide / 2))
    from_y = np.abs(y - high / 2)
    long_way, short_way = (from_y, from_x) if upright else (from_x, from_y)
    handle = soften(np.minimum(0.08 - long_way, 0.012 - short_way), face.pixel_m)[:, None]
    return surface * (1 - handle) + np.array(material.colours[-1], np.float32) * handle


def _panels(face: Face, material: Material) -> Floats:
    return _front(face, material, max(1, round(face.width_m / material.scale_m)), 1)


def _drawers(face: Face, material: Material) -> Floats:
    columns = max(1, round(face.width_m / (2 * material.scale_m)))
    return _front(face, material, columns, max(1, round(face.height_m / 0.25)))


def _slats(face: Face, material: Material) -> Floats:
    gap = draw_grooves(face.u, 0.06, 0.014, face.pixel_m)
    return tint(material.colours[0], 0.5 + 0.5 * gap)


def _books(face: Face, material: Material) -> Floats:
    column, x = repeat(face.u, 0.045)
    bits = hash_cells(column, column * 0, material.seed)
    tall = face.height_m * (0.6 + 0.35 * spread(hash_cells(column, column * 0 + 1, material.seed)))
    book = soften(tall - face.v, face.pixel_m)
    gap = 0.6 + 0.4 * soften(np.minimum(x, 0.045 - x) - 0.003, face.pixel_m)
    return dim(paint(material.colours, bits), (0.15 + 0.85 * book) * gap)


def _foliage(face: Face, material: Material) -> Floats:
    noise = draw_noise(face.u * 25, face.v * 25, material.seed)
    weight = np.clip(noise * 4 - 1.5, 0, 1)
    return mix(material.colours[0], material.colours[1], weight)


def _folds(face: Face, material: Material) -> Floats:
    _, within = repeat(face.u, 0.11)
    fold = np.abs(within / 0.11 - 0.5) * 2
    stripes = Material("stripes", material.colours, 0.4)
    return dim(_stripes(face, stripes), 0.7 + 0.35 * fold)


PATTERNS: dict[str, Callable[[Face, Material], Floats]] = {
    "plain": _plain,
    "weave": _weave,
    "stripes": _stripes,
    "bands": _bands,
    "plaid": _plaid,
    "dots": _dots,
    "diamonds": _diamonds,
    "wainscot": _wainscot,
    "planks": _planks,
    "chevron": _chevron,
    "grain": _grain,
    "speckle": _speckle,
    "carpet": _speckle,
    "tiles": _tiles,
    "checker": _checker,
    "hexagons": _hexagons,
    "panels": _panels,
    "drawers": _drawers,
    "slats": _slats,
    "books": _books,
    "foliage": _foliage,
    "folds": _folds,
    **PICTURES,
}
