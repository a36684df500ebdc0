"""Files that appear whole or not at all, and what tells one from another."""

import errno
import hashlib
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from seentwice.display import show_text
from seentwice.errors import UserError


class UnwritableError(UserError, OSError):
    """A file that cannot be written, in one line that names its folder and what to do."""


_FULL = (errno.ENOSPC, errno.EDQUOT)


@contextmanager
def open_atomically(path: Path) -> Iterator[BinaryIO]:
    """A new file that takes its name only once the block has ended without an error.

    It is written beside its destination, since a rename is atomic only within a file system, and
    reaches the disk before the rename, so that a power cut leaves the old file or the new one.

    Args:
        path: The destination, in a folder that exists; what it held is replaced.

    Raises:
        UnwritableError: The folder is missing or cannot be written, the disk is full, or the
            destination is a folder. It is untouched, as after every error of the block.
    """
    # Not `tempfile`: its files are readable by their owner alone, and would stay so when renamed.
    temporary = path.with_name(f".{secrets.token_hex(8)}.partial")
    with _explain_errors(path):
        file = temporary.open("xb")
    try:
        with file:
            yield file
            with _explain_errors(path):
                file.flush()
                os.fsync(file.fileno())
        with _explain_errors(path):
            temporary.replace(path)
    except BaseException as error:
        with _explain_errors(path):
            temporary.unlink(missing_ok=True)
        if isinstance(error, OSError) and error.errno in _FULL:  # of a write in the block
            raise _explain(path, error) from error
        raise


def write_atomically(path: Path, data: bytes | str) -> None:
    r"""Write a whole file at once; text is written as UTF-8 with "\n" for line ends.

    Bytes of file names that are not UTF-8 (kept by Python as lone surrogates) are written as
    they were.

    Raises:
        UnwritableError: See `open_atomically`.
    """
    content = data if isinstance(data, bytes) else data.encode("utf-8", "surrogateescape")
    with open_atomically(path) as file:
        file.write(content)


def sync_folder(folder: Path) -> None:
    """Bring names of files that were made or replaced there to the disk.

    Raises:
        UnwritableError: it cannot be opened, or the disk fails.
    """
    with _explain_errors(folder):
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def digest_file(path: Path) -> bytes:
    """Return the sha256 of a file's bytes.

    Raises:
        OSError: The file is missing or cannot be read.
    """
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").digest()


@contextmanager
def _explain_errors(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise _explain(path, error) from error


def _explain(path: Path, error: OSError) -> UnwritableError:
    remedies = {
        errno.ENOENT: "make that folder",
        errno.EISDIR: "a folder has its name: rename that one",
        **dict.fromkeys(_FULL, "make room there and try again"),
    }
    remedy = remedies.get(error.errno or 0, "let your account write there, or choose another")
    return UnwritableError(
        f"{path.name!r} cannot be written in {show_text(str(path.parent.absolute()))} "
        f"({error.strerror or error}); {remedy}"
    )
