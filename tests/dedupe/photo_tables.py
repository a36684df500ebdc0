"""Tables of photos in memory, of drawn pictures or of chosen hashes."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from PIL import Image

from seentwice.block_hashing import SIGNATURE_BYTES, BlockLook, look_at_blocks
from seentwice.dedupe.pictures import PhotoTable


def make_table(photos: Sequence[Image.Image]) -> PhotoTable:
    """The table of photos named 000.png and so on, as if each were a file of its own."""
    looks = [look_at_blocks(np.asarray(photo)) for photo in photos]
    return fill_table(looks, [photo.size for photo in photos])


def fill_table(looks: Sequence[BlockLook], sizes: Sequence[tuple[int, int]]) -> PhotoTable:
    count = len(looks)
    signatures = np.frombuffer(b"".join(look.signature for look in looks), np.uint8)
    return PhotoTable(
        keys=pa.array([f"{number:03}.png".encode() for number in range(count)], pa.large_binary()),
        size_bytes=np.arange(count, dtype=np.int64) + 100,
        modified_ns=np.arange(count, dtype=np.int64)[::-1] + 1_000,
        sha256=np.arange(count, dtype=">u8").view(np.uint8).reshape(-1, 8).repeat(4, axis=1),
        width=np.array([width for width, _ in sizes], np.uint32),
        height=np.array([height for _, height in sizes], np.uint32),
        hashes=np.array([look.hashes for look in looks], np.uint64).reshape(-1, 2),
        signature=signatures.reshape(-1, SIGNATURE_BYTES),
        has_content=np.array([look.has_content for look in looks], bool),
        is_own=np.zeros(count, bool),
    )


def all_pairs(count: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    left, right = np.triu_indices(count, 1)
    return left, right
