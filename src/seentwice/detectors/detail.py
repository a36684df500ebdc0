"""How much fine detail a copy has beside its photo: less where it is blurred, more by noise."""

import numpy as np
from numpy.typing import NDArray

from seentwice.detectors.tones import Pixels

LEAST_DETAIL = 1.0  # mean difference of tones: with less of it nothing can be blurred
NAMED_BLUR = 0.5  # of the photo's detail
NAMED_NOISE = (
    1.5  # tones by which the flattest places differ from pixel to pixel, and do not in the photo
)
FLATTEST = 20  # percent of the pixels
NEARBY_PX = 5


def name_detail(expected: Pixels, copy: Pixels, is_same: NDArray[np.bool_]) -> list[str]:
    """Name what was done to fine detail, nothing where there is as much of it.

    Args:
        expected: (h, w, 3), the photo in the frame and the tones of the copy.
        copy: (h, w, 3).
        is_same: (h, w), where the copy shows the photo and nothing over it.
    """
    if not is_same.any():
        return []
    before, after = (_measure_detail(pixels)[is_same] for pixels in (expected, copy))
    added = _measure_detail(copy - expected)[is_same]
    is_flat = before <= np.percentile(before, FLATTEST)
    if added[is_flat].mean() >= NAMED_NOISE:
        return ["noise"]
    is_blurred = before.mean() >= LEAST_DETAIL and after.mean() < NAMED_BLUR * before.mean()
    return ["blurred"] if is_blurred else []


def _measure_detail(pixels: Pixels) -> NDArray[np.float32]:
    """Return how much each pixel's surroundings (h, w) differ from pixel to pixel, in tones."""
    import cv2

    around = np.abs(pixels - cv2.blur(pixels, (3, 3))).mean(axis=2)
    detail: NDArray[np.float32] = cv2.blur(around, (NEARBY_PX, NEARBY_PX)).astype(np.float32)
    return detail
