"""Polygons in a picture: where a homography puts them, how large they are, what part is seen."""

import numpy as np
from numpy.typing import NDArray

from seentwice.edits.protocol import Size

Matrix = NDArray[np.float64]
"""(3, 3), a projection of one plane onto another."""
Polygon = NDArray[np.float64]
"""(k, 2) corners, x and y in pixels from the upper left corner of the upper left pixel."""


def list_corners(size: Size) -> Polygon:
    """Return the corners (4, 2) of a photo, clockwise."""
    width, height = size
    return np.array([(0, 0), (width, 0), (width, height), (0, height)], np.float64)


def project(matrix: Matrix, points: Polygon) -> Polygon:
    """Return where a homography puts some points (k, 2)."""
    flat = points @ matrix[:, :2].T + matrix[:, 2]
    projected: Polygon = flat[:, :2] / flat[:, 2:]
    return projected


def clip_polygon(polygon: Polygon, size: Size) -> Polygon:
    """Return the part (k, 2) of a convex polygon that lies in a picture; k = 0 for none.

    Sutherland & Hodgman 1974, "Reentrant polygon clipping". OpenCV's own is wrong where sides lie
    nearly upon each other, as those of a photo and its copy do.
    """
    for axis, sign, bound in ((0, 1, 0), (0, -1, -size[0]), (1, 1, 0), (1, -1, -size[1])):
        inside = sign * polygon[:, axis] - bound
        kept = []
        for start, end, here, there in zip(
            polygon, np.roll(polygon, -1, axis=0), inside, np.roll(inside, -1), strict=True
        ):
            if here >= 0:
                kept.append(start)
            if here * there < 0:
                kept.append(start + (end - start) * (here / (here - there)))
        polygon = np.array(kept, np.float64).reshape(-1, 2)
    return polygon


def measure_area(polygon: Polygon) -> float:
    """Return the area of a polygon (k, 2), negative where its corners go round the other way."""
    x, y = polygon.T
    return float((x * np.roll(y, -1) - y * np.roll(x, -1)).sum() / 2)


def measure_span(shown: Polygon, axis: int, at: float) -> tuple[float, float]:
    """Return from where to where along an axis a polygon reaches on the line `at` of the other."""
    from_line, ends = shown[:, 1 - axis] - at, np.roll(shown, -1, axis=0)
    to_line = ends[:, 1 - axis] - at
    is_crossed = (from_line <= 0) != (to_line <= 0)
    if not is_crossed.any():
        return float(shown[:, axis].min()), float(shown[:, axis].max())
    part = from_line[is_crossed] / (from_line - to_line)[is_crossed]
    met = shown[is_crossed, axis] + part * (ends - shown)[is_crossed, axis]
    return float(met.min()), float(met.max())
