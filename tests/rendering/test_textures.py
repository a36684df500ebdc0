import numpy as np
import pytest

from seentwice.rendering.scene import Material
from seentwice.rendering.surfaces import Face, draw_noise, hash_cells, spread
from seentwice.rendering.textures import PATTERNS

COLOURS = ((0.2, 0.3, 0.4), (0.9, 0.8, 0.7), (0.5, 0.1, 0.1), (0.1, 0.5, 0.1))


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
    # Double precision anywhere would double the time, and hide until someone measures it.
    assert colours.dtype == np.float32
    assert (colours >= 0).all()
    assert (colours <= 1.3).all()


def test_hashed_cells_spread_evenly() -> None:
    x, y = np.meshgrid(np.arange(-50, 50), np.arange(-50, 50))
    numbers = spread(hash_cells(x.astype(np.float32), y.astype(np.float32), 3))
    counts, _ = np.histogram(numbers, bins=10, range=(0, 1))
    assert counts.min() > 850
    assert counts.max() < 1150


def test_noise_is_smooth() -> None:
    x = np.linspace(-2, 2, 4001).astype(np.float32)
    noise = draw_noise(x, np.full_like(x, 0.3), 5)
    assert np.abs(np.diff(noise)).max() < 0.003
    assert noise.std() > 0.1
