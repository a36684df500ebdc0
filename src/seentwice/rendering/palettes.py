"""The few colours and patterns that all rooms are made of.

They are few on purpose: two rooms of a type share most of them, so no single colour or pattern
tells a place. Each element draws its own, so the combination does.
"""

from dataclasses import dataclass
from typing import TypeVar

from numpy.random import Generator

from seentwice.rendering.scene import Colour, Material

PAINTS: tuple[Colour, ...] = (
    (0.90, 0.88, 0.84),
    (0.84, 0.78, 0.68),
    (0.74, 0.75, 0.76),
    (0.70, 0.76, 0.68),
    (0.68, 0.75, 0.82),
    (0.86, 0.74, 0.70),
    (0.88, 0.80, 0.58),
    (0.45, 0.56, 0.58),
)
WOODS: tuple[Colour, ...] = (
    (0.72, 0.55, 0.36),
    (0.42, 0.28, 0.19),
    (0.82, 0.70, 0.52),
    (0.58, 0.53, 0.48),
    (0.56, 0.34, 0.22),
    (0.88, 0.86, 0.82),
)
STONES: tuple[Colour, ...] = (
    (0.80, 0.79, 0.77),
    (0.42, 0.43, 0.46),
    (0.74, 0.62, 0.52),
    (0.55, 0.63, 0.64),
    (0.66, 0.42, 0.32),
)
TEXTILES: tuple[Colour, ...] = (
    (0.20, 0.28, 0.46),
    (0.74, 0.38, 0.26),
    (0.82, 0.64, 0.24),
    (0.46, 0.56, 0.42),
    (0.48, 0.48, 0.50),
    (0.88, 0.83, 0.74),
    (0.50, 0.18, 0.24),
    (0.20, 0.50, 0.52),
)
WHITE: Colour = (0.90, 0.90, 0.89)
BLACK: Colour = (0.10, 0.10, 0.11)
STEEL: Colour = (0.62, 0.63, 0.65)
GREEN: Colour = (0.20, 0.40, 0.18)
DARK_GREEN: Colour = (0.10, 0.24, 0.10)

FABRICS = ("weave", "stripes", "plaid", "dots", "diamonds", "bands")
WALLPAPERS = ("plain", "plain", "stripes", "dots", "diamonds", "wainscot")
ARTS = ("art_blocks", "art_rings", "art_hills", "art_bars", "art_sun")
FLOORS = {
    "bedroom": ("planks", "chevron", "carpet"),
    "living-room": ("planks", "chevron", "carpet"),
    "dining-room": ("planks", "chevron", "checker"),
    "kitchen": ("planks", "tiles", "checker"),
    "bathroom": ("tiles", "checker", "hexagons"),
}
ROOM_TYPES = tuple(FLOORS)


Choice = TypeVar("Choice")


def choose(rng: Generator, choices: tuple[Choice, ...]) -> Choice:
    """Return one of the choices, each as likely as it is listed."""
    return choices[int(rng.integers(len(choices)))]


def between(rng: Generator, low: float, high: float) -> float:
    """Return a number drawn evenly from [low, high)."""
    return low + (high - low) * float(rng.random())


def draw_seed(rng: Generator) -> int:
    """Return a seed for a material or a picture's noise."""
    return int(rng.integers(1 << 31))


def draw_fabric(rng: Generator) -> Material:
    """Draw a textile: a pattern and two colours that differ."""
    first = int(rng.integers(len(TEXTILES)))
    second = (first + 1 + int(rng.integers(len(TEXTILES) - 1))) % len(TEXTILES)
    scale_m = choose(rng, (0.12, 0.2, 0.3))
    return Material(
        choose(rng, FABRICS), (TEXTILES[first], TEXTILES[second]), scale_m, draw_seed(rng)
    )


def draw_art(rng: Generator) -> Material:
    """Draw a picture to hang: a kind of composition and four colours."""
    colours = tuple(choose(rng, TEXTILES) for _ in range(4))
    return Material(choose(rng, ARTS), colours, 1.0, draw_seed(rng))


def draw_floor(rng: Generator, room_type: str) -> Material:
    """Draw a floor that suits the room type."""
    pattern = choose(rng, FLOORS[room_type])
    if pattern in ("planks", "chevron"):
        return Material(
            pattern, (choose(rng, WOODS[:5]),), choose(rng, (0.12, 0.2)), draw_seed(rng)
        )
    if pattern == "carpet":
        return Material(pattern, (choose(rng, TEXTILES[3:6]),), 0.05, draw_seed(rng))
    first = int(rng.integers(len(STONES)))
    second = (first + 1 + int(rng.integers(len(STONES) - 1))) % len(STONES)
    return Material(
        pattern, (STONES[first], STONES[second]), choose(rng, (0.3, 0.45)), draw_seed(rng)
    )


def draw_wallpaper(rng: Generator) -> Material:
    """Draw a wall: paint, or a faint pattern of two paints."""
    first, second = choose(rng, PAINTS), choose(rng, PAINTS)
    faint = tuple(0.45 * a + 0.55 * b for a, b in zip(first, second, strict=True))
    colours = (first, (faint[0], faint[1], faint[2]))
    return Material(choose(rng, WALLPAPERS), colours, choose(rng, (0.2, 0.35)), draw_seed(rng))


@dataclass(frozen=True)
class Style:
    """What the furniture of one room has in common."""

    wood: Material
    front: Material
    """Doors and drawers."""
    top: Material
    """Table and counter tops."""
    main: Material
    """The largest textile: blanket, sofa, shower curtain."""
    second: Material
    """Cushions, chairs, towels."""
    rug: Material
    curtain: Material
    metal: Material
    shade: Material
    """Lamp shades."""


def draw_style(rng: Generator) -> Style:
    """Draw the materials of one room's furniture, each on its own."""
    wood = Material("grain", (choose(rng, WOODS),), 0.08, draw_seed(rng))
    front_colour = choose(rng, WOODS + PAINTS[3:6] + TEXTILES[:1])
    front = Material(
        choose(rng, ("panels", "drawers", "slats")), (front_colour, STEEL), 0.45, draw_seed(rng)
    )
    top = Material("speckle", (choose(rng, STONES + WOODS[:2]),), 0.03, draw_seed(rng))
    plain = Material("plain", (choose(rng, (BLACK, STEEL, WHITE, (0.70, 0.55, 0.28))),))
    shade_colour = choose(rng, (WHITE, TEXTILES[2], TEXTILES[5], TEXTILES[1]))
    return Style(
        wood=wood,
        front=front,
        top=top,
        main=draw_fabric(rng),
        second=draw_fabric(rng),
        rug=draw_fabric(rng),
        curtain=draw_fabric(rng),
        metal=plain,
        shade=Material("plain", (shade_colour,)),
    )
