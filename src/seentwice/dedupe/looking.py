"""What the table of photos keeps of a file: read once, decoded once, hashed by every hash."""

import hashlib
import os
import stat
from collections.abc import Sequence
from dataclasses import dataclass, replace
from io import BufferedReader
from pathlib import Path
from typing import Literal

import numpy as np

from seentwice.block_hashing import (
    BLOCK_HASHES,
    SIGNATURE_BYTES,
    BlockLook,
    look_at_blocks,
)
from seentwice.index.photo_row import PhotoRow, StoreMeta
from seentwice.photos import PhotoError, decode_photo
from seentwice.photos.block_means import block_side, decode_block_means
from seentwice.photos.problems import record_refusal
from seentwice.records import Reason, Unreadable

Decoding = Literal["blocks", "full"]
"""How photos are decoded to be hashed: to the means of their blocks, or whole as for imagehash."""

_LARGEST_IN_MEMORY = 1 << 28  # bytes; larger photos are read twice
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


def look_at_files(looking: Looking, keys: Sequence[str]) -> list[PhotoRow]:
    """Return the rows of files; each is told to the disk before the first is read."""
    for key in keys:
        _read_ahead(looking.root / key)
    return [look_at_file(looking, key) for key in keys]


def look_at_file(looking: Looking, key: str) -> PhotoRow:
    """Return the row of a file; one that gives no photo says why, and none is ever raised."""
    path = looking.root / key
    for _ in range(_ATTEMPTS):
        try:
            with open_regular(path) as file:
                before = os.fstat(file.fileno())
                row = _look(looking, key, path, file, before)
                after = os.fstat(file.fileno())
        except OSError as error:
            return make_problem_row(key, looking, None, b"", record_refusal(path, error))
        except PhotoError as error:
            return make_problem_row(key, looking, None, b"", error.unreadable)
        if (before.st_size, before.st_mtime_ns) == (after.st_size, after.st_mtime_ns):
            return row
    problem = Unreadable(path, Reason.CHANGED, "let its writer finish, and run again")
    return make_problem_row(key, looking, None, b"", problem)


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
        os.posix_fadvise(descriptor, 0, _LARGEST_IN_MEMORY, os.POSIX_FADV_WILLNEED)
    except OSError:  # no file of a disk
        pass
    finally:
        os.close(descriptor)


def _look(
    looking: Looking, key: str, path: Path, file: BufferedReader, status: os.stat_result
) -> PhotoRow:
    is_large = status.st_size > _LARGEST_IN_MEMORY
    digest = b""
    try:
        # A large file is hashed once it gave a photo: a sparse one may have terabytes.
        content: bytes | BufferedReader = file
        if not is_large:
            content = file.read(status.st_size)  # Python allocates as much as it is asked for
            digest = hashlib.sha256(content).digest()
        width, height, look = _see(looking, path, content)
    except PhotoError as error:
        return make_problem_row(key, looking, status, digest, error.unreadable)
    except MemoryError:
        problem = Unreadable(path, Reason.TOO_LARGE, "the memory did not suffice to decode it")
        return make_problem_row(key, looking, status, digest, problem)
    if is_large:
        file.seek(0)
        digest = hashlib.file_digest(file, "sha256").digest()
    return PhotoRow(
        key=key,
        size_bytes=status.st_size,
        modified_ns=status.st_mtime_ns,
        inode=status.st_ino,
        sha256=digest,
        width=width,
        height=height,
        hashes=look.hashes,
        decoding=looking.decoding,
        signature=look.signature,
        has_content=look.has_content,
        reason="",
        detail="",
    )


def _see(
    looking: Looking, path: Path, content: bytes | BufferedReader
) -> tuple[int, int, BlockLook]:
    """Decode a photo; return its width, its height and what is kept of its pixels."""
    if looking.decoding == "blocks":
        blocks = decode_block_means(content, path, looking.max_pixels)
        return blocks.width, blocks.height, look_at_blocks(blocks.means)
    from seentwice.hashing import hash_photo  # brings SciPy, which nothing else here needs

    photo = decode_photo(content, path, looking.max_pixels)
    side = block_side(*photo.size)
    look = look_at_blocks(np.asarray(photo.reduce(side) if side > 1 else photo))
    first, second = hash_photo(photo, BLOCK_HASHES).tolist()
    return photo.width, photo.height, replace(look, hashes=(first, second))


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
