"""Traditional houses: steep gables, sash windows in rows, shutters, porches on columns."""

from seentwice.rendering.fronts.kit import Kit, Textures, draw_kit
from seentwice.rendering.fronts.openings import door, garage, spread_bays, window_row
from seentwice.rendering.fronts.palette import Palette
from seentwice.rendering.fronts.panels import Panel, slab, upright
from seentwice.rendering.fronts.roofs import (
    Volume,
    front_gable,
    hip,
    lean_to,
    long_gable,
    walls,
)
from seentwice.rendering.fronts.sides import SideDraws

_TEXTURES = Textures(
    wall=(("lap", "bricks"), ("shakes", "blocks", "boards")),
    roof=(("shingles",), ("shingles", "seams")),
    window=(("muntins",), ("muntins",)),
)


def build_traditional(draws: SideDraws, palette: Palette, floors: int) -> list[Panel]:
    """Build a traditional house with this many floors."""
    kit = draw_kit(draws, palette, _TEXTURES)
    storey_m = draws.between(2.6, 3.0)
    width_m = draws.between(8.0, 13.0)
    main = Volume(-width_m / 2, width_m / 2, 0.0, draws.between(7.0, 9.5), storey_m * floors)
    pitch = draws.between(0.65, 1.1)
    reach_m = draws.between(0.2, 0.45)
    panels = _draw_chimney(draws, kit, main, pitch)
    wing = _draw_wing(draws, kit, main, pitch, reach_m) if draws.chance(0.5) else []
    panels += walls(main, kit.wall)
    shutters = draws.chance(0.6)
    window_m = draws.between(0.8, 1.1)
    gabled = draws.chance(0.55)
    bays = max(2, round(width_m / draws.between(2.3, 3.3)))
    centres = spread_bays(main.left, main.right, bays)
    entry = centres[draws.pick(0, bays // 2, bays - 1)]
    bay = _draw_bay(draws, main) if gabled else None
    if bay is not None:
        centres = [x for x in centres if not bay.left - 0.9 < x < bay.right + 0.9] or [
            main.right - 1.2 if bay.middle < 0 else main.left + 1.2
        ]
        entry = min(centres, key=lambda x: abs(x - bay.middle))
    window_tall_m = draws.between(1.3, 1.65)
    for floor in range(floors):
        sill = floor * storey_m + draws.between(0.75, 0.95)
        shown = centres if floor else [x for x in centres if x != entry]
        panels += window_row(
            kit, shown, window_m, sill, sill + window_tall_m, 0.0, shutters=shutters
        )
    panels += door(kit, entry, 1.0, 0.0)
    if not gabled and draws.chance(0.35):
        panels += front_gable(kit, main, pitch * 0.8, reach_m, kit.wall)
    else:
        roof = long_gable if draws.chance(0.7) else hip
        panels += roof(kit, main, pitch, reach_m)
    if bay is not None:
        panels += walls(bay, kit.second_wall)
        for floor in range(floors):
            sill = floor * storey_m + 0.8
            panels += window_row(
                kit,
                spread_bays(bay.left, bay.right, 2 if bay.right - bay.left > 3.4 else 1),
                window_m,
                sill,
                sill + window_tall_m,
                bay.front,
                shutters=shutters and bay.right - bay.left < 3.4,
            )
        panels += front_gable(kit, bay, pitch, reach_m, kit.second_wall)
    panels += wing
    if draws.chance(0.65):
        panels += _draw_porch(draws, kit, main, bay, entry)
    return panels


def _draw_chimney(draws: SideDraws, kit: Kit, main: Volume, pitch: float) -> list[Panel]:
    if not draws.chance(0.6):
        return []
    x = draws.pick(main.left + 0.8, main.right - 1.7)
    top = main.top + pitch * (main.back - main.front) / 2 + draws.between(0.3, 0.9)
    middle = (main.front + main.back) / 2
    return slab(x, x + 0.9, main.top - 0.5, top, middle, middle + 0.9, kit.second_wall)


def _draw_bay(draws: SideDraws, main: Volume) -> Volume:
    width_m = draws.between(2.6, 4.2)
    left = draws.pick(main.left, main.right - width_m, -width_m / 2)
    return Volume(left, left + width_m, -draws.between(0.6, 1.4), main.back / 2, main.top)


def _draw_wing(
    draws: SideDraws, kit: Kit, main: Volume, pitch: float, reach_m: float
) -> list[Panel]:
    """Draw a garage beside the house, one floor high."""
    width_m = draws.between(3.6, 6.4)
    left = main.right if draws.chance(0.5) else main.left - width_m
    wing = Volume(left, left + width_m, draws.between(-1.5, 1.0), main.back - 1.0, 2.7)
    panels = walls(wing, kit.wall)
    panels += garage(kit, wing.left + 0.3, wing.right - 0.3, wing.front, 1 + (width_m > 5.0))
    if draws.chance(0.6):
        return panels + front_gable(kit, wing, pitch * 0.8, reach_m, kit.wall)
    return panels + long_gable(kit, wing, pitch * 0.7, reach_m)


def _draw_porch(
    draws: SideDraws, kit: Kit, main: Volume, bay: Volume | None, entry: float
) -> list[Panel]:
    """Draw a roof on columns before the door, or along the whole front."""
    depth_m = draws.between(1.4, 2.4)
    left, right = entry - 1.3, entry + 1.3
    if bay is None and draws.chance(0.5):
        left, right = main.left + 0.1, main.right - 0.1
    front = main.front - depth_m
    columns = max(2, round((right - left) / 2.4) + 1)
    step = (right - left - 0.3) / (columns - 1)
    panels = slab(left, right, 0.0, 0.2, front, main.front, kit.trim)
    for number in range(columns):
        x = left + number * step
        panels += [upright(x, x + 0.22, 0.2, 2.35, front, kit.trim)]
    if right - left > 4 and draws.chance(0.5):
        panels.append(upright(left + 0.3, entry - 0.8, 0.2, 0.95, front, kit.rail))
        panels.append(upright(entry + 0.8, right - 0.3, 0.2, 0.95, front, kit.rail))
    if right - left < 3 and draws.chance(0.6):
        top = Volume(left, right, front, main.front, 2.5)
        return panels + front_gable(kit, top, 0.7, 0.15, kit.trim)
    return panels + lean_to(kit, left - 0.2, right + 0.2, front - 0.2, main.front, 2.55, 0.6)
