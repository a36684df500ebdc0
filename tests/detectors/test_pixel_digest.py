import numpy as np
from PIL import Image

from seentwice.detectors.pixel_digest import PixelDigestDescriptor


def digest(pixels: np.ndarray) -> bytes:
    return PixelDigestDescriptor().look(Image.fromarray(pixels)).tobytes()


def test_equal_pixels_have_equal_digests() -> None:
    pixels = np.random.default_rng(0).integers(256, size=(4, 6, 3), dtype=np.uint8)
    assert digest(pixels) == digest(pixels.copy())
    assert len(digest(pixels)) == 32


def test_one_level_of_one_pixel_is_another_photo() -> None:
    pixels = np.zeros((4, 6, 3), np.uint8)
    other = pixels.copy()
    other[3, 5, 2] = 1
    assert digest(pixels) != digest(other)


def test_the_same_pixels_in_another_shape_are_another_photo() -> None:
    pixels = np.zeros((4, 6, 3), np.uint8)
    assert digest(pixels) != digest(pixels.reshape(6, 4, 3))
