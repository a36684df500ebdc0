"""Photos that were mirrored or turned by quarters: each is put into one orientation of its own.

Of the eight orientations of a picture one is chosen by its lowest frequencies: lighter on the left,
lighter above, and changing more from left to right than from above to below. A copy in any
orientation is put into the same one, so one hash finds it. Where a photo changes so little that a
choice is nearly even, edits may tip it: the nearest choice is taken the other way as well.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from seentwice.block_hashing import CHROMA_SIDE, LUMA_SIDE, SIDE

UPRIGHT = 0
_MIRRORED, _UPSIDE_DOWN, _TRANSPOSED = 1, 2, 4
_LUMA_BYTES = LUMA_SIDE**2
_BLOCK = 1 << 14  # photos at once: 60 MB of tiny pictures and frequencies


@dataclass(frozen=True, slots=True, eq=False)
class Orientations:
    """Each photo in the orientation of its own, and in the next best."""

    hashes: NDArray[np.uint64]  # (n, 2) of the low frequencies of its tiny picture there
    turns: NDArray[np.uint8]  # (n, 2) how it gets there, see `turn_signatures`


def orient(signatures: NDArray[np.uint8]) -> Orientations:
    """Orient photos by their signatures, (n, s)."""
    hashes = np.empty((len(signatures), 2), np.uint64)
    turns = np.empty((len(signatures), 2), np.uint8)
    for start in range(0, len(signatures), _BLOCK):
        block = slice(start, start + _BLOCK)
        hashes[block], turns[block] = _orient(signatures[block])
    return Orientations(hashes, turns)


def _orient(
    signatures: NDArray[np.uint8],
) -> tuple[NDArray[np.uint64], NDArray[np.uint8]]:
    position, frequency = np.arange(LUMA_SIDE), np.arange(SIDE)[:, np.newaxis]
    cosines = np.cos(np.pi * frequency * (2 * position + 1) / (2 * LUMA_SIDE)).astype(np.float32)
    luma = signatures[:, :_LUMA_BYTES].reshape(-1, LUMA_SIDE, LUMA_SIDE).astype(np.float32)
    low: NDArray[np.float32] = (cosines @ luma @ cosines.T).astype(np.float32)
    across, down = low[:, 0, 1], low[:, 1, 0]
    turn = (
        np.where(across < 0, _MIRRORED, 0)
        | np.where(down < 0, _UPSIDE_DOWN, 0)
        | np.where(np.abs(down) > np.abs(across), _TRANSPOSED, 0)
    )
    evenness = np.abs(np.stack((across, down, np.abs(across) - np.abs(down)), axis=1))
    turns = np.stack((turn, turn ^ (1 << evenness.argmin(axis=1))), axis=1).astype(np.uint8)
    hashes = np.stack([_hash_turned(low, turns[:, choice]) for choice in range(2)], axis=1)
    return hashes, turns


def _hash_turned(low: NDArray[np.float32], turn: NDArray[np.uint8]) -> NDArray[np.uint64]:
    """Hash low frequencies (n, 8, 8) as they are once turned: odd ones change their sign."""
    odd = np.arange(SIDE) % 2 == 1
    is_mirrored, is_down, is_transposed = (
        (turn & bit > 0)[:, np.newaxis, np.newaxis]
        for bit in (_MIRRORED, _UPSIDE_DOWN, _TRANSPOSED)
    )
    turned = np.where(is_mirrored & odd, -low, low)
    turned = np.where(is_down & odd[:, np.newaxis], -turned, turned)
    turned = np.where(is_transposed, turned.transpose(0, 2, 1), turned).reshape(len(low), -1)
    bits = turned > np.median(turned, axis=1, keepdims=True)
    hashes: NDArray[np.uint64] = np.packbits(bits, axis=1).view(">u8")[:, 0].astype(np.uint64)
    return hashes


def turn_signatures(signatures: NDArray[np.uint8], turns: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the signatures (n, s) of photos that are mirrored, put upside down or transposed.

    Args:
        signatures: as `look_at_blocks` gives them.
        turns: (n,) 0 to 7: 1 is mirrored left to right, 2 upside down, 4 transposed, in this order.
    """
    turned = signatures.copy()
    start = 0
    for side in (LUMA_SIDE, CHROMA_SIDE, CHROMA_SIDE):
        end = start + side**2
        tiny = turned[:, start:end].reshape(-1, side, side)
        is_mirrored, is_down, is_transposed = (
            (turns & bit > 0)[:, np.newaxis, np.newaxis]
            for bit in (_MIRRORED, _UPSIDE_DOWN, _TRANSPOSED)
        )
        tiny = np.where(is_mirrored, tiny[:, :, ::-1], tiny)
        tiny = np.where(is_down, tiny[:, ::-1], tiny)
        tiny = np.where(is_transposed, tiny.transpose(0, 2, 1), tiny)
        turned[:, start:end] = tiny.reshape(-1, side**2)
        start = end
    return turned


def is_on_side(turns: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Whether each turn swaps width and height, (n,)."""
    return turns & _TRANSPOSED > 0
