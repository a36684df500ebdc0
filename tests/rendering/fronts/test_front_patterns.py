import numpy as np
import pytest

from seentwice.rendering.fronts.masks import MASKS
from seentwice.rendering.fronts.patterns import PATTERNS
from seentwice.rendering.scene import Material
from seentwice.rendering.surfaces import Face

COLOURS = ((0.2, 0.3, 0.4), (0.9, 0.8, 0.7), (0.5, 0.1, 0.1))


def make_face(pixel_m: float) -> Face:
    u, v = np.meshgrid(np.linspace(0, 2, 40), np.linspace(0, 1, 20))
    return Face(
        u=u.ravel().astype(np.float32),
        v=v.ravel().astype(np.float32),
        width_m=2.0,
        height_m=1.0,
        pixel_m=np.full(800, pixel_m, np.float32),
    )


@pytest.mark.parametrize("pattern", PATTERNS)
@pytest.mark.parametrize("pixel_m", [0.001, 0.5])
def test_every_pattern_gives_bounded_colours_in_single_precision(
    pattern: str, pixel_m: float
) -> None:
    colours = PATTERNS[pattern](make_face(pixel_m), Material(pattern, COLOURS, 0.2, 12))
    assert colours.shape == (800, 3)
    assert colours.dtype == np.float32
    assert (colours >= 0).all()
    assert (colours <= 1.3).all()


@pytest.mark.parametrize("mask", MASKS)
def test_every_mask_covers_a_part_in_single_precision(mask: str) -> None:
    cover = MASKS[mask](make_face(0.01), Material("leaves", COLOURS, 1.0, 3))
    assert cover.shape == (800,)
    assert cover.dtype == np.float32
    assert (cover.min(), cover.max()) == (0, 1)
