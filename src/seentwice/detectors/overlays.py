"""What was laid over a copy: where it differs from its photo in one compact place."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from seentwice.detectors.tones import Pixels

LEAST_DIFFERENCE = 20.0  # of a tone of 0 to 255
KEPT_DEVIATIONS = 5.0  # above which a difference is not the noise of the rest
JOINED_PX = 9  # letters that are nearer than this are one overlay
LEAST_AREA = 0.002  # of the photo
ACROSS = 0.5  # of the photo, by a box around several marks
BLANK_WHITE, BLANK_BLACK = 245.0, 10.0  # tones
PLACES = (
    ("top left", "top", "top right"),
    ("left", "the middle", "right"),
    ("bottom left", "bottom", "bottom right"),
)


@dataclass(frozen=True, slots=True)
class Overlay:
    """One or several marks on a copy."""

    area: float  # share of what the copy shows of the photo
    place: str  # one of `PLACES`
    is_across: bool  # several marks from side to side


def find_overlay(differs: NDArray[np.bool_], is_shown: NDArray[np.bool_]) -> Overlay | None:
    """Find where a copy shows something else than its photo; None where it does nowhere.

    Args:
        differs: (h, w), from `find_differences`.
        is_shown: (h, w), where the copy shows the photo.
    """
    import cv2

    joined = cv2.morphologyEx(
        differs.astype(np.uint8), cv2.MORPH_CLOSE, np.ones((JOINED_PX, JOINED_PX), np.uint8)
    )
    joined = cv2.morphologyEx(joined, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    joined[~is_shown] = 0
    _, _, parts, _ = cv2.connectedComponentsWithStats(joined, connectivity=8)
    shown = int(np.count_nonzero(is_shown))
    parts = parts[1:]
    parts = parts[parts[:, cv2.CC_STAT_AREA] >= max(9.0, LEAST_AREA * shown)]
    if not len(parts):
        return None
    largest = parts[:, cv2.CC_STAT_AREA].max()
    marks = parts[parts[:, cv2.CC_STAT_AREA] >= largest / 4]
    left, top = marks[:, cv2.CC_STAT_LEFT].min(), marks[:, cv2.CC_STAT_TOP].min()
    right = (marks[:, cv2.CC_STAT_LEFT] + marks[:, cv2.CC_STAT_WIDTH]).max()
    bottom = (marks[:, cv2.CC_STAT_TOP] + marks[:, cv2.CC_STAT_HEIGHT]).max()
    rows, columns = np.nonzero(is_shown)
    across = _third_of((left + right) / 2, columns.min(), columns.max() + 1)
    down = _third_of((top + bottom) / 2, rows.min(), rows.max() + 1)
    box = (right - left) * (bottom - top) / shown
    return Overlay(
        area=float(marks[:, cv2.CC_STAT_AREA].sum() / shown),
        place=PLACES[down][across],
        is_across=len(marks) > 1 and box >= ACROSS,
    )


def find_differences(
    expected: Pixels, copy: Pixels, is_shown: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """Say of each pixel (h, w) whether it differs by more than noise and a shift of one pixel.

    Args:
        expected: (h, w, 3), the photo in the frame and the tones of the copy.
        copy: (h, w, 3).
        is_shown: (h, w), where the copy shows the photo.
    """
    import cv2

    near = np.ones((3, 3), np.uint8)
    own, other = cv2.blur(expected, (3, 3)), cv2.blur(copy, (3, 3))
    far = np.maximum(other - cv2.dilate(own, near), cv2.erode(own, near) - other).max(axis=2)
    noise = 1.4826 * float(np.median(np.abs(other - own)[is_shown]))
    differs: NDArray[np.bool_] = (far > max(LEAST_DIFFERENCE, KEPT_DEVIATIONS * noise)) & is_shown
    return differs


def find_blank_corners(copy: Pixels) -> NDArray[np.bool_]:
    """Find the white or black corners, (h, w), that a turn opens in a copy (h, w, 3)."""
    import cv2

    blank = np.zeros(copy.shape[:2], np.uint8)
    for is_blank in (copy.min(axis=2) >= BLANK_WHITE, copy.max(axis=2) <= BLANK_BLACK):
        plane = is_blank.astype(np.uint8)
        for x, y in ((0, 0), (-1, 0), (0, -1), (-1, -1)):
            if plane[y, x]:
                at = (x % copy.shape[1], y % copy.shape[0])
                cv2.floodFill(plane, None, at, 2)
        blank |= (plane == 2).astype(np.uint8)
    # The turn blends the pixels of the seam.
    wide: NDArray[np.bool_] = cv2.dilate(blank, np.ones((7, 7), np.uint8)).astype(bool)
    return wide


def name_overlay(overlay: Overlay | None) -> list[str]:
    """Name an overlay by its place and size, nothing where there is none."""
    if overlay is None:
        return []
    if overlay.is_across:
        return ["watermark across the photo"]
    return [f"overlay at {overlay.place}, {max(1, round(100 * overlay.area))} % of the photo"]


def _third_of(value: float, start: float, end: float) -> int:
    """Return in which third, 0 to 2, of a range a value lies."""
    return min(2, int(3 * (value - start) / max(1.0, end - start)))
