"""How alike two photos are by what is kept of them: hashes, a tiny picture, their sizes."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from seentwice.block_hashing import BLOCK_HASHES, CHROMA_SIDE, LUMA_SIDE
from seentwice.dedupe.pictures import Indices, PhotoTable
from seentwice.dedupe.turning import Orientations, is_on_side, turn_signatures
from seentwice.hamming import hamming_bits

FEATURES = (*(f"{name}_bits" for name in BLOCK_HASHES), "luma", "centre", "chroma", "aspect")
"""What `measure_likeness` tells of a pair; each is 0 where the two do not differ.

Bits are Hamming distances as a share of 64; luma is 1 less the correlation of two tiny pictures, 0
to 2; centre the same of their inner quarters, since two strangers in the same white frame have all
but that in common; chroma the mean distance of their colours less their mean colours, as a share of
255; aspect the logarithm of the one's width to height over the other's.
"""
TURNED_FEATURES = ("oriented_bits", "luma", "centre", "chroma", "aspect")
"""What `measure_turned` tells of a pair."""
_LUMA_BYTES = LUMA_SIDE**2
_CENTRE = np.arange(_LUMA_BYTES).reshape(LUMA_SIDE, LUMA_SIDE)[4:-4, 4:-4].reshape(-1)
_MIDDLE = np.float32(128)  # less it, sums of 256 squares of tones are exact in float32
_CHOICES = ((0, 0), (0, 1), (1, 0))  # the orientation of the one and of the other photo


@dataclass(frozen=True, slots=True, eq=False)
class TurnedLikeness:
    """How alike pairs of photos are once one is mirrored or turned."""

    features: NDArray[np.float64]  # (m, len(TURNED_FEATURES))
    bits: NDArray[np.uint8]  # (m,) the Hamming distance of their oriented hashes
    is_turned: NDArray[np.bool_]  # (m,) False: they are as near each other as they are


def measure_likeness(table: PhotoTable, left: Indices, right: Indices) -> NDArray[np.float64]:
    """Measure pairs of photos of a table by their numbers, (m,), (m,): (m, len(FEATURES))."""
    bits = hamming_bits(table.hashes[left], table.hashes[right]) / 64
    tones = _compare(table.signature[left], table.signature[right])
    aspect = np.abs(_shape(table, left) - _shape(table, right))
    return np.stack((*bits.T, *tones, aspect), axis=1)


def measure_turned(
    table: PhotoTable, orientations: Orientations, left: Indices, right: Indices
) -> TurnedLikeness:
    """Measure pairs of photos of a table, each in the orientation in which they are nearest."""
    bits, turns = _choose_turns(orientations, left, right)
    tones = _compare(
        turn_signatures(table.signature[left], turns[0]),
        turn_signatures(table.signature[right], turns[1]),
    )
    shapes = [
        np.where(is_on_side(turn), -1, 1) * _shape(table, side)
        for side, turn in zip((left, right), turns, strict=True)
    ]
    features = np.stack((bits / 64, *tones, np.abs(shapes[0] - shapes[1])), axis=1)
    return TurnedLikeness(features, bits, turns[0] != turns[1])


def find_turned(orientations: Orientations, left: Indices, right: Indices) -> NDArray[np.bool_]:
    """Say which pairs are nearest with one of them mirrored or turned, (m,)."""
    _, turns = _choose_turns(orientations, left, right)
    is_turned: NDArray[np.bool_] = turns[0] != turns[1]
    return is_turned


def _choose_turns(
    orientations: Orientations, left: Indices, right: Indices
) -> tuple[NDArray[np.uint8], tuple[NDArray[np.uint8], NDArray[np.uint8]]]:
    """Return the least bits of pairs over their orientations, and the turns of both there."""
    hashes = orientations.hashes
    bits = np.stack([hamming_bits(hashes[left, a], hashes[right, b]) for a, b in _CHOICES])
    nearest = np.array(_CHOICES)[bits.argmin(axis=0)]
    turns = orientations.turns
    return bits.min(axis=0), (turns[left, nearest[:, 0]], turns[right, nearest[:, 1]])


def _shape(table: PhotoTable, photos: Indices) -> NDArray[np.float64]:
    shape: NDArray[np.float64] = np.log(table.width[photos] / table.height[photos])
    return shape


def _compare(
    left: NDArray[np.uint8], right: NDArray[np.uint8]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return luma, centre and chroma of pairs of signatures, (m,) each; see `FEATURES`."""
    one, other = left.astype(np.float32), right.astype(np.float32)
    luma = 1 - _correlate(one[:, :_LUMA_BYTES], other[:, :_LUMA_BYTES])
    centre = 1 - _correlate(one[:, _CENTRE], other[:, _CENTRE])
    colours = (one[:, _LUMA_BYTES:] - other[:, _LUMA_BYTES:]).reshape(-1, 2, CHROMA_SIDE**2)
    # Less the mean colours: a cast makes no other photo.
    colours -= colours.mean(axis=2, keepdims=True)
    return luma, centre, np.abs(colours).mean(axis=(1, 2), dtype=np.float64) / 255


def _correlate(one: NDArray[np.float32], other: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return the correlation of rows of tones with rows, (m,); 0 where one is flat."""
    one, other = one - _MIDDLE, other - _MIDDLE
    sums = [side.sum(axis=1).astype(np.float64) for side in (one, other)]
    squares = [np.einsum("ij,ij->i", side, side).astype(np.float64) for side in (one, other)]
    count = one.shape[1]
    product = np.einsum("ij,ij->i", one, other).astype(np.float64)
    covariance = product - sums[0] * sums[1] / count
    variances = [square - total**2 / count for square, total in zip(squares, sums, strict=True)]
    lengths = np.sqrt(np.maximum(variances[0] * variances[1], 0))
    correlation: NDArray[np.float64] = np.divide(
        covariance, lengths, out=np.zeros_like(covariance), where=lengths > 0
    )
    return correlation
