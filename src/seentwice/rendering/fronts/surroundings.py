"""What is round a house: sky, lawn, drive, street, trees, hedges, cars."""

import numpy as np

from seentwice.rendering.fronts.painting import Camera
from seentwice.rendering.fronts.palette import Palette
from seentwice.rendering.fronts.panels import Panel, arched, disc, upright
from seentwice.rendering.fronts.sides import SideDraws
from seentwice.rendering.scene import Material, Vector
from seentwice.rendering.surfaces import Floats, draw_noise, mix, tint


def paint_sky_and_lawn(picture: Floats, camera: Camera, palette: Palette, seed: int) -> None:
    """Fill the picture: sky above the horizon, lawn below, in place."""
    height, width = picture.shape[:2]
    horizon = min(height, max(0, int(camera.centre_px[1])))
    columns: Floats = np.arange(width, dtype=np.float32)[None, :]
    rows: Floats = np.arange(height, dtype=np.float32)[:, None]
    _paint_sky(picture[:horizon], columns / np.float32(width), rows[:horizon], palette, seed)
    below: Floats = rows[horizon:] + np.float32(0.6 - camera.centre_px[1])
    below = np.maximum(below, np.float32(0.5))
    away = np.float32(camera.eye[2] * camera.focal_px) / below
    aside: Floats = (columns - np.float32(camera.centre_px[0])) / np.float32(camera.focal_px)
    _paint_lawn(picture[horizon:], aside * away, away, palette, seed + 2)


def _paint_sky(picture: Floats, columns: Floats, rows: Floats, palette: Palette, seed: int) -> None:
    """Fill the rows above the horizon: clearer above, paler below, with clouds."""
    if not len(rows):
        return
    x: Floats = columns + 0 * rows
    y: Floats = 0 * columns + rows / np.float32(240)
    noise = draw_noise(x * 2.5, y * 6, seed) * 0.65
    noise = noise + draw_noise(x * 8, y * 18, seed + 1) * 0.35
    lower: Floats = np.broadcast_to(rows / np.float32(len(rows)), noise.shape)
    clear = mix(palette.sky_high, palette.sky_low, lower)
    # How many clouds there are is the seed's, so no style has a sky of its own.
    cover = np.clip((noise - np.float32(0.35 + 0.4 * (seed % 5) / 4)) * 4, 0, 1)[..., None]
    sky = clear + (np.array(palette.cloud, np.float32) - clear) * cover
    picture[:] = sky * sky


def _paint_lawn(picture: Floats, across: Floats, away: Floats, palette: Palette, seed: int) -> None:
    """Fill the rows below the horizon; points are metres aside of the camera and away from it."""
    if not len(away):
        return
    y: Floats = away + 0 * across
    fade = np.clip(30 / away, 0, 1)
    noise = draw_noise(across * 4, y * 4, seed) - 0.5
    patch = draw_noise(across * 0.4, y * 0.4, seed + 1) - 0.5
    lawn = tint(palette.lawn, 0.9 + 0.35 * noise * fade + 0.2 * patch)
    picture[:] = lawn * lawn * np.float32(0.9)


def draw_ground(draws: SideDraws, palette: Palette, gate_x: float, eye_y: float) -> list[Panel]:
    """Return the drive, and the street if the camera is not on it."""
    near = eye_y + 1.2
    half = draws.between(1.5, 3.4)
    drive = Material(
        draws.choose(("paved", "smooth"), ("blocks", "rough")),
        (palette.drive, palette.street),
        draws.between(0.6, 2.0),
        draws.seed(),
    )
    panels = [_flat(gate_x - half, gate_x + half, near, 0.0, drive)]
    kerb = eye_y + draws.between(3.0, 8.0)
    if draws.chance(0.6):
        street = Material("rough", (palette.street,), 1.0, draws.seed())
        panels.append(_flat(-45.0, 45.0, near, kerb, street))
        panels.append(
            _flat(-45.0, 45.0, kerb, kerb + 0.9, Material("paved", (palette.drive,), 1.5))
        )
    return panels


def draw_background(
    draws: SideDraws, palette: Palette, width_m: float, top_m: float
) -> list[Panel]:
    """Return a line of hedge at the horizon, and trees behind the house."""
    leaves = Material("leaves", (palette.leaves,), 1.0, draws.seed())
    panels = [Panel(upright(-60.0, 60.0, 0.0, 3.2, 26.0, leaves).corners, leaves, "hedge")]
    for _ in range(draws.pick(0, 1, 2, 3, 4)):
        x = draws.between(-0.9, 0.9) * width_m
        panels += _draw_tree(draws, palette, x, draws.between(11.0, 18.0), draws.between(5.0, 13.0))
    return panels


def draw_foreground(
    draws: SideDraws, palette: Palette, left: float, right: float, gate_x: float, eye_y: float
) -> list[Panel]:
    """Return shrubs at the wall, trees and cars before it, the farthest first."""
    placed: list[tuple[float, list[Panel]]] = []
    for _ in range(draws.pick(1, 2, 3, 4, 5)):
        x, y = draws.between(left, right), -draws.between(0.7, 3.0)
        size = draws.between(0.5, 1.3)
        placed.append((y, _draw_shrub(draws, palette, x, y, size)))
    for _ in range(draws.pick(0, 0, 1, 1, 2)):
        x = draws.between(left - 2.0, right + 2.0)
        y = eye_y * draws.between(0.25, 0.6)
        placed.append((y, _draw_tree(draws, palette, x, y, draws.between(2.5, 7.5))))
    if draws.chance(0.45):
        y = -draws.between(3.0, 6.0)
        placed.append((y, _draw_car(draws, palette, gate_x + draws.between(-1.0, 1.0), y)))
    if draws.chance(0.25):
        y = eye_y * draws.between(0.55, 0.75)
        placed.append((y, _draw_car(draws, palette, draws.between(left, right), y)))
    placed.sort(key=lambda item: -item[0])
    return [panel for _, panels in placed for panel in panels]


