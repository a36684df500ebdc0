"""Pieces of furniture as boxes, each in its own frame.

x runs along the wall from the piece's left side, y from the wall into the room, z up; metres.
"""

from dataclasses import dataclass

from numpy.random import Generator

from seentwice.rendering.palettes import (
    BLACK,
    DARK_GREEN,
    GREEN,
    STEEL,
    TEXTILES,
    WHITE,
    Style,
    between,
    choose,
    draw_seed,
)
from seentwice.rendering.scene import Box, Lamp, Material

PLAIN_WHITE = Material("plain", (WHITE,))
PLAIN_BLACK = Material("plain", (BLACK,))
PLAIN_STEEL = Material("plain", (STEEL,))
FOLIAGE = Material("foliage", (GREEN, DARK_GREEN))


@dataclass(frozen=True)
class Piece:
    """One thing that stands or hangs in a room."""

    width_m: float
    depth_m: float
    boxes: tuple[Box, ...]
    lamps: tuple[Lamp, ...] = ()
    """What its boxes' `lamp` numbers count."""


def _block(
    x: float, y: float, z: float, width: float, depth: float, height: float, material: Material
) -> Box:
    return Box((x, y, z), (x + width, y + depth, z + height), material)


def _trinket(rng: Generator, x: float, y: float, z: float) -> Box:
    """Draw a small thing that people move: a vase, a bowl, a box."""
    width, height = between(rng, 0.06, 0.14), between(rng, 0.06, 0.28)
    material = Material("plain", (choose(rng, TEXTILES),))
    return Box((x, y, z), (x + width, y + width, z + height), material, loose=True)


def make_bed(rng: Generator, style: Style) -> Piece:
    """Draw a bed: headboard, mattress, blanket, pillows."""
    width, depth = choose(rng, (1.0, 1.5, 1.8)), 2.05
    head = between(rng, 0.8, 1.3)
    board = choose(rng, (style.wood, style.front, style.second))
    covered = between(rng, 0.9, 1.5)
    boxes = [
        _block(0, 0, 0, width, 0.08, head, board),
        _block(0.02, 0.08, 0.08, width - 0.04, depth - 0.08, 0.22, style.wood),
        _block(0.04, 0.08, 0.3, width - 0.08, depth - 0.12, 0.2, PLAIN_WHITE),
        _block(0, depth - covered, 0.24, width, covered - 0.02, 0.3, style.main),
    ]
    pillows = 1 if width < 1.2 else 2
    for number in range(pillows):
        x = (number + 0.5) * width / pillows - 0.3
        boxes.append(_block(x, 0.12, 0.5, 0.6, 0.35, 0.16, PLAIN_WHITE))
        cushion = _block(x + 0.08, 0.46, 0.5, 0.44, 0.14, 0.3, style.second)
        boxes.append(Box(cushion.low, cushion.high, cushion.material, loose=True))
    return Piece(width, depth, tuple(boxes))


def make_nightstand(rng: Generator, style: Style) -> Piece:
    """Draw a nightstand with a lamp on it."""
    size, height = between(rng, 0.38, 0.5), between(rng, 0.45, 0.6)
    middle = size / 2
    boxes = (
        _block(0, 0, 0, size, size, height, style.front),
        _block(middle - 0.02, middle - 0.02, height, 0.04, 0.04, 0.2, style.metal),
        Box(
            (middle - 0.13, middle - 0.13, height + 0.2),
            (middle + 0.13, middle + 0.13, height + 0.42),
            style.shade,
            lamp=0,
        ),
    )
    return Piece(size, size, boxes, (Lamp((middle, middle, height + 0.5), 0.7),))


def make_floor_lamp(rng: Generator, style: Style) -> Piece:
    """Draw a standing lamp."""
    height = between(rng, 1.3, 1.7)
    boxes = (
        _block(0.08, 0.08, 0, 0.24, 0.24, 0.03, style.metal),
        _block(0.18, 0.18, 0.03, 0.04, 0.04, height - 0.3, style.metal),
        Box((0.02, 0.02, height - 0.28), (0.38, 0.38, height), style.shade, lamp=0),
    )
    return Piece(0.4, 0.4, boxes, (Lamp((0.2, 0.2, height + 0.1), 1.0),))


