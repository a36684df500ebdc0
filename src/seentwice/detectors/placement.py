"""Where a photo lies in its copy: turned, cut, scaled, framed, seen from one side."""

from dataclasses import dataclass
from math import atan2, degrees

import numpy as np
from numpy.typing import NDArray

from seentwice.detectors.polygons import (
    Matrix,
    Polygon,
    clip_polygon,
    list_corners,
    measure_area,
    measure_span,
    project,
)
from seentwice.edits.protocol import Size

LARGEST_PX = 1e6  # from the copy's corner to any of the photo: it looks along the plane
LARGEST_SCALE = 10.0  # of a side, either way; what is beyond it is no copy but a chance
MOST_STRETCH = 2.0  # how much more one direction may be scaled than the other
MOST_PERSPECTIVE = 2.5  # how much nearer one corner may be than another

QUARTER_TURNS = ("90° to the left", "180°", "90° to the right")
NAMED_TURN_DEGREES = 0.7
NAMED_SCALE = 0.02
NAMED_CUT = 0.02  # of the photo's area
NAMED_STRETCH = 0.04
NAMED_PERSPECTIVE = 1.08
NAMED_MARGIN = 0.012  # of the copy's side


@dataclass(frozen=True, slots=True)
class Placement:
    """A photo in the frame of its copy, as one homography puts it there."""

    turn_degrees: float  # -180 to 180, counter-clockwise
    scale: float  # of a side, in the middle of what is shown
    stretch: float  # at least 1: of the direction that is scaled most, beside the other
    perspective: float  # at least 1: how much nearer the nearest shown corner is than the farthest
    shown_share: float  # of the photo's area, in the copy
    filled_share: float  # of the copy's area, by the photo
    margins: tuple[float, float, float, float]  # left, top, right, bottom: shares of the copy free


def place_photo(matrix: Matrix, left: Size, right: Size) -> Placement | None:
    """Say how a homography puts a photo into its copy.

    Args:
        matrix: from the photo to the copy, in pixels from their corners.
        left: width and height of the photo in pixels.
        right: likewise, of the copy.

    Returns:
        None where no edit would put it there: folded, mirrored, out of sight, or scaled or
        stretched beyond measure.
    """
    corners = list_corners(left)
    if not np.isfinite(matrix).all():
        return None
    depth = _depth_of(matrix, corners)
    if depth.min() * depth.max() <= 0:
        return None
    outline = project(matrix, corners)
    if np.abs(outline).max() > LARGEST_PX or measure_area(outline) <= 0:
        return None
    shown = clip_polygon(outline, right)
    area = measure_area(shown)
    if area < 1:
        return None
    seen = project(np.asarray(np.linalg.inv(matrix), np.float64), shown)
    slope = _slope_at(matrix, _middle_of(seen, left))
    most, least = np.linalg.svd(slope, compute_uv=False).tolist()
    scale = (most * least) ** 0.5
    depth = np.abs(_depth_of(matrix, seen))
    placement = Placement(
        turn_degrees=degrees(atan2(slope[0, 1] - slope[1, 0], slope[0, 0] + slope[1, 1])),
        scale=scale,
        stretch=most / max(least, 1e-9),
        perspective=float(depth.max() / depth.min()),
        shown_share=min(1.0, measure_area(seen) / (left[0] * left[1])),
        filled_share=min(1.0, area / (right[0] * right[1])),
        margins=_margins_of(shown, right),
    )
    is_sane = (
        1 / LARGEST_SCALE <= scale <= LARGEST_SCALE
        and placement.stretch <= MOST_STRETCH
        and placement.perspective <= MOST_PERSPECTIVE
    )
    return placement if is_sane else None


def name_placement(placement: Placement, is_plain_around: bool) -> list[str]:
    """Name what was done to the geometry, nothing where the frame is the same.

    Args:
        placement: of the photo in its copy.
        is_plain_around: what the copy shows beside the photo has one colour, for the most part.
    """
    names = []
    if placement.shown_share < 1 - NAMED_CUT:
        names.append(f"cropped to {max(1, round(100 * placement.shown_share))} %")
    quarters = round(placement.turn_degrees / 90)
    rest = placement.turn_degrees - 90 * quarters
    if quarters % 4:
        names.append(f"turned by {QUARTER_TURNS[quarters % 4 - 1]}")
    if abs(rest) >= NAMED_TURN_DEGREES:
        names.append(f"rotated {abs(rest):.1f}° to the {'left' if rest > 0 else 'right'}")
    if placement.perspective >= NAMED_PERSPECTIVE:
        names.append("seen from one side")
    elif placement.stretch >= 1 + NAMED_STRETCH:
        names.append("stretched")
    if abs(placement.scale - 1) >= NAMED_SCALE:
        names.append(f"scaled to {max(1, round(100 * placement.scale))} %")
    if is_plain_around and placement.perspective >= NAMED_PERSPECTIVE:
        return names  # what is free around a print that is seen from one side needs no name
    return [*names, *_name_margins(placement, is_plain_around)]


def _name_margins(placement: Placement, is_plain_around: bool) -> list[str]:
    sides = [
        name
        for name, margin in zip(("left", "top", "right", "bottom"), placement.margins, strict=True)
        if margin >= NAMED_MARGIN
    ]
    if not sides:
        return []
    filled = f"{max(1, round(100 * placement.filled_share))} % of the picture"
    if not is_plain_around:
        return [f"inside a larger picture, {filled}"]
    if len(sides) == 4:
        return [f"in a border, {filled}"]
    return [f"bar at {' and '.join(sides)}, {filled}"]


def _depth_of(matrix: Matrix, points: Polygon) -> NDArray[np.float64]:
    """Return how far each of some points (k, 2) is from whoever looks at the copy, (k,)."""
    depth: NDArray[np.float64] = points @ matrix[2, :2] + matrix[2, 2]
    return depth


def _slope_at(matrix: Matrix, point: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the derivative (2, 2) of a homography at a point (2,)."""
    flat = matrix[:, :2] @ point + matrix[:, 2]
    slope: NDArray[np.float64] = (
        matrix[:2, :2] - np.outer(flat[:2] / flat[2], matrix[2, :2])
    ) / flat[2]
    return slope


def _middle_of(seen: Polygon, size: Size) -> NDArray[np.float64]:
    """Return the photo's middle where it is seen, else the middle (2,) of what is.

    In perspective a photo is turned in one place and not in another; its middle is what an edit
    leaves upright.
    """
    middle = np.array(size, np.float64) / 2
    after = np.roll(seen, -1, axis=0) - seen
    to = middle - seen
    is_seen = bool((after[:, 0] * to[:, 1] - after[:, 1] * to[:, 0] >= 0).all())
    return middle if is_seen else seen.mean(axis=0)


def _margins_of(shown: Polygon, size: Size) -> tuple[float, float, float, float]:
    """Return how far the photo is from the middle of each side.

    From there, since a turn alone frees corners. Where the photo lies wholly on one side of the
    middle, the distance is that from the side itself.
    """
    width, height = size
    across, down = (measure_span(shown, axis, size[1 - axis] / 2) for axis in (0, 1))
    return across[0] / width, down[0] / height, 1 - across[1] / width, 1 - down[1] / height