def _flat(left: float, right: float, near: float, far: float, material: Material) -> Panel:
    corners = ((left, near, 0.0), (right, near, 0.0), (right, far, 0.0), (left, far, 0.0))
    return Panel(corners, material)


def _draw_tree(
    draws: SideDraws, palette: Palette, x: float, y: float, tall_m: float
) -> list[Panel]:
    kind = draws.pick("crown", "crown", "conifer", "palm")
    leaves = Material("leaves", (palette.leaves,), 1.0, draws.seed())
    bark = Material("rough", ((0.32, 0.26, 0.20),), 1.0, draws.seed())
    if kind == "palm":
        trunk = upright(x - 0.14, x + 0.14, 0.0, tall_m * 0.85, y, bark)
        crown = (x, y, tall_m * 0.85)
        reach = draws.between(1.0, 1.8)
        return [trunk, *(_draw_frond(crown, reach, step, leaves) for step in range(-4, 5))]
    if kind == "conifer":
        half = tall_m * draws.between(0.14, 0.24)
        return [
            Panel(upright(x - half, x + half, 0.0, tall_m, y, leaves).corners, leaves, "conifer")
        ]
    half = tall_m * draws.between(0.26, 0.42)
    low = tall_m * draws.between(0.15, 0.4)
    thick = tall_m * 0.025
    trunk = upright(x - thick, x + thick, 0.0, low + 0.3 * tall_m, y, bark)
    return [
        trunk,
        Panel(upright(x - half, x + half, low, tall_m, y, leaves).corners, leaves, "crown"),
    ]


def _draw_frond(crown: Vector, reach_m: float, step: int, leaves: Material) -> Panel:
    """Return one leaf of a palm, of nine that fan out and hang at the sides."""
    x, y, z = crown
    lean = step / 4
    end_x = x + reach_m * lean
    end_z = z + reach_m * (0.75 - 1.2 * lean * lean)
    thick = 0.16 * reach_m
    middle_x, middle_z = x + 0.55 * (end_x - x), z + 0.8 * (end_z - z) + 0.12
    if abs(step) < 2:
        return Panel(
            (
                (x, y, z),
                (middle_x + thick, y, middle_z),
                (end_x, y, end_z),
                (middle_x - thick, y, middle_z),
            ),
            leaves,
        )
    below, above = (middle_x, y, middle_z - thick), (middle_x, y, middle_z + thick)
    if step > 0:
        return Panel(((x, y, z), below, (end_x, y, end_z), above), leaves)
    return Panel(((x, y, z), above, (end_x, y, end_z), below), leaves)


def _draw_shrub(draws: SideDraws, palette: Palette, x: float, y: float, size: float) -> list[Panel]:
    leaves = Material("leaves", (palette.leaves,), 1.0, draws.seed())
    if draws.chance(0.4):
        wide = size * draws.between(1.0, 3.0)
        return [Panel(upright(x - wide, x + wide, 0.0, size, y, leaves).corners, leaves, "hedge")]
    low = -0.3 * size
    return [Panel(upright(x - size, x + size, low, size * 1.3, y, leaves).corners, leaves, "crown")]


def _draw_car(draws: SideDraws, palette: Palette, x: float, y: float) -> list[Panel]:
    """Return a car from the side: body, cabin, panes and wheels."""
    paint = Material("smooth", (palette.car,), 1.0, draws.seed())
    glass = Material("smooth", ((0.12, 0.14, 0.17),))
    rubber = Material("smooth", ((0.05, 0.05, 0.06),))
    metal = Material("smooth", ((0.6, 0.6, 0.62),))
    long, tall = draws.between(1.9, 2.5), draws.between(1.4, 1.85)
    waist = tall * 0.58
    front, rear = draws.between(-0.62, -0.45), draws.between(0.6, 0.9)
    cabin = (
        (x + front * long, y, waist),
        (x + rear * long, y, waist),
        (x + (rear - 0.18) * long, y, tall),
        (x + (front + 0.25) * long, y, tall),
    )
    panes = tuple(
        (x + 0.05 * long + (px - x - 0.05 * long) * 0.86, y, waist + (pz - waist) * 0.82)
        for px, _, pz in cabin
    )
    panels = [
        Panel(cabin, paint),
        Panel(panes, glass),
        upright(x + 0.03 * long, x + 0.1 * long, waist, tall * 0.98, y, paint),
        arched(x - long, x + long, 0.28, waist + 0.04, y, paint),
        upright(x - long * 0.98, x + long * 0.98, 0.28, waist * 0.72, y, paint),
    ]
    for wheel in (x - 0.62 * long, x + 0.62 * long):
        panels += [disc(wheel, 0.32, 0.32, y, rubber), disc(wheel, 0.32, 0.17, y, metal)]
    return panels
