"""A photo that is asked about: its hashes as it is, mirrored and turned by quarters."""

import hashlib
import os
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from PIL import Image

from seentwice.block_hashing import BlockLook, look_at_blocks
from seentwice.dedupe.looking import LARGEST_IN_MEMORY, Decoding, look_at_whole, open_regular
from seentwice.display import name_bytes
from seentwice.photos import PhotoError, decode_photo
from seentwice.photos.block_means import decode_block_means
from seentwice.photos.problems import find_problem, record_refusal
from seentwice.records import Reason, Unreadable

_TURNS = (None, *Image.Transpose)


@dataclass(frozen=True, slots=True)
class QueryViews:
    """What is looked for of a photo."""

    sha256: bytes  # of the file
    width: int  # px, upright
    height: int
    looks: tuple[BlockLook, ...]  # as it is; then, if asked for, in its seven other orientations
    is_on_side: tuple[bool, ...]  # whether width and height are swapped there


def look_at_query(photo: Path, decoding: Decoding, max_pixels: int, is_turned: bool) -> QueryViews:
    """Read a photo, decode it once, and hash it in every orientation.

    Args:
        photo: a file.
        decoding: that of the index which is asked.
        max_pixels: a photo with more is not decoded.
        is_turned: whether it is looked for mirrored and turned, too.

    Raises:
        PhotoError: the file gives no photo; see `Reason`.
    """
    problem = find_problem(photo)
    if problem is not None:
        raise PhotoError(problem)
    try:
        with open_regular(photo) as file:
            size = os.fstat(file.fileno()).st_size
            if size > LARGEST_IN_MEMORY:
                detail = f"{name_bytes(size)}, more than {name_bytes(LARGEST_IN_MEMORY)}"
                raise PhotoError(Unreadable(photo, Reason.TOO_MANY_BYTES, detail))
            content = file.read(size)
    except OSError as error:
        raise PhotoError(record_refusal(photo, error)) from error
    turns = _TURNS if is_turned else _TURNS[:1]
    if decoding == "blocks":
        blocks = decode_block_means(content, photo, max_pixels)
        width, height = blocks.width, blocks.height
        small = Image.fromarray(blocks.means)
        looks = [look_at_blocks(np.asarray(_turn(small, turn))) for turn in turns]
    else:
        whole = decode_photo(content, photo, max_pixels)
        width, height = whole.size
        looks = [_look_at_turned(_turn(whole, turn)) for turn in turns]
    return QueryViews(
        hashlib.sha256(content).digest(),
        width,
        height,
        tuple(looks),
        tuple(turn in _ON_SIDE for turn in turns),
    )


_ON_SIDE = (
    Image.Transpose.ROTATE_90,
    Image.Transpose.ROTATE_270,
    Image.Transpose.TRANSPOSE,
    Image.Transpose.TRANSVERSE,
)


def _turn(image: Image.Image, turn: Image.Transpose | None) -> Image.Image:
    return image if turn is None else image.transpose(turn)


def _look_at_turned(whole: Image.Image) -> BlockLook:
    blocks, hashes = look_at_whole(whole)
    return replace(look_at_blocks(blocks.means), hashes=hashes)
