"""How the tones of a copy follow from those of its photo: brighter, flatter, warmer, grey."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.float32]
"""(n, 3) or (h, w, 3), red, green and blue of 0 to 255."""

STEP = 8  # tones that are taken together
LEAST_PIXELS = 24  # of such tones
LEAST_RANGE = 24.0  # of tones: fewer fix no slope
DARKEST, LIGHTEST = 5, 250  # beyond them a tone may have been cut off
MIDDLE = 128.0
GREY_SPREAD, COLOUR_SPREAD = 2.5, 5.0  # between channels, on average: of none, of some colours

NAMED_SHIFT = 10.0  # of a middle grey
NAMED_SLOPE = 0.1
NAMED_CAST = 12.0  # between red and blue


@dataclass(frozen=True, slots=True, eq=False)
class Tones:
    """A line for each channel, from the tones of a photo to those of its copy."""

    slope: NDArray[np.float32]  # (3,)
    offset: NDArray[np.float32]  # (3,)
    lost_colours: bool  # the copy is grey, the photo is not

    def apply(self, pixels: Pixels) -> Pixels:
        """Return what the copy would show for some pixels of the photo."""
        if self.lost_colours:
            pixels = take_colours(pixels)
        expected: Pixels = np.clip(pixels * self.slope + self.offset, 0, 255)
        return expected


def fit_tones(left: Pixels, right: Pixels) -> Tones:
    """Fit the lines to pixels of one place, of which a minority may show something else.

    Args:
        left: (n, 3) of the photo.
        right: (n, 3) of the copy.
    """
    lost = spread_of(right) < GREY_SPREAD and spread_of(left) > COLOUR_SPREAD
    if lost:
        left = take_colours(left)
    lines = [_fit_line(left[:, channel], right[:, channel]) for channel in range(3)]
    slope, offset = np.array(lines, np.float32).T
    return Tones(slope, offset, lost)


def name_tones(tones: Tones) -> list[str]:
    """Name what was done to the tones, nothing where they are the same."""
    shift = MIDDLE * tones.slope + tones.offset - MIDDLE
    brighter = float(shift.mean())
    # A brighter photo has as much steeper lines; what they are steeper beyond that is contrast.
    contrast = float(tones.slope.mean()) / max(0.05, 1 + brighter / MIDDLE) - 1
    warmer, greener = float(shift[0] - shift[2]), float(2 * shift[1] - shift[0] - shift[2]) / 2
    names = ["grey"] if tones.lost_colours else []
    if abs(brighter) >= NAMED_SHIFT:
        names.append("brighter" if brighter > 0 else "darker")
    if abs(contrast) >= NAMED_SLOPE:
        names.append("harder contrast" if contrast > 0 else "flatter contrast")
    if abs(warmer) >= NAMED_CAST:
        names.append("warmer colours" if warmer > 0 else "colder colours")
    elif abs(greener) >= NAMED_CAST:
        names.append("tinted")
    return names


def take_colours(pixels: Pixels) -> Pixels:
    """Return the pixels in grey (ITU-R 601), as three channels."""
    grey = pixels @ np.array([0.299, 0.587, 0.114], np.float32)
    return np.repeat(grey[..., np.newaxis], 3, axis=-1)


def spread_of(pixels: Pixels) -> float:
    """Return how far the channels of (n, 3) pixels are apart on average; 0 for no pixel."""
    return float(np.ptp(pixels, axis=1).mean()) if len(pixels) else 0.0


def _fit_line(left: NDArray[np.float32], right: NDArray[np.float32]) -> tuple[float, float]:
    """Return slope and offset of the line through the medians of the copy for each tone.

    Medians, since they are right wherever most pixels of a tone are; lines between two of them by
    their weighted median (Theil 1950, Sen 1968), since an overlay may hide all pixels of a tone.
    Tones whose median is cut off tell nothing.
    """
    step = (left / STEP).astype(np.int64)
    order = np.argsort(step, kind="stable")
    left, right, step = left[order], right[order], step[order]
    starts = np.flatnonzero(np.diff(step, prepend=-1))
    parts = zip(np.split(left, starts[1:]), np.split(right, starts[1:]), strict=True)
    medians = [
        (float(np.median(own)), float(np.median(other)), len(own))
        for own, other in parts
        if len(own) >= LEAST_PIXELS
    ]
    known = np.array(medians, np.float64).reshape(-1, 3)
    known = known[((known[:, :2] > DARKEST) & (known[:, :2] < LIGHTEST)).all(axis=1)]
    if not len(known):
        return 1.0, 0.0
    own, other, count = known.T
    low, high = np.triu_indices(len(known), 1)
    apart = own[high] - own[low]
    slope = _weighted_median(other / own, count)
    if own[-1] - own[0] >= LEAST_RANGE:
        weight = np.minimum(count[low], count[high]) * apart
        slope = _weighted_median((other[high] - other[low]) / apart, weight)
    return slope, _weighted_median(other - slope * own, count)


def _weighted_median(values: NDArray[np.float64], weight: NDArray[np.float64]) -> float:
    order = np.argsort(values, kind="stable")
    reached = np.cumsum(weight[order])
    return float(values[order][np.searchsorted(reached, reached[-1] / 2)])
