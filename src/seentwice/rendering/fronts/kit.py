"""The materials of one house, by what they cover."""

from dataclasses import dataclass

from seentwice.rendering.fronts.palette import Palette
from seentwice.rendering.fronts.sides import SideDraws
from seentwice.rendering.scene import Colour, Material


@dataclass(frozen=True, slots=True)
class Textures:
    """Patterns that a style may draw: what training draws, and what the test does."""

    wall: tuple[tuple[str, ...], tuple[str, ...]]
    roof: tuple[tuple[str, ...], tuple[str, ...]]
    window: tuple[tuple[str, ...], tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Kit:
    """Materials of one house."""

    wall: Material
    second_wall: Material
    roof: Material
    trim: Material
    window: Material
    door: Material
    gate: Material
    rail: Material
    """Of balconies and porches."""


def draw_kit(draws: SideDraws, palette: Palette, textures: Textures) -> Kit:
    """Draw the patterns of a house over colours that are drawn already."""
    glass = (palette.room, palette.trim, palette.sky_low)
    joint = tuple(0.6 * part for part in palette.wall)
    return Kit(
        wall=_draw_wall(draws, palette.wall, textures, joint),
        second_wall=_draw_wall(draws, palette.second_wall, textures, joint),
        roof=Material(
            draws.choose(*textures.roof),
            (palette.roof,),
            draws.between(0.25, 0.45),
            draws.seed(),
        ),
        trim=Material("smooth", (palette.trim,)),
        window=Material(
            draws.choose(*textures.window), glass, draws.between(0.3, 0.9), draws.seed()
        ),
        door=Material(
            draws.choose(("door", "flush"), ("door", "flush")), (palette.door, palette.room)
        ),
        gate=Material(
            draws.choose(("gate", "glazed_gate"), ("gate", "glazed_gate")),
            (palette.gate, palette.room),
            draws.between(0.4, 1.2),
        ),
        rail=Material("balusters", (palette.trim, palette.room), draws.between(0.12, 0.3)),
    )


def _draw_wall(
    draws: SideDraws, colour: Colour, textures: Textures, joint: tuple[float, ...]
) -> Material:
    colours = (colour, (joint[0], joint[1], joint[2]))
    pattern = draws.choose(*textures.wall)
    scale_m = draws.between(1.0, 2.0) if pattern == "plates" else draws.between(0.16, 0.34)
    if pattern == "boards":
        scale_m *= 1.8
    return Material(pattern, colours, scale_m, draws.seed())
