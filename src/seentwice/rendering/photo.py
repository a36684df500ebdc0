"""Photographs a scene: rays, patterns, light, exposure, noise."""

from dataclasses import replace

import numpy as np
from numpy.random import PCG64, Generator
from numpy.typing import NDArray

from seentwice.rendering.light import illuminate
from seentwice.rendering.raycast import HIGH_SIDE, Camera, Hits, cast, point_camera
from seentwice.rendering.scene import Box, Scene, View
from seentwice.rendering.surfaces import Face, Floats
from seentwice.rendering.textures import PATTERNS

_NOISE = 0.015
"""Half the range of a sensor's noise, of full brightness."""


def render_view(scene: Scene, view: View, size_px: tuple[int, int]) -> NDArray[np.uint8]:
    """Photograph the scene: the same arguments give the same pixels on every machine.

    Args:
        scene: As `draw_scene` returns it.
        view: As `draw_view` returns it for this scene.
        size_px: Width and height of the picture.

    Returns:
        uint8 (height, width, 3), RGB.
    """
    boxes = _shift_loose(scene.boxes, view)
    camera = point_camera(view, size_px)
    hits = cast(camera, boxes, scene.size_m, size_px)
    position = np.empty_like(hits.rays)
    for axis in range(3):
        position[axis] = hits.rays[axis] * hits.depth_m + camera.eye[axis]
    pixel_m = hits.depth_m * (2 * camera.half_width / size_px[0])
    albedo, shine = _colour(scene, view, boxes, hits, position, pixel_m)
    along = np.where(
        hits.axis == 0, hits.rays[0], np.where(hits.axis == 1, hits.rays[1], hits.rays[2])
    )
    facing = np.where(along > 0, np.float32(-1), np.float32(1))
    light = illuminate(scene, view, boxes, position, hits.axis, facing)
    # Squares and square roots stand for the display's gamma: pow differs between processors.
    radiance = albedo * albedo * (light + shine[..., None])
    return _develop(_soften_outlines(radiance, hits), view, camera)


def _shift_loose(boxes: tuple[Box, ...], view: View) -> tuple[Box, ...]:
    shifts = iter(view.shifts_m)
    moved = []
    for box in boxes:
        if box.loose:
            dx, dy = next(shifts)
            low, high = box.low, box.high
            box = replace(
                box,
                low=(low[0] + dx, low[1] + dy, low[2]),
                high=(high[0] + dx, high[1] + dy, high[2]),
            )
        moved.append(box)
    return tuple(moved)


def _colour(
    scene: Scene,
    view: View,
    boxes: tuple[Box, ...],
    hits: Hits,
    position: Floats,
    pixel_m: Floats,
) -> tuple[Floats, Floats]:
    """Return each pixel's own colour (h, w, 3), and how much it shines by itself (h, w).

    Pixels are sorted by the face they see, so that each face's pattern is drawn in one go.
    """
    shape = hits.box.shape
    albedo = np.empty((shape[0] * shape[1], 3), np.float32)
    shine = np.zeros(shape[0] * shape[1], np.float32)
    flat = position.reshape(3, -1)
    flat_pixel_m = pixel_m.reshape(-1)
    surface = (hits.box * 3 + hits.axis).reshape(-1)
    order = np.argsort(surface, kind="stable")
    ordered = surface[order]
    starts = np.flatnonzero(np.concatenate(([True], ordered[1:] != ordered[:-1])))
    ends = [*starts[1:].tolist(), len(ordered)]
    for start, end in zip(starts.tolist(), ends, strict=True):
        pixels = order[start:end]
        number, axis = divmod(int(ordered[start]), 3)
        box = boxes[number] if number >= 0 else _take_room_face(scene, number, axis)
        u_axis, v_axis = ((1, 2), (0, 2), (0, 1))[axis]
        face = Face(
            u=flat[u_axis, pixels] - box.low[u_axis],
            v=flat[v_axis, pixels] - box.low[v_axis],
            width_m=box.high[u_axis] - box.low[u_axis],
            height_m=box.high[v_axis] - box.low[v_axis],
            pixel_m=flat_pixel_m[pixels],
        )
        albedo[pixels] = PATTERNS[box.material.pattern](face, box.material)
        if box.outside:
            shine[pixels] = 0.05 + 1.8 * view.daylight
        elif box.lamp >= 0 and view.lamps_on[box.lamp]:
            shine[pixels] = 1.6
        elif number >= 0:
            albedo[pixels] *= _round_edges(face)[:, None]
    return albedo.reshape(*shape, 3), shine.reshape(shape)


def _take_room_face(scene: Scene, side: int, axis: int) -> Box:
    """Return the room itself as a box, in the material of one of its faces."""
    if side == HIGH_SIDE:
        material = (scene.wall, scene.accent, scene.ceiling)[axis]
    else:
        material = (scene.wall, scene.wall, scene.floor)[axis]
    return Box((0.0, 0.0, 0.0), scene.size_m, material)


def _round_edges(face: Face) -> Floats:
    """Return a factor that darkens a box's edges a little, as rounding would."""
    from_edge: Floats = np.minimum(
        np.minimum(face.u, face.width_m - face.u), np.minimum(face.v, face.height_m - face.v)
    )
    rounding: Floats = np.clip(from_edge / (0.012 + face.pixel_m), 0, 1)
    return 0.88 + 0.12 * rounding


def _soften_outlines(radiance: Floats, hits: Hits) -> Floats:
    """Blend pixels on both sides of an outline, in place: no stairs, and no more rays."""
    surface = hits.box * 3 + hits.axis
    outline = np.zeros(surface.shape, np.bool_)
    outline[:, 1:] |= surface[:, 1:] != surface[:, :-1]
    outline[:, :-1] |= surface[:, 1:] != surface[:, :-1]
    outline[1:] |= surface[1:] != surface[:-1]
    outline[:-1] |= surface[1:] != surface[:-1]
    rows, columns = np.nonzero(outline)
    above, below = np.maximum(rows - 1, 0), np.minimum(rows + 1, surface.shape[0] - 1)
    left, right = np.maximum(columns - 1, 0), np.minimum(columns + 1, surface.shape[1] - 1)
    bounded = np.minimum(radiance, 2)
    around = (
        bounded[above, columns]
        + bounded[below, columns]
        + bounded[rows, left]
        + bounded[rows, right]
    )
    radiance[rows, columns] = bounded[rows, columns] * 0.5 + around * 0.125
    return radiance


def _develop(radiance: Floats, view: View, camera: Camera) -> NDArray[np.uint8]:
    """Expose, balance, add noise and quantise."""
    green = np.minimum(radiance[..., 1], 4)
    # An integer sum: the order in which floats are summed, and so their last bit, would differ.
    mean = int((green * 4096).astype(np.int64).sum()) / 4096 / green.size
    gain = view.exposure * 0.30 / (mean + 0.02)
    noise = Generator(PCG64(view.noise_seed)).random(radiance.shape, dtype=np.float32)
    picture = np.empty_like(radiance)
    for channel in range(3):
        bright = radiance[..., channel] * (gain * view.white_balance[channel])
        # Bends highlights towards white as film does.
        picture[..., channel] = np.sqrt(bright * (1 + bright * 0.25) / (1 + bright))
    picture += (noise - 0.5) * (2 * _NOISE)
    return (np.clip(picture, 0, 1) * 255 + 0.5).astype(np.uint8)
