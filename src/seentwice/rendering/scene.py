"""What a rendered room is made of: boxes, materials, lamps, windows; and how it is photographed.

A room fills x in [0, width], y in [0, depth], z in [0, height], in metres, z up. Cameras stand near
y = 0 and look at the furnished wall at y = depth.
"""

from dataclasses import dataclass

Vector = tuple[float, float, float]
"""A point or a direction in metres: x, y, z."""

Colour = tuple[float, float, float]
"""Red, green and blue as displayed, each in [0, 1]."""


@dataclass(frozen=True)
class Material:
    """How a surface looks before light falls on it."""

    pattern: str
    """A key of `textures.PATTERNS`."""
    colours: tuple[Colour, ...]
    """The main colour first."""
    scale_m: float = 1.0
    """Size of the pattern's repeat."""
    seed: int = 0
    """Which of the pattern's variants."""


@dataclass(frozen=True)
class Box:
    """A box along the axes: everything in a room is made of them."""

    low: Vector
    high: Vector
    material: Material
    outside: bool = False
    """A window pane: shines with daylight."""
    lamp: int = -1
    """Which of the scene's lamps it is the shade of; -1 for none."""
    loose: bool = False
    """People move it between photos."""


@dataclass(frozen=True)
class Lamp:
    """A small light that a photo may show on or off."""

    position: Vector
    power: float


@dataclass(frozen=True)
class Window:
    """A pane seen as one soft light."""

    centre: Vector
    inward: Vector
    area_m2: float


@dataclass(frozen=True)
class Scene:
    """A furnished room: the place that two photos may share."""

    room_type: str
    size_m: Vector
    wall: Material
    accent: Material
    """The wall at y = depth."""
    floor: Material
    ceiling: Material
    boxes: tuple[Box, ...]
    lamps: tuple[Lamp, ...]
    windows: tuple[Window, ...]


@dataclass(frozen=True)
class View:
    """One photo of a scene: camera, lights and what was moved."""

    eye: Vector
    target: Vector
    half_width_tangent: float
    """Half the picture's width at distance one: the tangent of half the angle of view."""
    daylight: float
    """0 at night, 1 on a bright day."""
    daylight_colour: Colour
    lamps_on: tuple[bool, ...]
    exposure: float
    """Factor on the automatic exposure."""
    white_balance: Colour
    """Factor of each channel."""
    noise_seed: int
    shifts_m: tuple[tuple[float, float], ...]
    """How far each loose box, in the scene's order, has moved along x and y."""
