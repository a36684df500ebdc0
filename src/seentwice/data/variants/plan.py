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


def variant_of(key: str, number: int, settings: VariantSettings) -> Variant:
    """Return the photo itself (number 0) or the copy by the edit of that number, from 1.

    The file is `<folders of the photo>/<its stem>_<digest of its key>_<number>`: to `data=folder`
    all variants of a photo, and no others, are one place, in the photo's own room type and split.
    What could harm a name is "-"; the digest tells apart what is then alike.

    Args:
        key: the photo's path below its root, with forward slashes.
        number: from 0 to the number of edits.
        settings: which edits, and how their copies are saved.
    """
    path = PurePosixPath(key)
    digest = hashlib.sha256(key.encode("utf-8", "surrogateescape")).hexdigest()[:_DIGEST_LENGTH]
    folders = (_escape(part, " _") for part in path.parts[:-1])
    stem = f"{_escape(path.stem, '')}_{digest}_{number}"
    if number == 0:
        return Variant("/".join((*folders, stem + path.suffix.lower())), "")
    (edit,) = draw_edits(key, settings.edits[number - 1 : number], settings.seed)
    return Variant("/".join((*folders, stem + FORMATS[settings.format])), edit)


def variants_of(key: str, settings: VariantSettings) -> tuple[Variant, ...]:
    """Return all variants of a photo, itself first."""
    return tuple(variant_of(key, number, settings) for number in range(settings.versions))


def _escape(part: str, allowed: str) -> str:
    """Return letters and digits as they are, and "-" for what is neither, nor allowed.

    Without dots no folder is hidden, and none takes the name of a table.
    """
    kept = "".join(char if char.isalnum() or char in allowed else "-" for char in part)
    return kept[:_LONGEST_PART].strip() or "-"
