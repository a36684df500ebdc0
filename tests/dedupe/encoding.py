"""Pictures that are like no other's, and files of them."""

import io
import struct
import zlib

import numpy as np
import pillow_heif
from numpy.typing import NDArray
from PIL import Image, ImageDraw


def draw(seed: int, width: int = 256, height: int = 192) -> Image.Image:
    """Draw a picture that is like no other's."""
    rng = np.random.default_rng(seed)
    picture = Image.fromarray(rng.integers(0, 256, (5, 7, 3), dtype=np.uint8))
    picture = picture.resize((width, height), Image.Resampling.BICUBIC)
    pen = ImageDraw.Draw(picture)
    for _ in range(6):
        x, y = rng.integers(0, width), rng.integers(0, height)
        tone = tuple(rng.integers(0, 256, 3).tolist())
        pen.rectangle((x, y, x + width // 8, y + height // 6), fill=tone)
    return picture


def encode(image: Image.Image, form: str, **options: object) -> bytes:
    stream = io.BytesIO()
    image.save(stream, form, **options)
    return stream.getvalue()


def encode_heic(image: Image.Image) -> bytes:
    stream = io.BytesIO()
    pillow_heif.from_pillow(image).save(stream, quality=90)
    return stream.getvalue()


def exif(orientation: int) -> Image.Exif:
    block = Image.Exif()
    block[0x0112] = orientation
    return block


def make_png(width: int, height: int, bits: int, kind: int, lines: bytes) -> bytes:
    """Write a PNG of any header; `lines` are its pixels, each line after a byte of zero."""

    def chunk(name: bytes, content: bytes) -> bytes:
        check = struct.pack(">I", zlib.crc32(name + content))
        return struct.pack(">I", len(content)) + name + content + check

    header = struct.pack(">IIBBBBB", width, height, bits, kind, 0, 0, 0)
    packed = chunk(b"IDAT", zlib.compress(lines))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + packed + chunk(b"IEND", b"")


def make_deep_png(pixels: NDArray[np.uint16]) -> bytes:
    """Write a PNG of 16 bits, grey (h, w) or RGB (h, w, 3)."""
    height, width = pixels.shape[:2]
    lines = b"".join(b"\0" + line.astype(">u2").tobytes() for line in pixels)
    return make_png(width, height, 16, 0 if pixels.ndim == 2 else 2, lines)


def ftyp(*brands: bytes) -> bytes:
    """The head of a file of ISO media."""
    own, *others = brands
    body = b"ftyp" + own + bytes(4) + b"".join(others)
    return (len(body) + 4).to_bytes(4) + body + b"\0\0\0\x08meta" * 20
