"""The photos of a folder, each content once."""

import hashlib
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

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

    Only files of one size are read, since others cannot be the same.

    Args:
        root: the folder; see `find_photos`.
        on_progress: told of every file that is read.

    Raises:
        UserError: no such folder, or no photo in it.
    """
    files, unreadable = find_photos(root)
    sizes = [_size_of(file) for file in files]
    # Empty files are no photos; whoever decodes them will list each.
    common = {size for size, count in Counter(sizes).items() if count > 1 and size > 0}
    to_read = sum(size in common for size in sizes)
    first_with: dict[bytes, str] = {}
    keys, repeated = [], []
    whole = hashlib.sha256()
    done = 0
    for file, size in zip(files, sizes, strict=True):
        key = file.relative_to(root).as_posix()
        whole.update(repr((key, size)).encode("utf-8", "surrogateescape"))
        first = key
        if size in common:
            digest = _digest(file)
            first = key if digest is None else first_with.setdefault(digest, key)
            done += 1
            on_progress(done, to_read)
        if first == key:
            keys.append(key)
        else:
            repeated.append((key, first))
    return UniquePhotos(root, tuple(keys), tuple(repeated), tuple(unreadable), whole.hexdigest())


def _size_of(file: Path) -> int:
    try:
        return file.stat().st_size
    except OSError:  # gone since it was found; whoever decodes it will list it
        return 0


def _digest(file: Path) -> bytes | None:
    try:
        with file.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").digest()
    except OSError:  # likewise
        return None
