"""Small photos for the page, decoded no larger than they need."""

from collections.abc import Callable
from pathlib import Path

from seentwice.pages import make_thumbnail
from seentwice.photos import PhotoError, read_photo

SIDE_PX, SMALL_SIDE_PX = 240, 160
MANY = 6_000
"""Photos of which thumbnails of `SIDE_PX`, of about 9 kB in base64, fill `PageLimits`."""


def choose_side_px(photos: int) -> int:
    """Return the longer side of thumbnails with which a page has room for so many photos.

    Small ones, of about 4 kB in base64, are enough for some 14,000.
    """
    return SIDE_PX if photos <= MANY else SMALL_SIDE_PX


def thumbnail_maker(max_pixels: int, side_px: int = SIDE_PX) -> Callable[[Path], bytes | None]:
    """Return what makes a JPEG of a photo, or None where it cannot be read any more.

    Args:
        max_pixels: Photos with more are not decoded.
        side_px: Length of the longer side.
    """

    def make(path: Path) -> bytes | None:
        try:
            image = read_photo(path, max_pixels, at_least=(side_px, side_px))
        except PhotoError:
            return None
        return make_thumbnail(image, side_px)

    return make
