"""Roofs over the box of a house, each with its eaves, painted after the walls below it."""

from dataclasses import dataclass

from seentwice.rendering.fronts.kit import Kit
from seentwice.rendering.fronts.panels import Panel, shadow, sides, slab, upright
from seentwice.rendering.scene import Material

_BOARD_M = 0.2


@dataclass(frozen=True, slots=True)
class Volume:
    """A box with walls: one part of a house."""

    left: float
    right: float
    front: float
    back: float
    top: float
    low: float = 0.0

    @property
    def middle(self) -> float:
        """Return the centre of the front."""
        return (self.left + self.right) / 2


def walls(volume: Volume, wall: Material) -> list[Panel]:
    """Return the walls that can be seen from the street."""
    v = volume
    return [
        *sides(v.left, v.right, v.low, v.top, v.front, v.back, wall),
        upright(v.left, v.right, v.low, v.top, v.front, wall),
    ]


def _eaves(kit: Kit, volume: Volume, reach_m: float, drop_m: float) -> list[Panel]:
    """Return what hangs over the wall: its shadow, the underside and the board before it."""
    v = volume
    low = v.top - drop_m - _BOARD_M
    return [
        shadow(v.left, v.right, v.top - drop_m - 0.15 - 0.7 * reach_m, v.top, v.front, 0.4),
        Panel(
            (
                (v.left - reach_m, v.front, low),
                (v.right + reach_m, v.front, low),
                (v.right + reach_m, v.front - reach_m, low),
                (v.left - reach_m, v.front - reach_m, low),
            ),
            kit.trim,
        ),
        upright(
            v.left - reach_m, v.right + reach_m, low, v.top - drop_m, v.front - reach_m, kit.trim
        ),
    ]


def long_gable(kit: Kit, volume: Volume, pitch: float, reach_m: float) -> list[Panel]:
    """Return a gable roof whose ridge runs along the street."""
    v = volume
    middle = (v.front + v.back) / 2
    ridge = v.top + pitch * (v.back - v.front) / 2
    low = v.top - pitch * reach_m
    left, right, front = v.left - reach_m, v.right + reach_m, v.front - reach_m
    return [
        Panel(
            ((v.right, v.front, v.top), (v.right, v.back, v.top), (v.right, middle, ridge)),
            kit.wall,
        ),
        Panel(
            ((v.left, v.back, v.top), (v.left, v.front, v.top), (v.left, middle, ridge)), kit.wall
        ),
        *_eaves(kit, v, reach_m, pitch * reach_m),
        Panel(
            (
                (left, front, low),
                (right, front, low),
                (right, middle, ridge),
                (left, middle, ridge),
            ),
            kit.roof,
        ),
    ]


def hip(kit: Kit, volume: Volume, pitch: float, reach_m: float) -> list[Panel]:
    """Return a roof that slopes to all sides."""
    v = volume
    half = min(v.back - v.front, v.right - v.left) / 2 - 0.01
    ridge = v.top + pitch * half
    low = v.top - pitch * reach_m
    left, right, front, back = (
        v.left - reach_m,
        v.right + reach_m,
        v.front - reach_m,
        v.back + reach_m,
    )
    near, far = v.front + half, v.back - half
    a, b = v.left + half, v.right - half
    return [
        *_eaves(kit, v, reach_m, pitch * reach_m),
        Panel(
            ((right, front, low), (right, back, low), (b, far, ridge), (b, near, ridge)), kit.roof
        ),
        Panel(((left, back, low), (left, front, low), (a, near, ridge), (a, far, ridge)), kit.roof),
        Panel(
            ((left, front, low), (right, front, low), (b, near, ridge), (a, near, ridge)), kit.roof
        ),
    ]


