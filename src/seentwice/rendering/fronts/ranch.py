"""Ranch houses: long and low, wide eaves, sliding windows, a garage under the same roof.

With a second floor it is a raised ranch: the same roof and windows over a lower floor of masonry.
"""

from seentwice.rendering.fronts.kit import Kit, Textures, draw_kit
from seentwice.rendering.fronts.openings import door, garage, spread_bays, window_row
from seentwice.rendering.fronts.palette import Palette
from seentwice.rendering.fronts.panels import Panel, shadow, slab, upright
from seentwice.rendering.fronts.roofs import Volume, front_gable, hip, long_gable, walls
from seentwice.rendering.fronts.sides import SideDraws

_TEXTURES = Textures(
    wall=(("lap", "bricks"), ("boards", "blocks")),
    roof=(("shingles",), ("shingles", "seams")),
    window=(("sliding",), ("sliding", "casement")),
)


def build_ranch(draws: SideDraws, palette: Palette, floors: int) -> list[Panel]:
    """Build a ranch house with one floor or two."""
    kit = draw_kit(draws, palette, _TEXTURES)
    storey_m = draws.between(2.4, 2.7)
    width_m = draws.between(14.0, 21.0)
    main = Volume(-width_m / 2, width_m / 2, 0.0, draws.between(7.0, 9.0), storey_m * floors)
    pitch = draws.between(0.22, 0.36)
    reach_m = draws.between(0.5, 0.95)
    garage_left = draws.chance(0.5)
    gate_m = draws.between(4.4, 6.2)
    ell = _place_ell(draws, main, gate_m, garage_left)
    panels = _draw_chimney(draws, kit, main, pitch)
    panels += walls(main, kit.wall)
    if floors > 1:
        panels.append(upright(main.left, main.right, 0.0, storey_m, 0.0, kit.second_wall))
    elif draws.chance(0.5):
        panels.append(upright(main.left, main.right, 0.0, 0.9, 0.0, kit.second_wall))
    start, end = (ell.right, main.right) if garage_left else (main.left, ell.left)
    panels += _draw_openings(draws, kit, start, end, storey_m, floors)
    if floors > 1:
        panels += window_row(
            kit,
            spread_bays(ell.left, ell.right, 2),
            1.6,
            storey_m + 1.0,
            storey_m + 2.0,
            0.0,
        )
    roof = long_gable if draws.chance(0.6) else hip
    panels += roof(kit, main, pitch, reach_m)
    if draws.chance(0.5):
        panels += _draw_posts(draws, kit, start, end, main.front - reach_m, storey_m)
    panels += walls(ell, kit.wall)
    panels += garage(kit, ell.left + 0.4, ell.right - 0.4, ell.front, draws.pick(1, 2))
    if draws.chance(0.6):
        return panels + front_gable(kit, ell, pitch, reach_m * 0.7, kit.second_wall)
    return panels + hip(kit, ell, pitch, reach_m * 0.7)


def _place_ell(draws: SideDraws, main: Volume, gate_m: float, at_left: bool) -> Volume:
    """Return the garage, which juts out of one end."""
    left = main.left if at_left else main.right - gate_m
    return Volume(left, left + gate_m, -draws.between(0.4, 3.5), main.back / 2, 2.5)


def _draw_openings(
    draws: SideDraws, kit: Kit, start: float, end: float, storey_m: float, floors: int
) -> list[Panel]:
    """Draw the living room's wide window, the bedrooms' high ones and the door."""
    bays = max(3, round((end - start) / draws.between(2.8, 4.0)))
    centres = spread_bays(start, end, bays)
    entry = centres.pop(draws.pick(0, bays // 2))
    wide = centres.pop(draws.pick(0, len(centres) - 1))
    small_m, tall_m = draws.between(1.3, 1.8), draws.between(0.8, 1.15)
    panels = door(kit, entry, 1.0, 0.0)
    shutters = draws.chance(0.3)
    for floor in range(floors):
        top = floor * storey_m + 2.05
        panels += window_row(kit, centres, small_m, top - tall_m, top, 0.0, shutters=shutters)
        panels += window_row(kit, [wide], 2.2, top - 1.35, top, 0.0)
        if floor:
            panels += window_row(kit, [entry], small_m, top - tall_m, top, 0.0)
    return panels


def _draw_posts(
    draws: SideDraws, kit: Kit, start: float, end: float, front: float, storey_m: float
) -> list[Panel]:
    """Draw posts under the eaves, and the shade that is behind them."""
    left = draws.pick(start, (start + end) / 2)
    right = end if left > start else (start + end) / 2
    panels = [shadow(left, right, 0.0, storey_m - 0.25, 0.0, 0.35)]
    panels += slab(left, right, 0.0, 0.1, front, 0.0, kit.trim)
    for x in spread_bays(left, right, max(2, round((right - left) / 2.2))):
        panels.append(upright(x, x + 0.14, 0.1, storey_m - 0.25, front, kit.trim))
    return panels


def _draw_chimney(draws: SideDraws, kit: Kit, main: Volume, pitch: float) -> list[Panel]:
    if not draws.chance(0.5):
        return []
    x = draws.between(main.left + 2, main.right - 4)
    top = main.top + pitch * (main.back - main.front) / 2 + draws.between(0.3, 0.7)
    middle = (main.front + main.back) / 2
    return slab(x, x + 1.7, main.top, top, middle, middle + 0.8, kit.second_wall)
