"""Explains a copy: that it is the same photo, and what was done to it."""

from dataclasses import dataclass

import numpy as np
from PIL import Image

from seentwice.detectors.alignment import Shown, align_photos, is_same_photo
from seentwice.detectors.detail import name_detail
from seentwice.detectors.overlays import (
    find_blank_corners,
    find_differences,
    find_overlay,
    name_overlay,
)
from seentwice.detectors.placement import name_placement
from seentwice.detectors.tones import fit_tones, name_tones

PLAIN_DISTANCE = 24  # of tones from those of a plain ground
PLAIN_SHARE = 0.75
PLAIN_COLOURS = 2  # of bars, and of the corners that a turn opens


@dataclass(frozen=True, slots=True)
class Explained:
    """What geometry says of a photo and another one that may be its copy."""

    inliers: int  # local features that one homography explains
    is_verified: bool  # it is the same photo
    edit: str  # such as "cropped to 62 %, rotated 5.0° to the left"; "" where not verified


def explain_copy(left: Image.Image, right: Image.Image) -> Explained:
    """Say whether two photos are one, and what was done to it.

    They are where one homography that an edit can make explains at least `LEAST_INLIERS` local
    features, and where the pixels that it lays over each other agree: they do where the textured
    blocks, without the least alike 35 percent, have a correlation of at least `LEAST_AGREEMENT`.
    Strangers with one watermark, and most views of one wall, pass the first test and fail the
    second. An overlay is named where the two differ, whichever of them has it.

    Args:
        left: the photo that is kept, upright, RGB.
        right: the other one, upright, RGB.

    Raises:
        UserError: OpenCV is not installed.
    """
    aligned = align_photos(left, right)
    if not is_same_photo(aligned) or aligned.placement is None or aligned.shown is None:
        return Explained(aligned.inliers, False, "")
    names = ["mirrored"] if aligned.is_mirrored else []
    names += name_placement(aligned.placement, _is_plain_around(aligned.shown))
    names += _name_pixels(aligned.shown)
    return Explained(aligned.inliers, True, ", ".join(names) or "same frame")


def _name_pixels(shown: Shown) -> list[str]:
    """Name what was done to tones and detail, and what was laid over."""
    import cv2

    # Without fine detail, which a blurred copy lacks and one saved too small.
    smooth = [cv2.blur(pixels, (5, 5))[shown.is_shown] for pixels in (shown.photo, shown.copy)]
    tones = fit_tones(*(np.asarray(pixels, np.float32) for pixels in smooth))
    expected = tones.apply(shown.photo)
    differs = find_differences(expected, shown.copy, shown.is_shown)
    overlay = find_overlay(differs & ~find_blank_corners(shown.copy), shown.is_shown)
    detail = name_detail(expected, shown.copy, shown.is_shown & ~differs)
    return [*name_tones(tones), *detail, *name_overlay(overlay)]


def _is_plain_around(shown: Shown) -> bool:
    """Say whether most of what surrounds the photo has one or two colours."""
    around = shown.copy[shown.is_around]
    plain = 0
    rest = around
    for _ in range(PLAIN_COLOURS):
        if not len(rest):
            break
        is_far = np.abs(rest - np.median(rest, axis=0)).max(axis=1) > PLAIN_DISTANCE
        plain += int(np.count_nonzero(~is_far))
        rest = rest[is_far]
    return plain >= PLAIN_SHARE * len(around)
