"""Whether the name that a copy was given says what was done to it; for benchmarks/named_edits.py.

A name is right where nothing is missing in it and nothing besides: turned by as much (within a
degree), cropped to as much (within five points of the photo's area), scaled by as much (within a
twentieth, where the whole photo has one scale), mirrored or not, an overlay where it is, the tones
as they were changed, the frame of its kind.
"""

import re
from math import prod

import numpy as np
from PIL import Image

from seentwice.detectors.overlays import PLACES
from seentwice.edits import Edit, apply_edit, parse_edit
from seentwice.edits.degradation import Blur, Noise
from seentwice.edits.frames import Border, Collage, Screenshot
from seentwice.edits.geometry import Crop, HFlip, Perspective, Resize, Rotate
from seentwice.edits.overlays import Caption, Logo, Sticker, Watermark
from seentwice.edits.tone import Brightness, Cast, Contrast, Grey

DEGREES, POINTS, SCALE_SHARE = 1.0, 5.0, 0.05
NEAR_THIRD = 0.08  # of a side: so near to where a third ends, both thirds are right
OVERLAYS = (Watermark, Logo, Caption, Sticker)
_WORDS = {
    "mirrored": "mirrored",
    "seen from one side": "perspective",
    "stretched": "stretched",
    "in a border": "border",
    "bar at top and bottom": "screenshot",
    "bar at": "other bar",
    "inside a larger picture": "collage",
    "watermark across": "across",
    "turned by": "quarter turn",
    "grey": "grey",
    "brighter": "brighter",
    "darker": "darker",
    "harder contrast": "harder",
    "flatter contrast": "flatter",
    "warmer colours": "warmer",
    "colder colours": "colder",
    "tinted": "tinted",
    "blurred": "blurred",
    "noise": "noise",
}
"""How a name's parts begin, and what they say."""


def is_named_rightly(named: str, text: str, size: tuple[int, int]) -> bool:
    """Say whether a name is right.

    Args:
        named: as `explain_copy` gives it.
        text: of the edits that made the copy.
        size: of the photo.
    """
    edits = [parse_edit(part) for part in text.split("|")]
    scale = _find_number(r"scaled to (\d+) %", named, 100.0) / 100
    is_even = not any(isinstance(edit, Perspective) for edit in edits)
    has_scale = abs(scale / _true_scale(edits) - 1) <= SCALE_SHARE
    cropped = _find_number(r"cropped to (\d+) %", named, 100.0)
    return (
        _said_words(named) == _true_words(edits)
        and abs(_said_turn(named) - _true_turn(edits)) <= DEGREES
        and abs(cropped - _true_share(edits, size)) <= POINTS
        and (has_scale or not is_even)
        and _has_place(named, edits, size)
    )


def _said_words(named: str) -> set[str]:
    parts = named.split(", ")
    begun = (next((start for start in _WORDS if part.startswith(start)), None) for part in parts)
    return {_WORDS[start] for start in begun if start is not None}


def _true_words(edits: list[Edit]) -> set[str]:
    words = set()
    for edit in edits:
        match edit:
            case HFlip():
                words.add("mirrored")
            case Brightness():
                words.add("brighter" if edit.factor > 1 else "darker")
            case Contrast():
                words.add("harder" if edit.factor > 1 else "flatter")
            case Cast():
                words.add("warmer" if edit.warmth > 0 else "colder")
            case Blur():
                words.add("blurred")
            case Perspective() | Border() | Screenshot() | Collage() | Grey() | Noise():
                words.add(edit.name)
    return words


def _said_turn(named: str) -> float:
    degrees = _find_number(r"rotated ([\d.]+)° to the left", named, 0.0)
    return degrees - _find_number(r"rotated ([\d.]+)° to the right", named, 0.0)


def _true_turn(edits: list[Edit]) -> float:
    return sum(edit.degrees for edit in edits if isinstance(edit, Rotate))


def _true_scale(edits: list[Edit]) -> float:
    crops = [1 / edit.keep for edit in edits if isinstance(edit, Crop)]
    sizes = [edit.scale for edit in edits if isinstance(edit, Resize)]
    return prod([*crops, *sizes, *(edit.width for edit in edits if isinstance(edit, Collage))])


def _true_share(edits: list[Edit], size: tuple[int, int]) -> float:
    """Return how many percent of a photo its copy shows, by what is left of a red one."""
    if any(isinstance(edit, Perspective) for edit in edits):
        return 100.0  # it shrinks what it turns, to keep all of it
    red = Image.new("RGB", size, "red")
    for edit in edits:
        if not isinstance(edit, (*OVERLAYS, Brightness, Contrast, Cast, Grey, Noise)):
            red = edit.apply(red)
    channels = np.asarray(red, np.int64)
    shown = (channels[..., 0] > 200) & (channels[..., 1:] < 60).all(axis=2)
    return float(100 * shown.sum() / _true_scale(edits) ** 2 / (size[0] * size[1]))


def _has_place(named: str, edits: list[Edit], size: tuple[int, int]) -> bool:
    """Say whether the overlay is named where it is, and none where there is none."""
    said = re.search(r"overlay at ([a-z ]+),", named)
    middle = _true_middle(edits, size)
    if said is None or middle is None:
        return said is None and middle is None
    thirds = [
        {min(2, max(0, int(3 * (side + by)))) for by in (-NEAR_THIRD, 0, NEAR_THIRD)}
        for side in middle
    ]
    return said[1] in {PLACES[down][across] for across in thirds[0] for down in thirds[1]}


def _true_middle(edits: list[Edit], size: tuple[int, int]) -> tuple[float, float] | None:
    """Return the middle of the overlay in the copy, in shares of its sides; None without one."""
    for edit in edits:
        if isinstance(edit, OVERLAYS):
            plain = Image.new("RGB", size, (128, 128, 128))
            changed = (np.asarray(apply_edit(plain, str(edit))) != 128).any(axis=2)
            rows, columns = (np.flatnonzero(changed.any(axis=axis)) for axis in (1, 0))
            return (
                float(columns[0] + columns[-1] + 1) / 2 / size[0],
                float(rows[0] + rows[-1] + 1) / 2 / size[1],
            )
        size = edit.resized(size)
    return None


def _find_number(pattern: str, named: str, otherwise: float) -> float:
    found = re.search(pattern, named)
    return float(found[1]) if found else otherwise
