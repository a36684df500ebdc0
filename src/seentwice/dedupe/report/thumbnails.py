"""Small photos for the page, decoded no larger than they need."""

from collections.abc import Callable
from pathlib import Path

from seentwice.pages import make_thumbnail
from seentwice.photos import PhotoError, read_photo

SIDE_PX = 240


def thumbnail_maker(max_pixels: int) -> Callable[[Path], bytes | None]:
    """Return what makes a JPEG of a photo, or None where it cannot be read any more.

    Args:
        max_pixels: Photos with more are not decoded.
    """

    def make(path: Path) -> bytes | None:
        try:
            image = read_photo(path, max_pixels, at_least=(SIDE_PX, SIDE_PX))
        except PhotoError:
            return None
        return make_thumbnail(image, SIDE_PX)

    return make
