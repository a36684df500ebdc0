"""Which photo of a group is kept."""

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from seentwice.dedupe.pictures import Indices, PhotoTable
from seentwice.photos import PhotoError, read_photo

SIDE_PX = 512
"""The longer side at which sharpness is measured, so that photos of several sizes compare."""

Keep = Callable[[PhotoTable, Indices, Path, int], Indices]
"""Orders the photos of a group, (k,): the one to keep first. Takes their root and most pixels."""


def order_by_size(table: PhotoTable, photos: Indices, root: Path, max_pixels: int) -> Indices:
    """Put the photo with the most pixels first; of equal ones the older file, then the larger.

    Older before larger: a copy that was saved again, in another format or turned, may take more
    bytes than its original and show less.
    """
    return photos[np.lexsort(_by_size(table, photos))]


def order_by_age(table: PhotoTable, photos: Indices, root: Path, max_pixels: int) -> Indices:
    """Put the file first that was written longest ago; of equal ones the largest photo."""
    return photos[np.lexsort((*_by_size(table, photos), table.modified_ns[photos]))]


def order_by_sharpness(table: PhotoTable, photos: Indices, root: Path, max_pixels: int) -> Indices:
    """Put the sharpest photo first; of equal ones the largest. Each is decoded once more."""
    sharpness = [
        measure_sharpness(root / table.key(photo), max_pixels) for photo in photos.tolist()
    ]
    return photos[np.lexsort((*_by_size(table, photos), -np.array(sharpness)))]


KEEP: Mapping[str, Keep] = {
    "largest": order_by_size,
    "sharpest": order_by_sharpness,
    "oldest": order_by_age,
}
"""What can be kept of a group, by name."""


def _by_size(table: PhotoTable, photos: Indices) -> tuple[NDArray[np.int64], ...]:
    """Return the keys of a sort that ends with the path's, the least first."""
    pixels = table.width[photos].astype(np.int64) * table.height[photos]
    return photos, -table.size_bytes[photos], table.modified_ns[photos], -pixels


def measure_sharpness(path: Path, max_pixels: int) -> float:
    """Return the variance of the Laplacian of a photo's luma, `SIDE_PX` long; -1 for no photo.

    Pech-Pacheco et al. 2000, "Diatom autofocusing in brightfield microscopy: a comparative study".
    """
    try:
        photo = read_photo(path, max_pixels, (SIDE_PX, SIDE_PX)).convert("L")
    except PhotoError:  # gone or changed since; the next run tells
        return -1.0
    scale = SIDE_PX / max(photo.size)
    size = max(round(photo.width * scale), 3), max(round(photo.height * scale), 3)
    luma = np.asarray(photo.resize(size, Image.Resampling.LANCZOS), np.float32)
    inner = luma[1:-1, 1:-1]
    around = luma[:-2, 1:-1] + luma[2:, 1:-1] + luma[1:-1, :-2] + luma[1:-1, 2:]
    return float((around - 4 * inner).var())