def front_gable(
    kit: Kit, volume: Volume, pitch: float, reach_m: float, wall: Material
) -> list[Panel]:
    """Return a gable roof whose triangle faces the street."""
    v = volume
    ridge = v.top + pitch * (v.right - v.left) / 2
    low = v.top - pitch * reach_m
    left, right, front = v.left - reach_m, v.right + reach_m, v.front - reach_m
    top = v.middle
    return [
        Panel(((v.left, v.front, v.top), (v.right, v.front, v.top), (top, v.front, ridge)), wall),
        Panel(
            ((right, front, low), (right, v.back, low), (top, v.back, ridge), (top, front, ridge)),
            kit.roof,
        ),
        Panel(
            ((left, v.back, low), (left, front, low), (top, front, ridge), (top, v.back, ridge)),
            kit.roof,
        ),
        Panel(
            (
                (top, front, ridge - _BOARD_M),
                (right, front, low - _BOARD_M),
                (right, front, low),
                (top, front, ridge),
            ),
            kit.trim,
        ),
        Panel(
            (
                (left, front, low - _BOARD_M),
                (top, front, ridge - _BOARD_M),
                (top, front, ridge),
                (left, front, low),
            ),
            kit.trim,
        ),
    ]


def flat(kit: Kit, volume: Volume, reach_m: float, thick_m: float) -> list[Panel]:
    """Return a slab that reaches over the walls."""
    v = volume
    return [
        shadow(v.left, v.right, v.top - 0.8 * reach_m, v.top, v.front, 0.4),
        *slab(
            v.left - reach_m,
            v.right + reach_m,
            v.top,
            v.top + thick_m,
            v.front - reach_m,
            v.back + reach_m,
            kit.trim,
            v.front,
        ),
    ]


def parapet(kit: Kit, volume: Volume, rise_m: float, wall: Material) -> list[Panel]:
    """Return a wall that goes on above the roof, with a coping."""
    v = volume
    return [
        *walls(Volume(v.left, v.right, v.front, v.back, v.top + rise_m, v.top), wall),
        *slab(
            v.left - 0.06,
            v.right + 0.06,
            v.top + rise_m,
            v.top + rise_m + 0.12,
            v.front - 0.06,
            v.back,
            kit.trim,
            v.front,
        ),
    ]


def shed(
    kit: Kit, volume: Volume, rise_m: float, reach_m: float, thick_m: float, wall: Material
) -> list[Panel]:
    """Return a roof of one slope along the street; a negative rise falls to the right."""
    v = volume
    high_left, high_right = v.top + max(0.0, -rise_m), v.top + max(0.0, rise_m)
    slope = (high_right - high_left) / (v.right - v.left)
    left, right, front = v.left - reach_m, v.right + reach_m, v.front - reach_m
    low_left, low_right = high_left - slope * reach_m, high_right + slope * reach_m
    raised = max(high_left, high_right)
    triangle = (
        ((v.left, v.front, v.top), (v.right, v.front, v.top), (v.right, v.front, raised))
        if rise_m > 0
        else ((v.left, v.front, v.top), (v.right, v.front, v.top), (v.left, v.front, raised))
    )
    return [
        Panel(triangle, wall),
        Panel(
            (
                (left, v.front, low_left),
                (right, v.front, low_right),
                (right, front, low_right),
                (left, front, low_left),
            ),
            kit.trim,
        ),
        Panel(
            (
                (left, front, low_left),
                (right, front, low_right),
                (right, front, low_right + thick_m),
                (left, front, low_left + thick_m),
            ),
            kit.trim,
        ),
    ]


def lean_to(
    kit: Kit, left: float, right: float, front: float, back: float, low: float, rise_m: float
) -> list[Panel]:
    """Return a roof that leans on the wall behind it, as over a porch."""
    return [
        upright(left, right, low - _BOARD_M, low, front, kit.trim),
        Panel(
            (
                (left, front, low),
                (right, front, low),
                (right, back, low + rise_m),
                (left, back, low + rise_m),
            ),
            kit.roof,
        ),
    ]