def make_cabinet(rng: Generator, style: Style, width: float, depth: float, height: float) -> Piece:
    """Draw a chest, a wardrobe or a sideboard with things on it."""
    boxes = [
        _block(0.02, 0.02, 0, width - 0.04, depth - 0.05, 0.07, PLAIN_BLACK),
        _block(0, 0, 0.07, width, depth, height - 0.1, style.front),
        _block(-0.01, 0, height - 0.03, width + 0.02, depth + 0.02, 0.03, style.top),
    ]
    if height < 1.3:
        boxes += [
            _trinket(rng, between(rng, 0.05, width - 0.2), between(rng, 0.08, depth - 0.16), height)
            for _ in range(int(rng.integers(1, 4)))
        ]
    return Piece(width, depth + 0.02, tuple(boxes))


def make_shelves(rng: Generator, style: Style) -> Piece:
    """Draw a bookcase."""
    width, height = between(rng, 0.7, 1.3), between(rng, 1.5, 2.1)
    rows = int(rng.integers(4, 6))
    boxes = [
        _block(0, 0, 0, 0.03, 0.3, height, style.wood),
        _block(width - 0.03, 0, 0, 0.03, 0.3, height, style.wood),
        _block(0, 0, 0, width, 0.03, height, style.wood),
    ]
    step = (height - 0.03) / rows
    colours = tuple(choose(rng, TEXTILES) for _ in range(4))
    for row in range(rows + 1):
        boxes.append(_block(0, 0, row * step, width, 0.3, 0.03, style.wood))
        if row < rows:
            books = Material("books", colours, 1.0, draw_seed(rng))
            filled = between(rng, 0.4, 0.94) * width
            boxes.append(_block(0.03, 0.04, row * step + 0.03, filled, 0.18, step - 0.03, books))
    return Piece(width, 0.3, tuple(boxes))


def make_sofa(rng: Generator, style: Style) -> Piece:
    """Draw a sofa or, narrow, an armchair, with cushions."""
    width = choose(rng, (0.95, 1.7, 2.2))
    arm, back = choose(rng, (0.12, 0.22)), between(rng, 0.75, 0.95)
    boxes = [
        _block(0, 0, 0.08, width, 0.85, 0.22, style.main),
        _block(0, 0, 0.3, width, 0.22, back - 0.3, style.main),
        _block(0, 0, 0.3, arm, 0.85, 0.3, style.main),
        _block(width - arm, 0, 0.3, arm, 0.85, 0.3, style.main),
    ]
    seats = max(1, round((width - 2 * arm) / 0.7))
    seat = (width - 2 * arm) / seats
    for number in range(seats):
        x = arm + number * seat
        boxes.append(_block(x + 0.01, 0.22, 0.3, seat - 0.02, 0.65, 0.13, style.main))
        cushion = _block(x + seat / 2 - 0.21, 0.24, 0.43, 0.42, 0.14, 0.38, style.second)
        boxes.append(Box(cushion.low, cushion.high, cushion.material, loose=True))
    return Piece(width, 0.88, tuple(boxes))


def make_table(rng: Generator, style: Style, width: float, depth: float, height: float) -> Piece:
    """Draw a table on four legs, with things on it."""
    top = choose(rng, (style.wood, style.top))
    boxes = [_block(0, 0, height - 0.05, width, depth, 0.05, top)]
    boxes += [
        _block(x, y, 0, 0.06, 0.06, height - 0.05, style.metal)
        for x in (0.03, width - 0.09)
        for y in (0.03, depth - 0.09)
    ]
    boxes += [
        _trinket(rng, between(rng, 0.1, width - 0.25), between(rng, 0.1, depth - 0.25), height)
        for _ in range(int(rng.integers(1, 4)))
    ]
    return Piece(width, depth, tuple(boxes))


