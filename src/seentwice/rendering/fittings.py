"""Adds what most rooms have: windows, a door, pictures, a rug, a ceiling lamp."""

from dataclasses import replace

from seentwice.rendering.draft import WALLS, Draft
from seentwice.rendering.furniture import PLAIN_WHITE, Piece
from seentwice.rendering.palettes import WHITE, Style, between, choose, draw_art, draw_seed
from seentwice.rendering.scene import Box, Lamp, Material, Window


def add_window(draft: Draft, wall: str, style: Style) -> None:
    """Hang a window if the wall has room for it; outside kitchen and bath mostly with curtains."""
    rng = draft.rng
    width, height = between(rng, 0.9, 1.9), between(rng, 1.0, 1.4)
    sill = between(rng, 0.8, 1.0)
    view = Material("outside", (WHITE,), 1.0, draw_seed(rng))
    curtain = replace(style.curtain, pattern="folds")
    boxes = [
        Box((0.2, 0, 0), (0.3 + width, 0.03, height), PLAIN_WHITE),
        Box((0.25, 0.03, 0.05), (0.25 + width, 0.035, height - 0.05), view, outside=True),
        Box((0.15, 0, -0.04), (0.35 + width, 0.12, 0), PLAIN_WHITE),
    ]
    if rng.random() < 0.75 and draft.room_type not in ("kitchen", "bathroom"):
        low = choose(rng, (-0.2, 0.03 - sill))
        boxes.append(Box((0, 0.06, low), (0.28, 0.14, height + 0.12), curtain))
        boxes.append(Box((0.22 + width, 0.06, low), (0.5 + width, 0.14, height + 0.12), curtain))
    piece = Piece(width + 0.5, 0.15, tuple(boxes))
    before = len(draft.boxes)
    if not draft.hang(piece, wall, sill):
        return
    pane = draft.boxes[before + 1]
    x, y, z = ((a + b) / 2 for a, b in zip(pane.low, pane.high, strict=True))
    inward = {"back": (0.0, -1.0, 0.0), "left": (1.0, 0.0, 0.0), "right": (-1.0, 0.0, 0.0)}[wall]
    draft.windows.append(Window((x, y, z), inward, width * height))


def add_door(draft: Draft, style: Style) -> None:
    """Set a door into a wall that has room for it."""
    leaf = replace(style.front, pattern="panels", scale_m=0.9)
    if draft.rng.random() < 0.5:
        leaf = replace(leaf, colours=PLAIN_WHITE.colours)
    boxes = (
        Box((0, 0, 0), (1.0, 0.03, 2.1), PLAIN_WHITE),
        Box((0.07, 0.02, 0), (0.93, 0.045, 2.03), leaf),
        Box((0.8, 0.04, 1.0), (0.9, 0.09, 1.03), style.metal),
    )
    draft.stand(Piece(1.0, 0.1, boxes), choose(draft.rng, WALLS), tall=True)


def add_pictures(draft: Draft, style: Style) -> None:
    """Hang two to five framed pictures where the walls are free."""
    rng = draft.rng
    frame = choose(rng, (style.wood, style.metal, PLAIN_WHITE))
    for _ in range(int(rng.integers(2, 6))):
        width, height = between(rng, 0.4, 1.0), between(rng, 0.45, 0.85)
        art = draw_art(rng)
        boxes = (
            Box((0, 0, 0), (width, 0.025, height), frame),
            Box((0.04, 0.025, 0.04), (width - 0.04, 0.03, height - 0.04), art),
        )
        draft.hang(
            Piece(width, 0.03, boxes), choose(rng, ("back", *WALLS)), between(rng, 1.25, 1.5)
        )


def add_rug(draft: Draft, style: Style) -> None:
    """Lay a rug."""
    rng = draft.rng
    width, depth, _ = draft.size_m
    wide, deep = between(rng, 0.45, 0.7) * width, between(rng, 0.3, 0.5) * depth
    x = between(rng, 0.15, width - wide - 0.15)
    y = between(rng, 0.3 * depth, depth - deep - 0.4)
    draft.boxes.append(Box((x, y, 0), (x + wide, y + deep, 0.015), style.rug))


def add_ceiling_lamp(draft: Draft, style: Style) -> None:
    """Hang a lamp from the ceiling."""
    rng = draft.rng
    width, depth, height = draft.size_m
    x, y = width * between(rng, 0.4, 0.6), depth * between(rng, 0.5, 0.65)
    drop, half = between(rng, 0.25, 0.6), between(rng, 0.12, 0.25)
    tall = between(rng, 0.12, 0.3)
    z = height - drop
    draft.boxes.append(Box((x - 0.01, y - 0.01, z), (x + 0.01, y + 0.01, height), style.metal))
    shade = Box((x - half, y - half, z - tall), (x + half, y + half, z), style.shade)
    draft.boxes.append(replace(shade, lamp=len(draft.lamps)))
    draft.lamps.append(Lamp((x, y, z - tall - 0.1), 2.2))
