"""The photos of a folder, each content once."""

import hashlib
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from seentwice.data.source import Progress
from seentwice.photos import find_photos
from seentwice.records import Unreadable


@dataclass(frozen=True, slots=True)
class UniquePhotos:
    """What a folder holds; keys are paths below it with forward slashes, in their order."""

    root: Path
    keys: tuple[str, ...]
    repeated: tuple[tuple[str, str], ...]  # a file, and the photo before it with the same bytes
    unreadable: tuple[Unreadable, ...]  # files that could not even be looked at
    fingerprint: str  # sha256 of keys and sizes: tells when photos came, went or changed


def find_unique(root: Path, on_progress: Progress) -> UniquePhotos:
    """Find the photos below a folder, and set those aside whose bytes came before.

    Only files of one size are read, since others cannot be the same. What is returned holds the
    names alone: about 70 bytes a photo beside the letters of its key; while the folder is walked,
    `find_photos` takes 450 bytes a photo for its paths.

    Args:
        root: the folder; see `find_photos`.
        on_progress: told of every file that is read.

    Raises:
        UserError: no such folder, or no photo in it.
    """
    files, unreadable = find_photos(root)
    keys = [file.relative_to(root).as_posix() for file in files]
    del files
    sizes = np.fromiter((_size_of(root, key) for key in keys), np.int64, len(keys))
    whole = hashlib.sha256()
    for key, size in zip(keys, sizes, strict=True):
        whole.update(repr((key, int(size))).encode("utf-8", "surrogateescape"))
    first = _find_first(root, keys, sizes, on_progress)
    is_first = first == np.arange(len(keys))
    return UniquePhotos(
        root,
        tuple(key for key, is_kept in zip(keys, is_first, strict=True) if is_kept),
        tuple((keys[again], keys[first[again]]) for again in np.flatnonzero(~is_first)),
        tuple(unreadable),
        whole.hexdigest(),
    )


def _find_first(
    root: Path, keys: list[str], sizes: NDArray[np.int64], on_progress: Progress
) -> NDArray[np.int64]:
    """Return for each file the number of the first that has its bytes: (n,)."""
    first = np.arange(len(keys))
    _, group, count = np.unique(sizes, return_inverse=True, return_counts=True)
    # Empty files are no photos; whoever decodes them will list each.
    to_read = np.flatnonzero((count[group] > 1) & (sizes > 0))
    to_read = to_read[np.argsort(sizes[to_read], kind="stable")]
    done = 0
    # Size by size, so that memory holds the digests of one size.
    for _, numbers in groupby(to_read.tolist(), sizes.__getitem__):
        first_with: dict[bytes, int] = {}
        for number in numbers:
            digest = _digest(root, keys[number])
            if digest is not None:
                first[number] = first_with.setdefault(digest, number)
            done += 1
            on_progress(done, len(to_read))
    return first


def _size_of(root: Path, key: str) -> int:
    try:
        return (root / key).stat().st_size
    except OSError:  # gone since it was found; whoever decodes it will list it
        return 0


def _digest(root: Path, key: str) -> bytes | None:
    try:
        with (root / key).open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").digest()
    except OSError:  # likewise
        return None
