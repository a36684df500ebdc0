"""The colours of one front: drawn before its style is known, the same way for all.

So no colour tells a style or a number of storeys. What a style is known by is form and texture.
"""

from dataclasses import dataclass
from math import floor

from seentwice.rendering.fronts.sides import SideDraws
from seentwice.rendering.scene import Colour


@dataclass(frozen=True, slots=True)
class Palette:
    """Colours of a house and of what is round it."""

    wall: Colour
    second_wall: Colour
    trim: Colour
    roof: Colour
    door: Colour
    gate: Colour
    """Of the garage."""
    room: Colour
    """Behind the panes."""
    leaves: Colour
    lawn: Colour
    drive: Colour
    street: Colour
    car: Colour
    sky_low: Colour
    sky_high: Colour
    cloud: Colour


def draw_palette(draws: SideDraws) -> Palette:
    """Draw the colours of one front."""
    pale_trim = draws.chance(0.6)
    green = draws.between(0.18, 0.38)
    sky_hue = draws.between(0.5, 0.63)
    sky_saturation = draws.between(0.05, 0.55)
    sky_value = draws.between(0.45, 1.0)
    lit = draws.chance(0.25)
    return Palette(
        wall=_draw_colour(draws, 0.45, 0.95),
        second_wall=_draw_colour(draws, 0.3, 0.9),
        trim=_draw_colour(draws, 0.8, 0.98) if pale_trim else _draw_colour(draws, 0.12, 0.5),
        roof=_draw_colour(draws, 0.25, 0.7),
        door=_draw_colour(draws, 0.2, 0.8),
        gate=_draw_colour(draws, 0.35, 0.95),
        room=_blend(draws.between(0.08, 0.14), 0.6, 0.9) if lit else _draw_colour(draws, 0.06, 0.4),
        leaves=_blend(green, draws.between(0.2, 0.6), draws.between(0.25, 0.6)),
        lawn=_blend(
            draws.between(0.08, 0.36), draws.between(0.15, 0.55), draws.between(0.35, 0.75)
        ),
        drive=_draw_colour(draws, 0.4, 0.85, 0.3),
        street=_draw_colour(draws, 0.2, 0.6, 0.2),
        car=_draw_colour(draws, 0.1, 0.95),
        sky_low=_blend(sky_hue, sky_saturation * 0.35, min(1.0, sky_value + 0.12)),
        sky_high=_blend(sky_hue, sky_saturation, sky_value),
        cloud=_blend(sky_hue, 0.03, draws.between(0.6, 1.0)),
    )


def _draw_colour(
    draws: SideDraws, darkest: float, brightest: float, strongest: float = 0.58
) -> Colour:
    """Draw any hue, mostly faint."""
    saturation = draws.between(0.05, strongest)
    return _blend(draws.between(0, 1), saturation * saturation, draws.between(darkest, brightest))


def _blend(hue: float, saturation: float, value: float) -> Colour:
    """Return a colour of hue, saturation and value, each in [0, 1]."""
    parts = []
    for offset in (5, 3, 1):
        turn = offset + hue * 6
        turn -= 6 * floor(turn / 6)
        parts.append(value * (1 - saturation * max(0.0, min(turn, 4 - turn, 1.0))))
    return parts[0], parts[1], parts[2]
