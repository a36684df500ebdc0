"""What the table of photos keeps of a file: read once, decoded once, hashed by every hash."""

import hashlib
import os
import stat
from collections.abc import Sequence
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from seentwice.block_hashing import (
    BLOCK_HASHES,
    SIGNATURE_BYTES,
    look_at_blocks,
)
from seentwice.index.photo_row import PhotoRow, StoreMeta
from seentwice.photos import PhotoError, decode_photo
from seentwice.photos.block_means import BlockMeans, block_side, decode_block_means
from seentwice.photos.problems import record_refusal
from seentwice.records import Reason, Unreadable

Decoding = Literal["blocks", "full"]
"""How photos are decoded to be hashed: to the means of their blocks, or whole as for imagehash."""

OWN_BLOCKS = "own blocks"
"""The way of decoding of a row whose hashes come from the means that a JPEG itself holds."""

LARGEST_IN_MEMORY = 1 << 28  # bytes; larger photos are read twice
_ATTEMPTS = 2  # at a file that changes while it is read


@dataclass(frozen=True, slots=True)
class Looking:
    """How the files of a folder are looked at."""

    root: Path
    decoding: Decoding
    max_pixels: int

    @property
    def meta(self) -> StoreMeta:
        """What tells the table of such rows from others."""
        return StoreMeta(str(self.root), BLOCK_HASHES, self.decoding, SIGNATURE_BYTES)


@dataclass(frozen=True, slots=True, eq=False)
class _Decoded:
    """A file that gave a photo."""

    key: str
    status: os.stat_result
    sha256: bytes
    width: int  # px, upright
    height: int
    means: NDArray[np.uint8]  # (h, w, 3) of its blocks
    hashes: tuple[int, ...]  # of a photo that was decoded whole; else none yet
    way: str  # of decoding that hashes and tiny picture come from: `OWN_BLOCKS` or a `Decoding`


def look_at_files(looking: Looking, keys: Sequence[str]) -> list[PhotoRow]:
    """Return the rows of files; each is told to the disk before the first is read.

    All are decoded before the first is hashed: code and tables of either stay in the caches.
    """
    for key in keys:
        _read_ahead(looking.root / key)
    return [_finish(looking, decoded) for decoded in [_decode(looking, key) for key in keys]]


def look_at_file(looking: Looking, key: str) -> PhotoRow:
    """Return the row of a file; one that gives no photo says why, and none is ever raised."""
    return _finish(looking, _decode(looking, key))


def _decode(looking: Looking, key: str) -> _Decoded | PhotoRow:
    """Read and decode a file; return its row already where it gives no photo."""
    path = looking.root / key
    for _ in range(_ATTEMPTS):
        try:
            with open_regular(path) as file:
                before = os.fstat(file.fileno())
                found = _read(looking, key, path, file, before)
                after = os.fstat(file.fileno())
        except OSError as error:
            return make_problem_row(key, looking, None, b"", record_refusal(path, error))
        except PhotoError as error:
            return make_problem_row(key, looking, None, b"", error.unreadable)
        if (before.st_size, before.st_mtime_ns) == (after.st_size, after.st_mtime_ns):
            return found
    problem = Unreadable(path, Reason.CHANGED, "let its writer finish, and run again")
    return make_problem_row(key, looking, None, b"", problem)


def _finish(looking: Looking, decoded: _Decoded | PhotoRow) -> PhotoRow:
    """Hash a photo that was decoded."""
    if isinstance(decoded, PhotoRow):
        return decoded
    try:
        look = look_at_blocks(decoded.means)
    except MemoryError:
        problem = _tell_memory(looking.root / decoded.key)
        return make_problem_row(decoded.key, looking, decoded.status, decoded.sha256, problem)
    return PhotoRow(
        key=decoded.key,
        size_bytes=decoded.status.st_size,
        modified_ns=decoded.status.st_mtime_ns,
        inode=decoded.status.st_ino,
        sha256=decoded.sha256,
        width=decoded.width,
        height=decoded.height,
        hashes=decoded.hashes or look.hashes,
        decoding=decoded.way,
        signature=look.signature,
        has_content=look.has_content,
        reason="",
        detail="",
    )


