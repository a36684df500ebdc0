"""Rows of a request as pairs of photos, and what is answered: what the served model speaks.

JSON carries no bytes, so a photo travels as base64. Paths are read below one folder that whoever
starts the server names, and nowhere else: otherwise whoever reaches its port could try all files.
"""

import base64
import binascii
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from seentwice.detectors.photo_scorer import PhotoInput, PhotoScorer, ScoredPair

CHECKPOINT = "checkpoint"
"""Name of a served model's file."""
SIDES = ("left", "right")
CONTENTS = SIDES
"""Columns of photos: base64, or in Python bytes."""
PATHS = ("left_path", "right_path")
"""Columns of paths below the folder of photos."""
ROOT_VARIABLE = "SEENTWICE_PHOTO_ROOT"
"""The environment variable that names the folder of photos; unset, no path is read."""
_WHITESPACE = str.maketrans("", "", " \t\r\n")  # of lines that encoders break


@dataclass(frozen=True, slots=True)
class _Refused:
    """Why a photo of a request is not looked at."""

    why: str


def answer_rows(
    scorer: PhotoScorer, rows: Sequence[Mapping[str, object]], root: Path | None
) -> list[ScoredPair]:
    """Score the pairs of a request.

    Args:
        scorer: of the checkpoint.
        rows: by column, see `CONTENTS` and `PATHS`; of each side one of both.
        root: the folder of photos, resolved; None reads no path.

    Returns:
        One answer a row; a photo that is not given, not allowed or not readable is its problem.
    """
    asked = [[_read_photo(row, side, root) for side in SIDES] for row in rows]
    sound = [
        (left, right)
        for left, right in asked
        if not isinstance(left, _Refused) and not isinstance(right, _Refused)
    ]
    scored = iter(scorer.score(sound))
    return [_refuse(pair) or next(scored) for pair in asked]


def _refuse(pair: Sequence[PhotoInput | _Refused]) -> ScoredPair | None:
    found = [
        f"{side}: {photo.why}"
        for side, photo in zip(SIDES, pair, strict=True)
        if isinstance(photo, _Refused)
    ]
    return ScoredPair(None, None, "; ".join(found)) if found else None


def _read_photo(row: Mapping[str, object], side: str, root: Path | None) -> PhotoInput | _Refused:
    content, path = row.get(side), row.get(f"{side}_path")
    # A column that other rows have is None here, or pandas' NaN.
    given = [value for value in (content, path) if isinstance(value, str | bytes) and value]
    if len(given) != 1:
        return _Refused(f"give {side} or {side}_path, one of them")
    (value,) = given
    if value is path:
        return _find_below(root, value)
    return value if isinstance(value, bytes) else _decode_base64(value)


def _decode_base64(text: str) -> bytes | _Refused:
    try:
        return base64.b64decode(text.translate(_WHITESPACE), validate=True)
    except (binascii.Error, ValueError):
        return _Refused("no base64 of a photo's bytes")


def _find_below(root: Path | None, text: str | bytes) -> Path | _Refused:
    """Return the file; whether there is one outside of the folder is not told."""
    if root is None:
        return _Refused(
            f"paths are not read here; give base64, or start the server with {ROOT_VARIABLE}=FOLDER"
        )
    outside = _Refused(f"not a path below {ROOT_VARIABLE}")
    if not isinstance(text, str) or "\0" in text:
        return outside
    try:
        path = (root / text).resolve()  # through links and ..
    except (OSError, RuntimeError, ValueError):
        return outside
    return path if path.is_relative_to(root) else outside
