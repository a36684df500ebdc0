"""Spanish houses: round tiles or parapets over stucco, arches, iron balconies, small windows."""

from seentwice.rendering.fronts.kit import Kit, Textures, draw_kit
from seentwice.rendering.fronts.openings import (
    balcony,
    door,
    garage,
    spread_bays,
    window,
    window_row,
)
from seentwice.rendering.fronts.palette import Palette
from seentwice.rendering.fronts.panels import Panel, arched, disc
from seentwice.rendering.fronts.roofs import (
    Volume,
    front_gable,
    hip,
    lean_to,
    long_gable,
    parapet,
    walls,
)
from seentwice.rendering.fronts.sides import SideDraws
from seentwice.rendering.scene import Material

_TEXTURES = Textures(
    wall=(("smooth",), ("rough",)),
    roof=(("barrels",), ("barrels",)),
    window=(("casement",), ("muntins",)),
)


def build_spanish(draws: SideDraws, palette: Palette, floors: int) -> list[Panel]:
    """Build a Spanish house with this many floors."""
    kit = draw_kit(draws, palette, _TEXTURES)
    storey_m = draws.between(2.8, 3.2)
    width_m = draws.between(9.0, 15.0)
    main = Volume(-width_m / 2, width_m / 2, 0.0, draws.between(7.0, 9.0), storey_m * floors)
    pitch = draws.between(0.28, 0.46)
    reach_m = draws.between(0.15, 0.5)
    bays = max(3, round(width_m / draws.between(2.6, 3.6)))
    centres = spread_bays(main.left, main.right, bays)
    portal = _place_portal(draws, centres)
    panels = walls(main, kit.wall)
    panels += _draw_windows(draws, kit, centres, portal, storey_m, floors)
    roof = draws.pick("hip", "gable", "parapet")
    if roof == "parapet":
        panels += parapet(kit, main, draws.between(0.4, 0.9), kit.wall)
        panels += _draw_beams(kit, main)
    else:
        panels += (hip if roof == "hip" else long_gable)(kit, main, pitch, reach_m)
    panels += _draw_portal(draws, kit, portal, pitch, roof == "parapet")
    free = main.right - portal.right, portal.left - main.left
    if draws.chance(0.5):
        panels += _draw_wing(draws, kit, main, pitch, reach_m, free[0] > free[1])
    elif draws.chance(0.7):
        start, end = (portal.right, main.right) if free[0] > free[1] else (main.left, portal.left)
        panels += _draw_arcade(draws, kit, start, end)
    return panels


def _place_portal(draws: SideDraws, centres: list[float]) -> Volume:
    """Return the entrance, a small volume before one of the bays."""
    middle = centres[draws.pick(0, len(centres) // 2, len(centres) - 1)]
    half = draws.between(1.0, 1.5)
    return Volume(middle - half, middle + half, -draws.between(0.5, 1.3), 1.0, 3.1)


def _draw_windows(
    draws: SideDraws,
    kit: Kit,
    centres: list[float],
    portal: Volume,
    storey_m: float,
    floors: int,
) -> list[Panel]:
    """Draw round windows below, smaller ones above, some with a balcony."""
    low_m, tall_m = draws.between(0.9, 1.3), draws.between(1.3, 1.9)
    high_arch, balconies = draws.chance(0.4), draws.chance(0.5)
    beside = [x for x in centres if not portal.left - 0.8 < x < portal.right + 0.8]
    panels = window_row(kit, beside, low_m, 0.7, 0.7 + tall_m, 0.0, arch=draws.chance(0.75))
    for floor in range(1, floors):
        base = floor * storey_m
        for number, x in enumerate(centres):
            if balconies and (number + floor) % 2 == 0:
                panels += window(kit, x - 0.55, x + 0.55, base + 0.1, base + 2.1, 0.0, high_arch)
                panels += balcony(kit, x - 0.9, x + 0.9, base + 0.05, 0.0)
            else:
                low = base + 0.95
                panels += window(kit, x - 0.45, x + 0.45, low, low + 1.2, 0.0, high_arch)
    return panels


def _draw_beams(kit: Kit, main: Volume) -> list[Panel]:
    """Draw the ends of roof beams in a row below the parapet."""
    panels = []
    for x in spread_bays(main.left, main.right, round((main.right - main.left) / 0.9)):
        panels.append(
            disc(x, main.top - 0.1, 0.1, main.front, Material("smooth", kit.door.colours))
        )
    return panels


def _draw_portal(
    draws: SideDraws, kit: Kit, portal: Volume, pitch: float, flat: bool
) -> list[Panel]:
    """Draw the door in a deep arch, under a roof of its own."""
    dark = Material("smooth", (kit.rail.colours[1],))
    half = (portal.right - portal.left) / 2 - 0.35
    opening = arched(portal.middle - half, portal.middle + half, 0.0, 2.75, portal.front, dark)
    panels = [*walls(portal, kit.wall), opening]
    panels += door(kit, portal.middle, 1.1, portal.front, arch=True)
    if flat:
        return panels + parapet(kit, portal, 0.4, kit.wall)
    if draws.chance(0.5):
        return panels + front_gable(kit, portal, pitch, 0.2, kit.wall)
    return panels + hip(kit, portal, pitch, 0.2)


def _draw_wing(
    draws: SideDraws, kit: Kit, main: Volume, pitch: float, reach_m: float, at_right: bool
) -> list[Panel]:
    """Draw a garage one floor high beside the house."""
    width_m = draws.between(3.8, 6.4)
    left = main.right if at_right else main.left - width_m
    wing = Volume(left, left + width_m, -draws.between(0.0, 2.5), main.back - 1.5, 2.95)
    panels = walls(wing, kit.wall)
    doors = 1 + (width_m > 5.0)
    panels += garage(kit, left + 0.4, wing.right - 0.4, wing.front, doors, arch=doors == 2)
    roof = draws.pick("hip", "gable")
    if roof == "hip":
        return panels + hip(kit, wing, pitch, reach_m)
    return panels + front_gable(kit, wing, pitch, reach_m, kit.wall)


def _draw_arcade(draws: SideDraws, kit: Kit, start: float, end: float) -> list[Panel]:
    """Draw a row of arches before the ground floor, under a tiled roof."""
    depth_m = draws.between(1.2, 2.2)
    bays = max(1, round((end - start) / draws.between(1.7, 2.5)))
    dark = Material("smooth", (kit.rail.colours[1],))
    loggia = Volume(start, end, -depth_m, 0.0, 2.9)
    panels = walls(loggia, kit.wall)
    half = (end - start) / bays / 2 - 0.22
    for x in spread_bays(start, end, bays):
        panels.append(arched(x - half, x + half, 0.0, 2.5, loggia.front, dark))
    return panels + lean_to(kit, start - 0.2, end + 0.2, loggia.front - 0.2, 0.0, 2.9, 0.55)
