"""Windows, doors, garages and balconies, painted on a wall that faces the street."""

from seentwice.rendering.fronts.kit import Kit
from seentwice.rendering.fronts.panels import Panel, arched, shadow, slab, upright
from seentwice.rendering.scene import Material

_FRAME_M = 0.09
DOOR_M = 2.1


def window(
    kit: Kit, left: float, right: float, low: float, high: float, y: float, arch: bool = False
) -> list[Panel]:
    """Return a framed window, round at the top if asked."""
    shape = arched if arch else upright
    frame = _FRAME_M
    return [
        shape(left - frame, right + frame, low - frame, high + frame, y, kit.trim),
        shape(left, right, low, high, y, kit.window),
        shadow(left, right, high - 0.12 * (high - low), high, y, 0.0 if arch else 0.3),
    ]


def window_row(
    kit: Kit,
    centres: list[float],
    width_m: float,
    low: float,
    high: float,
    y: float,
    arch: bool = False,
    shutters: bool = False,
) -> list[Panel]:
    """Return windows of one size side by side."""
    panels = []
    for centre in centres:
        left, right = centre - width_m / 2, centre + width_m / 2
        if shutters:
            wing = width_m * 0.38
            leaf = Material("louvres", kit.door.colours)
            panels.append(upright(left - wing - 0.1, left - 0.1, low, high, y, leaf))
            panels.append(upright(right + 0.1, right + wing + 0.1, low, high, y, leaf))
        panels += window(kit, left, right, low, high, y, arch)
    return panels


def door(kit: Kit, centre: float, width_m: float, y: float, arch: bool = False) -> list[Panel]:
    """Return a framed door with a step before it."""
    left, right = centre - width_m / 2, centre + width_m / 2
    shape = arched if arch else upright
    return [
        shape(left - 0.12, right + 0.12, 0.0, DOOR_M + 0.12, y, kit.trim),
        shape(left, right, 0.0, DOOR_M, y, kit.door),
        *slab(left - 0.4, right + 0.4, 0.0, 0.12, y - 0.9, y, kit.trim),
    ]


def garage(
    kit: Kit, left: float, right: float, y: float, doors: int, arch: bool = False
) -> list[Panel]:
    """Return garage doors side by side between two edges."""
    panels = []
    wide = (right - left) / doors
    shape = arched if arch else upright
    for number in range(doors):
        start, end = left + number * wide + 0.2, left + (number + 1) * wide - 0.2
        top = 2.5 if arch else 2.2
        panels.append(shape(start - 0.1, end + 0.1, 0.0, top + 0.1, y, kit.trim))
        if arch and doors == 1:
            panels.append(upright(start, end, 0.0, 2.2, y, kit.gate))
        else:
            panels.append(shape(start, end, 0.0, top, y, kit.gate))
        panels.append(shadow(start, end, 2.0, 2.2, y, 0.35))
    return panels


def balcony(kit: Kit, left: float, right: float, floor: float, y: float) -> list[Panel]:
    """Return a slab that juts out, with a rail."""
    return [
        *slab(left, right, floor - 0.18, floor, y - 1.0, y, kit.trim),
        upright(left, right, floor, floor + 0.95, y - 1.0, kit.rail),
    ]


def spread_bays(left: float, right: float, bays: int) -> list[float]:
    """Return the centres of equal bays."""
    wide = (right - left) / bays
    return [left + (number + 0.5) * wide for number in range(bays)]
