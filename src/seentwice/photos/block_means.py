"""Photos made small while they are decoded: enough for hashes, in less time.

A JPEG holds the mean of each 8 x 8 block by itself, so decoding it to an eighth of its size gives
block means without computing the pixels. Photos of other formats are decoded whole, and then give
the means of the same blocks, so that photos of two formats compare.
"""

import struct
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
import simplejpeg
from numpy.typing import NDArray
from PIL import Image

from seentwice.photos.decoding import ON_SIDE, TURNS, decode_photo
from seentwice.photos.tiff import read_orientation

LEAST_SIDE_PX = 32
"""Below it a smaller block is taken: perceptual hashes look at 32 x 32 pixels."""
_LARGEST_BLOCK_PX = 8
_JPEG = b"\xff\xd8\xff"
_START_OF_SCAN = 0xDA
_APP1 = 0xE1


@dataclass(frozen=True, slots=True, eq=False)
class BlockMeans:
    """A photo, upright, of which each square block is one pixel."""

    width: int  # px of the photo itself
    height: int
    means: NDArray[np.uint8]  # (h, w, 3) RGB; transparent parts lie on white
    is_own: bool  # a JPEG's own means, not those of decoded pixels: they differ by rounding


def block_side(width: int, height: int) -> int:
    """Return the side in pixels, 1 to 8, of the blocks that a photo of this size is parted into."""
    side = _LARGEST_BLOCK_PX
    while side > 1 and min(width, height) < side * LEAST_SIDE_PX:
        side //= 2
    return side


def decode_block_means(content: bytes | BinaryIO, name: Path, max_pixels: int) -> BlockMeans:
    """Decode a photo to the means of its blocks; see `block_side`.

    A JPEG's own means and those of its decoded pixels differ by rounding, 3 of 255 at most where
    blocks are whole.

    Args:
        content: The bytes of the whole file, or the file, open at its beginning.
        name: What errors call it; nothing is opened.
        max_pixels: Photos with more, by their header, are not decoded.

    Raises:
        PhotoError: as `read_photo` does, of the same files.
    """
    if isinstance(content, bytes) and content.startswith(_JPEG):
        found = _decode_jpeg(content, max_pixels)
        if found is not None:
            return found
    photo = decode_photo(content, name, max_pixels)
    side = block_side(*photo.size)
    means = np.asarray(photo.reduce(side) if side > 1 else photo)
    return BlockMeans(*photo.size, means, is_own=False)


def _decode_jpeg(content: bytes, max_pixels: int) -> BlockMeans | None:
    """Decode a JPEG without fault; None of any other, of which Pillow knows what is wrong."""
    try:
        height, width, space, _ = simplejpeg.decode_jpeg_header(content)
        if width * height > max_pixels or space not in ("YCbCr", "Gray", "RGB"):
            return None
        side = block_side(width, height)
        least = -(-height // side), -(-width // side)
        means = simplejpeg.decode_jpeg(
            content, "RGB", min_height=least[0], min_width=least[1], min_factor=side
        )
    except ValueError:
        return None
    orientation = read_orientation(_find_exif(content))
    turn = TURNS.get(orientation)
    if turn is not None:
        means = np.asarray(Image.fromarray(means).transpose(turn))
    if orientation in ON_SIDE:
        width, height = height, width
    return BlockMeans(width, height, means, is_own=True)


def _find_exif(content: bytes) -> bytes | None:
    """Return the first EXIF block of a JPEG; None where it has none before its pixels.

    ITU T.81, annex B: 0xFF and the kind of a segment, its length in two bytes, what it holds.
    """
    at = 2
    while at + 4 <= len(content):
        mark, kind, length = struct.unpack_from(">BBH", content, at)
        if mark != 0xFF or kind == _START_OF_SCAN:
            return None
        if kind == 0xFF:  # any number of these may stand before a segment
            at += 1
            continue
        if kind == _APP1 and content[at + 4 : at + 10] == b"Exif\0\0":
            return content[at + 4 : at + 2 + length]
        at += 2 + length
    return None
