"""What tells one set of photos from another: the sha256 of all that is known of them."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from seentwice.commands.progress import show_progress
from seentwice.data.source import PhotoSet
from seentwice.files import digest_file


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """What tells a data set from others, and each of its photos from other files."""

    text: str  # sha256 of all labels and files: other labels or photos, another text
    files: tuple[bytes, ...]  # sha256 of each photo's file, in their order


def fingerprint_photos(photo_set: PhotoSet, console: Console) -> Fingerprint:
    """Read every file once and return the fingerprint of the data set."""
    photos = photo_set.photos
    digests = digest_files([photo.path for photo in photos], "Fingerprinting photos", console)
    whole = hashlib.sha256()
    for photo, digest in zip(photos, digests, strict=True):
        labels = (photo.place, photo.property, photo.room_type, photo.zone, photo.split, photo.city)
        # The text of a tuple quotes its parts, so no two records give the same bytes.
        known = (photo.key, labels, photo.tags) if photo.tags else (photo.key, labels)
        whole.update(repr(known).encode("utf-8", "surrogateescape") + digest)
    return Fingerprint(whole.hexdigest(), digests)


def digest_name(digest: bytes) -> str:
    """Return the first 64 bits of a digest in hexadecimal: enough to tell a million files apart."""
    return digest[:8].hex()


def digest_files(files: Sequence[Path], what: str, console: Console) -> tuple[bytes, ...]:
    """Return the sha256 of each file's bytes, or why it has none, under a progress bar."""
    digests = []
    with show_progress(what, console) as progress:
        for done, file in enumerate(files, 1):
            digests.append(_digest(file))
            progress(done, len(files))
    return tuple(digests)


def _digest(file: Path) -> bytes:
    try:
        return digest_file(file)
    except OSError as error:
        return str(error.strerror).encode()
