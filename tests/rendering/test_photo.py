import hashlib
from dataclasses import replace

import numpy as np
import pytest

from seentwice.rendering.layouts import draw_scene
from seentwice.rendering.palettes import ROOM_TYPES
from seentwice.rendering.photo import render_view
from seentwice.rendering.views import draw_view

SIZE_PX = (64, 48)


@pytest.mark.parametrize(
    ("view_seed", "checksum"),
    [
        (0, "58ab83b83a4fd71f65b0e381ef0a8444021b93bc46a56ecce937dd852c83703b"),
        (1, "1b4cf7dd901133764b28cd03f16b2e45af59ad62127b118cf9115ff64717bb09"),
    ],
)
def test_pixels_are_the_same_on_every_machine(view_seed: int, checksum: str) -> None:
    scene = draw_scene(7, "living-room")
    pixels = render_view(scene, draw_view(scene, view_seed), (160, 120))
    assert hashlib.sha256(pixels.tobytes()).hexdigest() == checksum


@pytest.mark.parametrize("room_type", ROOM_TYPES)
def test_every_room_type_gives_pictures_with_content(room_type: str) -> None:
    for seed in range(6):
        scene = draw_scene(seed, room_type)
        pixels = render_view(scene, draw_view(scene, seed), SIZE_PX)
        assert pixels.shape == (48, 64, 3)
        assert pixels.dtype == np.uint8
        assert pixels.std() > 15


def test_views_of_one_scene_differ() -> None:
    scene = draw_scene(3, "bedroom")
    photos = [render_view(scene, draw_view(scene, seed), SIZE_PX) for seed in range(4)]
    for number, photo in enumerate(photos):
        for other in photos[:number]:
            assert np.abs(photo.astype(int) - other.astype(int)).mean() > 10


def test_scenes_of_one_type_differ() -> None:
    assert draw_scene(1, "kitchen") != draw_scene(2, "kitchen")


def test_unknown_room_type_names_the_choices() -> None:
    with pytest.raises(ValueError, match="choose from bedroom, "):
        draw_scene(0, "attic")


def test_exposure_brightens_the_photo() -> None:
    scene = draw_scene(5, "kitchen")
    view = draw_view(scene, 0)
    dark = render_view(scene, replace(view, exposure=0.5), SIZE_PX)
    bright = render_view(scene, replace(view, exposure=1.5), SIZE_PX)
    assert bright.mean() > dark.mean() + 20


def test_camera_stands_in_the_room_and_outside_the_furniture() -> None:
    for seed in range(40):
        scene = draw_scene(seed, ROOM_TYPES[seed % len(ROOM_TYPES)])
        eye = draw_view(scene, seed).eye
        assert all(0 < at < size for at, size in zip(eye, scene.size_m, strict=True))
        for box in scene.boxes:
            assert not all(
                low < at < high for at, low, high in zip(eye, box.low, box.high, strict=True)
            )