def open_regular(path: Path) -> BufferedReader:
    """Open a regular file to be read.

    Raises:
        PhotoError: it is none by now; opened without waiting, since a FIFO would hang.
        OSError: it cannot be opened.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise PhotoError(Unreadable(path, Reason.NOT_A_FILE, "became another kind of file"))
    return os.fdopen(descriptor, "rb")


def _read_ahead(path: Path) -> None:
    """Let the kernel fetch a file, so that a slow disk works while processors do."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:  # told when it is read
        return
    try:
        os.posix_fadvise(descriptor, 0, LARGEST_IN_MEMORY, os.POSIX_FADV_WILLNEED)
    except OSError:  # no file of a disk
        pass
    finally:
        os.close(descriptor)


def _read(
    looking: Looking, key: str, path: Path, file: BufferedReader, status: os.stat_result
) -> _Decoded | PhotoRow:
    is_large = status.st_size > LARGEST_IN_MEMORY
    digest = b""
    try:
        # A large file is digested once it gave a photo: a sparse one may have terabytes.
        content: bytes | BufferedReader = file
        if not is_large:
            content = file.read(status.st_size)  # Python allocates as much as it is asked for
            digest = hashlib.sha256(content).digest()
        blocks, hashes = _see(looking, path, content)
    except PhotoError as error:
        return make_problem_row(key, looking, status, digest, error.unreadable)
    except MemoryError:
        return make_problem_row(key, looking, status, digest, _tell_memory(path))
    if is_large:
        file.seek(0)
        digest = hashlib.file_digest(file, "sha256").digest()
    way = OWN_BLOCKS if blocks.is_own else looking.decoding
    return _Decoded(key, status, digest, blocks.width, blocks.height, blocks.means, hashes, way)


def _tell_memory(path: Path) -> Unreadable:
    return Unreadable(path, Reason.TOO_LARGE, "the memory did not suffice to decode it")


def _see(
    looking: Looking, path: Path, content: bytes | BufferedReader
) -> tuple[BlockMeans, tuple[int, ...]]:
    """Decode a photo; return the means of its blocks, and its hashes where it was decoded whole."""
    if looking.decoding == "blocks":
        return decode_block_means(content, path, looking.max_pixels), ()
    return look_at_whole(decode_photo(content, path, looking.max_pixels))


def look_at_whole(photo: Image.Image) -> tuple[BlockMeans, tuple[int, ...]]:
    """Return the means of the blocks of a photo that was decoded whole, and imagehash's hashes."""
    from seentwice.hashing import hash_photo  # brings SciPy, which nothing else here needs

    side = block_side(*photo.size)
    means = np.asarray(photo.reduce(side) if side > 1 else photo)
    return BlockMeans(*photo.size, means, is_own=False), tuple(
        hash_photo(photo, BLOCK_HASHES).tolist()
    )


def make_problem_row(
    key: str, looking: Looking, status: os.stat_result | None, digest: bytes, problem: Unreadable
) -> PhotoRow:
    """Return the row of a file that gave no photo.

    Args:
        key: of the file.
        looking: how it was looked at.
        status: of the file when it was read; None where it could not be opened.
        digest: its sha256; empty where it was not read whole.
        problem: why.
    """
    return PhotoRow(
        key=key,
        size_bytes=status.st_size if status else 0,
        modified_ns=status.st_mtime_ns if status else 0,
        inode=status.st_ino if status else 0,
        sha256=digest,
        width=0,
        height=0,
        hashes=(),
        decoding=looking.decoding,
        signature=b"",
        has_content=False,
        reason=problem.reason.value,
        detail=problem.detail,
    )