def make_dining_set(rng: Generator, style: Style) -> Piece:
    """Draw a table with chairs along both sides."""
    width, depth = choose(rng, (1.2, 1.6, 2.0)), between(rng, 0.75, 0.95)
    table = make_table(rng, style, width, depth, 0.75)
    chairs: list[Box] = []
    count = round(width / 0.65)
    tall = between(rng, 0.85, 1.05)
    for number in range(count):
        x = (number + 0.5) * width / count - 0.21
        for seat_y, back_y in ((-0.12, -0.16), (depth - 0.28, depth + 0.12)):
            chairs.append(_block(x, seat_y + 0.02, 0.42, 0.42, 0.4, 0.05, style.second))
            chairs.append(_block(x, back_y, 0.47, 0.42, 0.04, tall - 0.47, style.wood))
            chairs.append(_block(x + 0.02, back_y + 0.005, 0, 0.03, 0.03, 0.45, style.metal))
            chairs.append(_block(x + 0.37, back_y + 0.005, 0, 0.03, 0.03, 0.45, style.metal))
    return Piece(width, depth, (*table.boxes, *chairs))


def make_counter(rng: Generator, style: Style, width: float) -> Piece:
    """Draw a kitchen counter with oven, backsplash, wall cupboards and things on it."""
    splash = Material(
        choose(rng, ("tiles", "checker", "diamonds", "hexagons")),
        (choose(rng, TEXTILES), WHITE),
        choose(rng, (0.1, 0.16)),
        draw_seed(rng),
    )
    oven = between(rng, 0.1, width - 0.8)
    boxes = [
        _block(0, 0, 0, width, 0.52, 0.1, PLAIN_BLACK),
        _block(0, 0, 0.1, width, 0.58, 0.76, style.front),
        _block(0, 0, 0.86, width, 0.62, 0.04, style.top),
        _block(0, 0, 0.9, width, 0.015, 0.55, splash),
        _block(oven, 0.5, 0.12, 0.6, 0.1, 0.72, PLAIN_STEEL),
        _block(oven + 0.06, 0.52, 0.2, 0.48, 0.09, 0.4, PLAIN_BLACK),
        _block(oven, 0.05, 0.9, 0.6, 0.5, 0.01, PLAIN_BLACK),
    ]
    if rng.random() < 0.6:
        boxes.append(_block(oven + 0.05, 0, 1.5, 0.5, 0.35, 0.7, PLAIN_STEEL))
        if oven > 0.5:
            boxes.append(_block(0, 0, 1.45, oven, 0.33, 0.7, style.front))
        if width - oven > 1.2:
            boxes.append(_block(oven + 0.6, 0, 1.45, width - oven - 0.6, 0.33, 0.7, style.front))
    else:
        boxes.append(_block(0, 0, 1.5, width, 0.25, 0.04, style.wood))
        boxes += [_trinket(rng, between(rng, 0.1, width - 0.2), 0.06, 1.54) for _ in range(4)]
    boxes += [_trinket(rng, between(rng, 0.1, width - 0.2), 0.2, 0.9) for _ in range(3)]
    return Piece(width, 0.62, tuple(boxes))


def make_fridge(rng: Generator, style: Style) -> Piece:
    """Draw a fridge, in steel, white or the kitchen's own front."""
    body = choose(rng, (PLAIN_STEEL, PLAIN_WHITE, style.front))
    split = between(rng, 0.6, 1.2)
    height = between(rng, 1.7, 2.0)
    boxes = (
        _block(0, 0, 0.03, 0.6, 0.6, split, body),
        _block(0, 0, split + 0.045, 0.6, 0.6, height - split, body),
        _block(0.54, 0.6, split - 0.4, 0.02, 0.03, 0.35, style.metal),
        _block(0.54, 0.6, split + 0.1, 0.02, 0.03, 0.35, style.metal),
    )
    return Piece(0.6, 0.63, boxes)


