"""Files that appear whole or not at all, and what tells one from another."""

import hashlib
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO


@contextmanager
def open_atomically(path: Path) -> Iterator[BinaryIO]:
    """A new file that takes its name only once the block has ended without an error.

    It is written beside its destination, since a rename is atomic only within a file system, and
    reaches the disk before the rename, so that a power cut leaves the old file or the new one.

    Args:
        path: The destination, in a folder that exists; what it held is replaced.

    Raises:
        OSError: If the folder is missing or cannot be written; the destination is untouched.
    """
    # Not `tempfile`: its files are readable by their owner alone, and would stay so when renamed.
    temporary = path.with_name(f".{secrets.token_hex(8)}.partial")
    try:
        with temporary.open("xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def write_atomically(path: Path, data: bytes | str) -> None:
    r"""Write a whole file at once; text is written as UTF-8 with "\n" for line ends.

    Bytes of file names that are not UTF-8 (kept by Python as lone surrogates) are written as
    they were.

    Raises:
        OSError: If the folder is missing or cannot be written; the destination is untouched.
    """
    content = data if isinstance(data, bytes) else data.encode("utf-8", "surrogateescape")
    with open_atomically(path) as file:
        file.write(content)


def digest_file(path: Path) -> bytes:
    """Return the sha256 of a file's bytes.

    Raises:
        OSError: If the file is missing or cannot be read.
    """
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").digest()
