"""Perceptual hashes of a photo's block means, and a tiny picture of it, by a few matrix products.

The hashes are those of imagehash but for rounding: every step of theirs up to the comparison that
gives the bits is linear, so it is one matrix for the rows of a photo and one for its columns.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image

SIDE = 8
"""A hash has SIDE x SIDE bits, as those of imagehash."""
BLOCK_HASHES = ("perception", "difference")
"""The hashes of a `BlockLook`, in this order; both are names of `seentwice.hashing.HASHES`."""
LUMA_SIDE, CHROMA_SIDE = 16, 4
SIGNATURE_BYTES = LUMA_SIDE**2 + 2 * CHROMA_SIDE**2
"""Of a `BlockLook`'s signature: its luma, then its two differences of colour."""
LEAST_STEP = 0.5
"""By which a difference's right pixel must be lighter: half of what 8 bits tell apart."""
LEAST_DEVIATION = 3.0
"""Of the 255 tones: photos that deviate less from a plane are blank, or a mere gradient."""
MOST_TWO_TONES = 0.97
"""Photos of which a larger share has one of two tones are two-tone."""
_LONGEST_SIDE = 1 << 12  # pixels; the matrices of longer sides would fill the memory
_TONES = 16  # bins of 16 levels each
_DCT_SIDE = 4 * SIDE  # of the picture that imagehash transforms
# ITU-R BT.601, as JPEG has it.
_LUMA = np.array([0.299, 0.587, 0.114], np.float32)
_CHROMA = np.array([[-0.168736, -0.331264, 0.5], [0.5, -0.418688, -0.081312]], np.float32)

_Matrix = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class BlockLook:
    """What deduplication keeps of a photo's pixels."""

    hashes: tuple[int, ...]  # uint64, one a name of `BLOCK_HASHES`
    signature: bytes  # `SIGNATURE_BYTES`
    has_content: bool  # False: blank, a gradient or two-tone; hashes of such say nothing


@dataclass(frozen=True, slots=True, eq=False)
class _Side:
    """The matrices for a side of n pixels."""

    frequencies: _Matrix  # (8, n) to 32 pixels, then the lowest frequencies of a cosine transform
    rows: _Matrix  # (8, n) to 8 pixels
    columns: _Matrix  # (9, n) to 9
    luma: _Matrix  # (16, n) means of parts
    chroma: _Matrix  # (4, n) likewise


def look_at_blocks(means: NDArray[np.uint8]) -> BlockLook:
    """Hash a photo by its block means, (h, w, 3) RGB.

    As imagehash has it, "perception" compares low frequencies with their median (Zauner 2010,
    "Implementation and benchmarking of perceptual image hash functions", section 3.2.1), and
    "difference" each of 8 x 9 pixels with its left neighbour.
    """
    if max(means.shape) > _LONGEST_SIDE:
        means = _shorten(means)
    height, width = means.shape[:2]
    vertical, horizontal = _matrices(height), _matrices(width)
    pixels = means.astype(np.float32)
    luma = pixels @ _LUMA
    low = vertical.frequencies @ luma @ horizontal.frequencies.T
    small = vertical.rows @ luma @ horizontal.columns.T
    middle = np.partition(low, (31, 32), axis=None)[31:33].mean()
    bits = np.stack((low > middle, small[:, 1:] - small[:, :-1] > LEAST_STEP))
    hashes = np.packbits(bits.reshape(2, -1), axis=1).view(">u8")[:, 0]
    tiny = vertical.luma @ luma @ horizontal.luma.T
    colours = (vertical.chroma @ pixels.reshape(height, -1)).reshape(CHROMA_SIDE, width, 3)
    differences = _CHROMA @ (horizontal.chroma @ colours).reshape(-1, 3).T + 128
    signature = np.concatenate((tiny.reshape(-1), differences.reshape(-1)))
    return BlockLook(
        (int(hashes[0]), int(hashes[1])),
        np.rint(signature).clip(0, 255).astype(np.uint8).tobytes(),
        _has_content(luma, tiny),
    )


def _shorten(means: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Put pixels of a picture together along sides that are too long."""
    height, width = means.shape[:2]
    by = -(-width // _LONGEST_SIDE), -(-height // _LONGEST_SIDE)
    return np.asarray(Image.fromarray(means).reduce(by))


def _has_content(luma: _Matrix, tiny: _Matrix) -> bool:
    values = tiny.reshape(-1)
    along = _planes() @ values
    rest = float(values @ values - along @ along)
    if rest < LEAST_DEVIATION**2 * values.size:
        return False
    some = luma[::2, ::2].astype(np.uint8).reshape(-1)
    # A tone at the edge of a bin falls into two of them.
    shares = np.convolve(np.bincount(some >> 4, minlength=_TONES), (1, 1)) / some.size
    first = int(shares.argmax())
    others = np.delete(shares, slice(max(first - 1, 0), first + 2))
    return float(shares[first] + others.max()) <= MOST_TWO_TONES


@lru_cache(maxsize=1)
def _planes() -> _Matrix:
    """Return three rows of length 1 that span all planes over the tiny picture, (3, 256)."""
    y, x = np.mgrid[:LUMA_SIDE, :LUMA_SIDE]
    basis, _ = np.linalg.qr(np.stack((np.ones_like(x), x, y), axis=-1).reshape(-1, 3).astype(float))
    return np.asarray(basis.T, np.float32)


@lru_cache(maxsize=256)
def _matrices(length: int) -> _Side:
    whole = _resizing(length, _DCT_SIDE, Image.Resampling.LANCZOS)
    position, frequency = np.arange(_DCT_SIDE), np.arange(SIDE)[:, np.newaxis]
    cosines = np.cos(np.pi * frequency * (2 * position + 1) / (2 * _DCT_SIDE))
    return _Side(
        (cosines @ whole).astype(np.float32),
        _resizing(length, SIDE, Image.Resampling.LANCZOS),
        _resizing(length, SIDE + 1, Image.Resampling.LANCZOS),
        _resizing(length, LUMA_SIDE, Image.Resampling.BOX),
        _resizing(length, CHROMA_SIDE, Image.Resampling.BOX),
    )


def _resizing(length: int, size: int, by: Image.Resampling) -> _Matrix:
    """Return the weights with which Pillow resizes a side, (size, length).

    They are computed as Pillow does, which tells none: to resize unit vectors takes a second where
    a side has some thousand pixels.
    """
    reach = 3.0 if by is Image.Resampling.LANCZOS else 0.5
    step = length / size
    stretch = max(step, 1.0)
    centre = (np.arange(size)[:, np.newaxis] + 0.5) * step
    first, end = (np.trunc(centre + side * reach * stretch + 0.5) for side in (-1, 1))
    position = np.arange(length)
    at = (position - centre + 0.5) / stretch
    if by is Image.Resampling.LANCZOS:
        weights = np.sinc(at) * np.sinc(at / reach)
        is_near = (at >= -reach) & (at < reach)
    else:
        weights = np.ones_like(at)
        is_near = (at > -reach) & (at <= reach)
    weights[~(is_near & (position >= first) & (position < end))] = 0
    weights /= weights.sum(axis=1, keepdims=True)
    return weights.astype(np.float32)
