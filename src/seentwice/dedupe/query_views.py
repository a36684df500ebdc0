"""A photo that is asked about: its hashes as it is, mirrored and turned by quarters."""

import hashlib
import os
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from seentwice.block_hashing import BlockLook, look_at_blocks
from seentwice.dedupe.looking import LARGEST_IN_MEMORY, Decoding, look_at_whole, open_regular
from seentwice.display import name_bytes
from seentwice.photos import PhotoError, decode_photo
from seentwice.photos.block_means import decode_block_means
from seentwice.photos.problems import find_problem, record_refusal
from seentwice.records import Reason, Unreadable


@dataclass(frozen=True, slots=True, eq=False)
class QueryViews:
    """What is looked for of a photo."""

    sha256: bytes  # of the file
    width: int  # px, upright
    height: int
    look: BlockLook  # as it is: what a table would keep of it
    hashes: NDArray[np.uint64]  # (v, h) as it is; then, if asked for, in its seven other views


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
    turns = tuple(Image.Transpose) if is_turned else ()
    if decoding == "blocks":
        blocks = decode_block_means(content, photo, max_pixels)
        small = Image.fromarray(blocks.means)
        look = look_at_blocks(blocks.means)
        turned = [look_at_blocks(np.asarray(small.transpose(turn))).hashes for turn in turns]
    else:
        whole = decode_photo(content, photo, max_pixels)
        blocks, hashes = look_at_whole(whole)
        look = replace(look_at_blocks(blocks.means), hashes=hashes)
        turned = [look_at_whole(whole.transpose(turn))[1] for turn in turns]
    return QueryViews(
        hashlib.sha256(content).digest(),
        blocks.width,
        blocks.height,
        look,
        np.array([look.hashes, *turned], np.uint64),
    )