def make_bathtub(rng: Generator, style: Style) -> Piece:
    """Draw a bathtub with a curtain or a glass pane's frame, and a towel."""
    width = between(rng, 1.5, 1.75)
    side = choose(rng, (PLAIN_WHITE, style.front, style.top))
    boxes = [
        _block(0, 0, 0, width, 0.72, 0.55, side),
        _block(-0.01, 0, 0.55, width + 0.02, 0.74, 0.03, PLAIN_WHITE),
        _block(0.1, 0.1, 0.575, width - 0.2, 0.52, 0.01, Material("plain", ((0.7, 0.72, 0.74),))),
    ]
    drawn = between(rng, 0.3, 0.7) * width
    boxes.append(_block(0, 0.72, 0.35, drawn, 0.04, 1.65, style.main))
    boxes.append(_block(0, 0.73, 2.0, width, 0.02, 0.02, style.metal))
    return Piece(width, 0.78, tuple(boxes))


def make_vanity(rng: Generator, style: Style) -> Piece:
    """Draw a washstand with a mirror over it and a light over that."""
    width = choose(rng, (0.7, 1.0, 1.3))
    tall = between(rng, 0.6, 0.95)
    boxes = (
        _block(0, 0, 0.25, width, 0.48, 0.55, style.front),
        _block(-0.01, 0, 0.8, width + 0.02, 0.5, 0.04, style.top),
        _block(width / 2 - 0.22, 0.08, 0.84, 0.44, 0.34, 0.1, PLAIN_WHITE),
        _block(width / 2 - 0.02, 0.05, 0.84, 0.04, 0.04, 0.25, style.metal),
        _block(0.04, 0, 1.1, width - 0.08, 0.03, tall, style.wood),
        _block(0.08, 0.03, 1.14, width - 0.16, 0.005, tall - 0.08, Material("mirror", (WHITE,))),
        Box((0.1, 0, 1.16 + tall), (width - 0.1, 0.08, 1.24 + tall), PLAIN_WHITE, lamp=0),
        _trinket(rng, 0.04, 0.2, 0.84),
    )
    return Piece(width, 0.5, boxes, (Lamp((width / 2, 0.2, 1.2 + tall), 1.0),))


def make_toilet(rng: Generator, style: Style) -> Piece:
    """Draw a toilet."""
    boxes = (
        _block(0, 0, 0.35, 0.4, 0.18, 0.45, PLAIN_WHITE),
        _block(0.06, 0.1, 0, 0.28, 0.45, 0.38, PLAIN_WHITE),
        _block(0.02, 0.18, 0.38, 0.36, 0.46, 0.05, choose(rng, (PLAIN_WHITE, style.wood))),
    )
    return Piece(0.4, 0.65, boxes)


def make_towels(rng: Generator, style: Style) -> Piece:
    """Draw towels on a rail."""
    height = between(rng, 1.0, 1.4)
    boxes = (
        _block(0, 0.05, height, 0.7, 0.02, 0.02, style.metal),
        _block(0.05, 0.03, height - 0.6, 0.28, 0.06, 0.63, style.second),
        _block(0.38, 0.03, height - 0.4, 0.26, 0.06, 0.43, style.rug),
    )
    return Piece(0.7, 0.1, boxes)


def make_screen(rng: Generator, style: Style) -> Piece:
    """Draw a television on a low cabinet."""
    width, height = between(rng, 1.2, 1.8), between(rng, 0.4, 0.55)
    wide = between(rng, 0.8, 1.15)
    cabinet = make_cabinet(rng, style, width, 0.4, height)
    start = (width - wide) / 2
    boxes = (
        *cabinet.boxes,
        _block(start, 0.12, height + 0.06, wide, 0.04, wide * 0.56, Material("screen", (BLACK,))),
        _block(width / 2 - 0.15, 0.08, height, 0.3, 0.15, 0.06, PLAIN_BLACK),
    )
    return Piece(width, 0.42, boxes)


def make_plant(rng: Generator, style: Style) -> Piece:
    """Draw a plant in a pot."""
    height = between(rng, 0.5, 1.2)
    boxes = [_block(0.12, 0.12, 0, 0.26, 0.26, 0.3, choose(rng, (style.top, style.shade)))]
    for _ in range(5):
        x, y = between(rng, 0.0, 0.22), between(rng, 0.0, 0.22)
        size = between(rng, 0.16, 0.28)
        boxes.append(_block(x, y, between(rng, 0.3, height), size, size, size, FOLIAGE))
    return Piece(0.5, 0.5, tuple(boxes))
