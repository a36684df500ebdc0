"""Perceptual hashes of 64 bits: exactly those of imagehash, which are what others report."""

from collections.abc import Callable, Mapping

import imagehash
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from seentwice.errors import UserError

SIDE = 8
"""A hash has SIDE x SIDE bits."""


def hash_photo(image: Image.Image, names: tuple[str, ...]) -> NDArray[np.uint64]:
    """Hash one photo, (len(names),); the first bit of imagehash is the most significant.

    So `int(str(imagehash.phash(image)), 16)` is what "perception" gives.

    Args:
        image: Of any mode and size; a photo turned upright, for hashes that compare.
        names: Keys of `HASHES`.

    Raises:
        UserError: no such hash; the message lists the valid names.
    """
    for name in names:
        if name not in HASHES:
            raise UserError(f"hash {name!r}: choose one of {', '.join(HASHES)}")
    grey = image.convert("L")
    bits = np.array([HASHES[name](grey) for name in names], dtype=bool).reshape(-1, SIDE * SIDE)
    return np.packbits(bits, axis=1).view(">u8")[:, 0].astype(np.uint64)


def _average(grey: Image.Image) -> NDArray[np.bool_]:
    bits: NDArray[np.bool_] = imagehash.average_hash(grey, SIDE).hash
    return bits


def _difference(grey: Image.Image) -> NDArray[np.bool_]:
    bits: NDArray[np.bool_] = imagehash.dhash(grey, SIDE).hash
    return bits


def _perception(grey: Image.Image) -> NDArray[np.bool_]:
    bits: NDArray[np.bool_] = imagehash.phash(grey, SIDE).hash
    return bits


def _wavelet(grey: Image.Image) -> NDArray[np.bool_]:
    """Compare block sums with their median, as `imagehash.whash` does by way of wavelets.

    The low band of a Haar transform is the sum of each block, but for a factor, and the mean
    that imagehash removes first moves all of them alike. Sums of pixels are exact; where the
    median falls on a sum, though, imagehash's bits come from its rounding errors, and it has to
    be asked.
    """
    scale = max(1 << (min(grey.size).bit_length() - 1), SIDE)
    pixels = np.asarray(grey.resize((scale, scale), Image.Resampling.LANCZOS))
    block = scale // SIDE
    sums = pixels.reshape(SIDE, block, SIDE, block).sum(axis=(1, 3), dtype=np.int64)
    ranked = np.sort(sums, axis=None)
    middle = ranked.size // 2
    bits: NDArray[np.bool_]
    if ranked[middle - 1] < ranked[middle]:
        bits = sums >= ranked[middle]
    else:
        bits = imagehash.whash(grey, SIDE).hash
    return bits


HASHES: Mapping[str, Callable[[Image.Image], NDArray[np.bool_]]] = {
    "average": _average,
    "difference": _difference,
    "perception": _perception,
    "wavelet": _wavelet,
}
"""The 8x8 bits of a grey photo by name of the hash."""
