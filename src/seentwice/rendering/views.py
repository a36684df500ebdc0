"""Draws how a room is photographed."""

from numpy.random import PCG64, Generator

from seentwice.rendering.palettes import between, draw_seed
from seentwice.rendering.scene import Box, Scene, Vector, View


def draw_view(scene: Scene, seed: int) -> View:
    """Draw a photo of the scene: where the camera stands, what is lit, what was moved.

    Args:
        scene: The place.
        seed: The same seed gives the same view on every machine.
    """
    rng = Generator(PCG64(seed))
    width, depth, _ = scene.size_m
    eye = (width / 2, 0.3, 1.6)
    for _ in range(60):
        at = (
            between(rng, 0.25, width - 0.25),
            between(rng, 0.15, 0.45 * depth),
            between(rng, 1.0, 1.9),
        )
        if not any(_is_within(at, box, 0.35) for box in scene.boxes):
            eye = at
            break
    target = (
        width * between(rng, 0.2, 0.8),
        depth * between(rng, 0.75, 1.0),
        between(rng, 0.6, 1.3),
    )
    evening = rng.random() < 0.35
    daylight = between(rng, 0.02, 0.12) if evening else between(rng, 0.4, 1.0)
    warm = between(rng, -0.12, 0.12)
    lamps_on = tuple(bool(rng.random() < (0.7 if evening else 0.3)) for _ in scene.lamps)
    if evening and not any(lamps_on):
        lamps_on = tuple(True for _ in scene.lamps)
    tint = between(rng, -0.05, 0.05)
    balance = between(rng, -0.22, 0.22)
    return View(
        eye=eye,
        target=target,
        half_width_tangent=between(rng, 0.62, 1.0),
        daylight=daylight,
        daylight_colour=(1.0 + warm, 1.0, 1.0 - warm),
        lamps_on=lamps_on,
        exposure=between(rng, 0.55, 1.6),
        white_balance=(1.0 + balance, 1.0 + tint, 1.0 - balance),
        noise_seed=draw_seed(rng),
        shifts_m=tuple(
            (between(rng, -0.06, 0.06), between(rng, -0.04, 0.04))
            for box in scene.boxes
            if box.loose
        ),
    )


def _is_within(point: Vector, box: Box, margin_m: float) -> bool:
    return all(
        low - margin_m < at < high + margin_m
        for at, low, high in zip(point, box.low, box.high, strict=True)
    )
