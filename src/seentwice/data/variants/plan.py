"""Which files a photo becomes: a function of its key and the settings alone."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

from seentwice.edits import draw_edits

FORMATS: Mapping[str, str] = {"jpeg": ".jpg", "png": ".png"}
"""Extensions of edited copies: JPEG of quality 95 with whole colour, or PNG without loss."""

_LONGEST_PART = 50  # characters of at most 4 bytes; file systems take 255 bytes
_DIGEST_LENGTH = 20  # hexadecimal: two of a million photos agree with a chance of 10^-12


@dataclass(frozen=True, slots=True)
class VariantSettings:
    """What decides every file that is written."""

    seed: int
    edits: tuple[str, ...]  # names for `draw_edits`
    format: str  # of the edited copies: a key of `FORMATS`

    @property
    def versions(self) -> int:
        """Return the number of files a photo: itself and its copies."""
        return 1 + len(self.edits)


@dataclass(frozen=True, slots=True)
class Variant:
    """One file: a photo or an edited copy of it."""

    file: str  # path below the output folder, with forward slashes
    edit: str  # text form; "" is the photo itself


def files_of(key: str, settings: VariantSettings) -> tuple[str, ...]:
    """Return the files of a photo, itself first, as paths below the output folder.

    A file is `<folders of the photo>/<its stem>_<digest of its key>_<number>`: to `data=folder`
    all variants of a photo, and no others, are one place, in the photo's own room type and split.
    What could harm a name is "-"; the digest tells apart what is then alike.

    Args:
        key: the photo's path below its root, with forward slashes.
        settings: how many there are, and how the copies are saved.
    """
    path = PurePosixPath(key)
    digest = hashlib.sha256(key.encode("utf-8", "surrogateescape")).hexdigest()[:_DIGEST_LENGTH]
    folders = (_escape(part, " _") for part in path.parts[:-1])
    stem = "/".join((*folders, f"{_escape(path.stem, '')}_{digest}_"))
    copies = (f"{stem}{number}{FORMATS[settings.format]}" for number in range(1, settings.versions))
    return (f"{stem}0{path.suffix.lower()}", *copies)


def variants_of(key: str, settings: VariantSettings) -> tuple[Variant, ...]:
    """Return all variants of a photo, itself first."""
    edits = ("", *draw_edits(key, settings.edits, settings.seed))
    return tuple(map(Variant, files_of(key, settings), edits))


def _escape(part: str, allowed: str) -> str:
    """Return letters and digits as they are, and "-" for what is neither, nor allowed.

    Without dots no folder is hidden, and none takes the name of a table.
    """
    kept = "".join(char if char.isalnum() or char in allowed else "-" for char in part)
    return kept[:_LONGEST_PART].strip() or "-"
