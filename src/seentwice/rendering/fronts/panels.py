"""What a front is made of: flat panels in space, and the shapes that are made of several."""

from dataclasses import dataclass
from math import sqrt

from seentwice.rendering.scene import Material, Vector

_ARC_STEPS = 7


@dataclass(frozen=True, slots=True)
class Panel:
    """A flat convex polygon, painted on the side that sees its corners counter-clockwise."""

    corners: tuple[Vector, ...]
    """At least three; the pattern's u runs from the first to the second, v to the others."""
    material: Material
    mask: str = ""
    """A key of `masks.MASKS` that cuts a shape out of it; empty for the whole polygon."""
    opacity: float = 1.0


def upright(
    left: float, right: float, low: float, high: float, y: float, material: Material
) -> Panel:
    """Return a rectangle that faces the street."""
    corners = ((left, y, low), (right, y, low), (right, y, high), (left, y, high))
    return Panel(corners, material)


def sides(
    left: float, right: float, low: float, high: float, front: float, back: float, wall: Material
) -> list[Panel]:
    """Return the two side walls of a box."""
    return [
        Panel(
            ((left, back, low), (left, front, low), (left, front, high), (left, back, high)), wall
        ),
        Panel(
            ((right, front, low), (right, back, low), (right, back, high), (right, front, high)),
            wall,
        ),
    ]


def slab(
    left: float,
    right: float,
    low: float,
    high: float,
    front: float,
    back: float,
    cover: Material,
    wall_y: float | None = None,
) -> list[Panel]:
    """Return a box; where it hangs over a wall at `wall_y`, its underside is seen before that."""
    under = back if wall_y is None else wall_y
    return [
        Panel(
            ((left, under, low), (right, under, low), (right, front, low), (left, front, low)),
            cover,
        ),
        Panel(
            ((left, front, high), (right, front, high), (right, back, high), (left, back, high)),
            cover,
        ),
        *sides(left, right, low, high, front, back, cover),
        upright(left, right, low, high, front, cover),
    ]


def arched(
    left: float, right: float, low: float, high: float, y: float, material: Material
) -> Panel:
    """Return a panel that faces the street and ends in a half circle, all below `high`."""
    radius = (right - left) / 2
    spring = max(high - radius, low + 0.02 * (high - low))  # else two corners are one
    middle = (left + right) / 2
    rise = high - spring
    corners = [(left, y, low), (right, y, low)]
    for step in range(2 * _ARC_STEPS + 1):
        # The rational circle: no sine, whose last bit differs between processors.
        t = 1 - step / _ARC_STEPS
        share = abs(t)
        across = (1 - (1 - share) * (1 - share)) / (1 + (1 - share) * (1 - share))
        across = across if t >= 0 else -across
        up = sqrt(max(0.0, 1 - across * across))
        corners.append((middle + radius * across, y, spring + rise * up))
    return Panel(tuple(corners), material)


def disc(x: float, z: float, radius_m: float, y: float, material: Material) -> Panel:
    """Return a disc that faces the street."""
    upper = arched(x - radius_m, x + radius_m, z, z + radius_m, y, material).corners[2:]
    lower = tuple((2 * x - px, y, 2 * z - pz) for px, _, pz in upper[1:-1])
    return Panel((*upper, *lower), material)


def shadow(left: float, right: float, low: float, high: float, y: float, opacity: float) -> Panel:
    """Return a darker stripe on a wall at y, such as that below eaves."""
    black = Material("shadow", ((0.02, 0.02, 0.03),))
    corners = ((left, y, low), (right, y, low), (right, y, high), (left, y, high))
    return Panel(corners, black, opacity=opacity)
