"""Small photos in every format, and what reading them must give."""

import io
from pathlib import Path

import numpy as np
import pillow_heif
import pytest
from numpy.typing import NDArray
from PIL import Image

from seentwice.photos import PhotoError, read_photo
from seentwice.records import Unreadable

LIMIT = 1_000_000
Pixels = NDArray[np.uint8]


def draw_pixels(width: int = 40, height: int = 24, seed: int = 0) -> Pixels:
    rng = np.random.default_rng(seed)
    coarse = Image.fromarray(rng.integers(0, 256, (4, 5, 3), dtype=np.uint8))
    return np.asarray(coarse.resize((width, height), Image.Resampling.BICUBIC))


PHOTO = Image.fromarray(draw_pixels())


def encode(image: Image.Image, form: str, **options: object) -> bytes:
    stream = io.BytesIO()
    image.save(stream, form, **options)
    return stream.getvalue()


def encode_heic(image: Image.Image) -> bytes:
    stream = io.BytesIO()
    pillow_heif.from_pillow(image).save(stream, quality=95)
    return stream.getvalue()


def exif(orientation: int) -> Image.Exif:
    block = Image.Exif()
    block[0x010F] = "a maker"
    block[0x0112] = orientation
    return block


def read(folder: Path, data: bytes, name: str = "photo.jpg") -> Pixels:
    path = folder / name
    path.write_bytes(data)
    photo = read_photo(path, LIMIT)
    assert type(photo) is Image.Image
    assert photo.mode == "RGB"
    return np.asarray(photo)


def refuse(folder: Path, data: bytes, max_pixels: int = LIMIT) -> Unreadable:
    path = folder / "photo.jpg"
    path.write_bytes(data)
    with pytest.raises(PhotoError) as caught:
        read_photo(path, max_pixels)
    unreadable = caught.value.unreadable
    assert unreadable.path == path
    assert unreadable.detail.isprintable()
    assert 0 < len(unreadable.detail) <= 200
    assert unreadable.reason in str(caught.value)
    return unreadable


LOSSLESS = {
    "png": encode(PHOTO, "PNG"),
    "bmp": encode(PHOTO, "BMP"),
    "tiff": encode(PHOTO, "TIFF"),
    "tiff, big": encode(PHOTO, "TIFF", big_tiff=True),
    "tiff, lzw": encode(PHOTO, "TIFF", compression="tiff_lzw"),
    "webp": encode(PHOTO, "WEBP", lossless=True),
}
LOSSY = {
    "jpeg": encode(PHOTO, "JPEG", quality=95),
    "jpeg, progressive": encode(PHOTO, "JPEG", quality=95, progressive=True),
    "jpeg with exif": encode(PHOTO, "JPEG", quality=95, exif=exif(1)),
    "mpo": encode(PHOTO, "MPO", save_all=True, append_images=[PHOTO.rotate(180)], quality=95),
    "webp, lossy": encode(PHOTO, "WEBP", quality=95),
    "gif": encode(PHOTO, "GIF"),
    "avif": encode(PHOTO, "AVIF", quality=95),
    "heic": encode_heic(PHOTO),
    "tiff, jpeg": encode(PHOTO, "TIFF", compression="jpeg", quality=95),
}
FORMATS = {**LOSSLESS, **LOSSY}
