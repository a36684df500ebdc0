"""Contemporary houses: flat or single-slope roofs, shifted boxes, large panes."""

from seentwice.rendering.fronts.kit import Kit, Textures, draw_kit
from seentwice.rendering.fronts.openings import balcony, garage, window
from seentwice.rendering.fronts.palette import Palette
from seentwice.rendering.fronts.panels import Panel, shadow, slab, upright
from seentwice.rendering.fronts.roofs import Volume, flat, parapet, shed, walls
from seentwice.rendering.fronts.sides import SideDraws

_TEXTURES = Textures(
    wall=(("smooth", "plates"), ("rough", "slats")),
    roof=(("seams",), ("seams",)),
    window=(("casement",), ("sliding", "casement")),
)


def build_contemporary(draws: SideDraws, palette: Palette, floors: int) -> list[Panel]:
    """Build a contemporary house with this many floors."""
    kit = draw_kit(draws, palette, _TEXTURES)
    storey_m = draws.between(2.8, 3.3)
    width_m = draws.between(9.0, 15.0)
    base = Volume(-width_m / 2, width_m / 2, 0.0, draws.between(7.0, 9.0), storey_m)
    gate_left = draws.chance(0.5)
    panels = _draw_ground_floor(draws, kit, base, gate_left)
    below = base
    for floor in range(1, floors):
        panels += _cap(draws, kit, below)
        below = _draw_upper(draws, base, below, storey_m, floor)
        panels += _draw_floor(draws, kit, below, floor)
    return panels + _draw_roof(draws, kit, below)


def _draw_ground_floor(draws: SideDraws, kit: Kit, base: Volume, gate_left: bool) -> list[Panel]:
    """Draw the garage flush in the wall, a plain door and panes to the floor."""
    panels = walls(base, kit.wall)
    gate_m = draws.between(3.0, 5.4)
    start = base.left + 0.5 if gate_left else base.right - 0.5 - gate_m
    free = (start + gate_m, base.right) if gate_left else (base.left, start)
    accent = draws.pick(free, (start - 0.4, start + gate_m + 0.4))
    panels.append(upright(*accent, 0.0, base.top, 0.0, kit.second_wall))
    panels += garage(kit, start, start + gate_m, 0.0, 1)
    entry = free[0] + 1.1 if gate_left else free[1] - 1.1
    panels += [
        upright(entry - 0.65, entry + 0.65, 0.0, 2.45, 0.0, kit.trim),
        upright(entry - 0.55, entry + 0.55, 0.0, 2.4, 0.0, kit.door),
    ]
    panels += slab(entry - 1.2, entry + 1.2, 2.6, 2.75, -1.4, 0.0, kit.trim)
    left, right = (entry + 1.0, free[1] - 0.5) if gate_left else (free[0] + 0.5, entry - 1.0)
    if right - left > 0.8:
        panels += _draw_panes(draws, kit, left, right, 0.0, base.top, 0.0)
    return panels


def _cap(draws: SideDraws, kit: Kit, volume: Volume) -> list[Panel]:
    """Cover a floor with a thin slab."""
    reach_m = draws.between(0.05, 0.5)
    return slab(
        volume.left - reach_m,
        volume.right + reach_m,
        volume.top,
        volume.top + 0.18,
        volume.front - reach_m,
        volume.back,
        kit.trim,
        volume.front,
    )


def _draw_upper(
    draws: SideDraws, base: Volume, below: Volume, storey_m: float, floor: int
) -> Volume:
    """Return the box of an upper floor, narrower and shifted, maybe over the street."""
    width_m = (base.right - base.left) * draws.between(0.6, 1.0)
    slack = base.right - base.left - width_m
    left = base.left + slack * draws.pick(0.0, 0.5, 1.0) + draws.between(-0.8, 0.8)
    low = below.top + 0.18
    front = base.front + draws.between(-1.2, 0.6) * draws.pick(0.3, 1.0)
    return Volume(left, left + width_m, front, base.back, low + storey_m, low)


def _draw_floor(draws: SideDraws, kit: Kit, box: Volume, floor: int) -> list[Panel]:
    """Draw the walls, panes and maybe a balcony of an upper floor."""
    wall = draws.pick(kit.wall, kit.second_wall)
    panels = walls(box, wall)
    if box.front < 0:
        panels.insert(0, shadow(box.left, box.right, box.low - 1.0, box.low - 0.2, 0.0, 0.4))
        bottom = (
            (box.left, 0.5, box.low),
            (box.right, 0.5, box.low),
            (box.right, box.front, box.low),
            (box.left, box.front, box.low),
        )
        panels.insert(1, Panel(bottom, kit.trim))
    split = box.left + (box.right - box.left) * draws.between(0.35, 0.65)
    for left, right in ((box.left + 0.5, split - 0.3), (split + 0.3, box.right - 0.5)):
        panels += _draw_panes(draws, kit, left, right, box.low, box.top, box.front)
    if draws.chance(0.4):
        left = box.left if draws.chance(0.5) else split
        right = split if left < split else box.right
        panels += balcony(kit, left, right, box.low + 0.05, box.front)
    return panels


def _draw_panes(
    draws: SideDraws, kit: Kit, left: float, right: float, low: float, high: float, y: float
) -> list[Panel]:
    """Draw a large pane, or a strip of glass under the ceiling."""
    kind = draws.pick("full", "full", "strip", "corner")
    if kind == "full":
        return window(kit, left, right, low + 0.25, high - 0.35, y)
    if kind == "strip":
        return window(kit, left, right, low + 1.3, low + 2.2, y)
    third = left + (right - left) * draws.between(0.4, 0.7)
    return [
        *window(kit, left, third, low + 0.25, high - 0.35, y),
        upright(third + 0.15, right, low + 0.25, high - 0.35, y, kit.second_wall),
    ]


def _draw_roof(draws: SideDraws, kit: Kit, top: Volume) -> list[Panel]:
    kind = draws.pick("flat", "flat", "parapet", "shed")
    if kind == "flat":
        return flat(kit, top, draws.between(0.3, 1.1), draws.between(0.18, 0.42))
    if kind == "parapet":
        return parapet(kit, top, draws.between(0.3, 0.7), kit.wall)
    rise_m = (top.right - top.left) * draws.between(0.1, 0.22) * draws.pick(-1.0, 1.0)
    return shed(
        kit, top, rise_m, draws.between(0.3, 0.9), draws.between(0.18, 0.35), kit.second_wall
    )
