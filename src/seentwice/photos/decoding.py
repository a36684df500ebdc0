"""Decode a photo to upright RGB pixels."""

import os
import struct
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

import numpy as np
from PIL import AvifImagePlugin, Image, ImageFile, JpegImagePlugin, WebPImagePlugin

from seentwice.photos.formats import HEAD_BYTES, decoder_of, name_format
from seentwice.photos.heic import heic_plugin
from seentwice.photos.problems import (
    PhotoError,
    find_problem,
    record_refusal,
    record_undecoded,
    to_line,
)
from seentwice.photos.tiff import least_length, read_orientation
from seentwice.records import Reason, Unreadable


def read_photo(path: Path, max_pixels: int, at_least: tuple[int, int] | None = None) -> Image.Image:
    """Decode the first frame of a photo as it is meant to be seen.

    The photo is upright (EXIF orientation) and RGB. Transparent pixels lie on white. Of 16 bits
    the upper 8 are kept, as Pillow does in colour photos; other deep modes: see `_to_8_bits`.
    Colour profiles are not applied; `format` is what the file holds, whatever its name says. Called
    from several threads, it changes nothing that they share.

    For TIFF, WebP and GIF, Pillow's own `Image.MAX_IMAGE_PIXELS` holds beside `max_pixels`.
    Pillow warns of some malformed tags of TIFF, AVIF and animated PNG, with which no photo is
    lost unless warnings are errors; libtiff writes to stderr of its own accord.

    Args:
        path: A file; links are followed.
        max_pixels: Photos with more, by their header, are not decoded.
        at_least: (width, height) that will do. A JPEG is then decoded to the smallest of 1/8, 1/4,
            1/2 and 1 of its size in which neither side is below it: faster, and other pixels than
            those of a full decode made smaller. Other formats are decoded in full.

    Raises:
        PhotoError: the file is missing, empty, no image, damaged, ...: see `Reason`.
    """
    problem = find_problem(path)
    if problem is not None:
        raise PhotoError(problem)
    with _as_photo_errors(path), path.open("rb") as stream:
        return _decode(path, stream, max_pixels, at_least)


def decode_photo(
    content: bytes | BinaryIO, name: Path, max_pixels: int, at_least: tuple[int, int] | None = None
) -> Image.Image:
    """Decode a photo in memory, or one that is open, as `read_photo` decodes a file.

    Args:
        content: The bytes of the whole file, or the file, open at its beginning.
        name: What errors call it; nothing is opened.
        max_pixels: Photos with more, by their header, are not decoded.
        at_least: See `read_photo`.

    Raises:
        PhotoError: the bytes are no image, damaged, ...: see `Reason`.
    """
    with _as_photo_errors(name):
        stream = BytesIO(content) if isinstance(content, bytes) else content
        return _decode(name, stream, max_pixels, at_least)


@contextmanager
def _as_photo_errors(path: Path) -> Iterator[None]:
    try:
        yield
    except PhotoError:
        raise
    except PermissionError as error:
        raise PhotoError(record_refusal(path, error)) from error
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise PhotoError(Unreadable(path, Reason.TOO_LARGE, to_line(error))) from error
    # Decoders meet broken files with whatever they stumble over: KeyError, zlib.error, ...
    except Exception as error:
        reason = Reason.TRUNCATED if _is_end_of_data(error) else Reason.DAMAGED
        raise PhotoError(Unreadable(path, reason, to_line(error))) from error


def _decode(
    path: Path, stream: BinaryIO, max_pixels: int, at_least: tuple[int, int] | None
) -> Image.Image:
    head = stream.read(HEAD_BYTES)
    if not head:
        raise PhotoError(Unreadable(path, Reason.EMPTY, "0 bytes"))
    decoder = decoder_of(head)
    if decoder is None:
        undecoded = name_format(head)
        if undecoded is not None:
            raise PhotoError(record_undecoded(path, undecoded))
        detail = "begins like no JPEG, PNG, WebP, GIF, BMP, TIFF or AVIF"
        raise PhotoError(Unreadable(path, Reason.NOT_AN_IMAGE, detail))
    size, needed = stream.seek(0, os.SEEK_END), least_length(stream, head)
    if size < needed:
        detail = f"{size} bytes of {needed} or more"
        raise PhotoError(Unreadable(path, Reason.TRUNCATED, detail))
    with _open(decoder, stream) as image:
        width, height = image.size
        if width * height > max_pixels:
            detail = f"{width} x {height} pixels are more than {max_pixels}"
            raise PhotoError(Unreadable(path, Reason.TOO_LARGE, detail))
        if at_least is not None and isinstance(image, JpegImagePlugin.JpegImageFile):
            is_on_side = read_orientation(image.info.get("exif")) in ON_SIDE
            image.draft(None, at_least[::-1] if is_on_side else at_least)
        image.load()
        photo = _to_rgb(image)
        # TIFF is turned by Pillow's plugin while it loads.
        turn = (
            None if image.format == "TIFF" else TURNS.get(read_orientation(image.info.get("exif")))
        )
    if turn is not None:
        photo = photo.transpose(turn)
    photo.info = {}
    photo.format = decoder.format
    return photo


def _open(decoder: type[ImageFile.ImageFile], stream: BinaryIO) -> ImageFile.ImageFile:
    """Read the header.

    Raises:
        EOFError: the file ends within its header, whatever the plugin makes of that.
    """
    stream.seek(0)
    try:
        return decoder(stream)
    except (SyntaxError, ValueError, OSError, struct.error) as error:
        reads_all = decoder in (
            WebPImagePlugin.WebPImageFile,
            AvifImagePlugin.AvifImageFile,
            heic_plugin(),
        )
        if not reads_all and not stream.read(1):
            raise EOFError(f"ends within its header: {error}") from error
        raise


def _to_rgb(image: Image.Image) -> Image.Image:
    """Return a new RGB image of a loaded one."""
    if image.mode.startswith("I") or image.mode == "F":
        return _to_8_bits(image).convert("RGB")
    if image.has_transparency_data:
        seen = image.convert("RGBA")
        white = Image.new("RGBA", seen.size, "white")
        return Image.alpha_composite(white, seen).convert("RGB")
    return image.convert("RGB")


def _to_8_bits(image: Image.Image) -> Image.Image:
    """Scale a deep grey image to 0..255, where Pillow's `convert` would clip it to white.

    Integers have 16 bits, or 31 where one needs more. White in floats is the smallest of 1, 255
    and 65535 that none exceeds; what is above 65535, below 0 or not a number is clipped.
    """
    values = np.asarray(image)
    if image.mode == "F":
        values = np.clip(np.nan_to_num(values, posinf=65535), 0, 65535)
        white = next(limit for limit in (1, 255, 65535) if values.max() <= limit)
        return Image.fromarray(np.rint(values * (255 / white)).astype(np.uint8))
    bits = 16 if values.max() < 1 << 16 else 31
    grey = (np.maximum(values, 0) >> (bits - 8)).astype(np.uint8)
    hidden = image.info.get("transparency")
    return Image.fromarray(grey if hidden is None else np.where(values == hidden, 255, grey))


TURNS: Mapping[int, Image.Transpose] = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""What makes a photo upright, by its EXIF orientation; none for 1."""

ON_SIDE = (5, 6, 7, 8)
"""Orientations that swap width and height."""


def _is_end_of_data(error: Exception) -> bool:
    """Whether a decoder's error says that the file ended early.

    "Cannot load" is what Pillow says of a JPEG that ends between its header and its pixels.
    """
    words = str(error).lower()
    return isinstance(error, EOFError) or "truncated" in words or "cannot load" in words
