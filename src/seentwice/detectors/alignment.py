"""Lays a photo over its copy by local features, and says how well their pixels agree."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from seentwice.detectors.keypoints import (
    LOCAL_FEATURES,
    LONGEST_PX,
    KeypointDescriptor,
    shrink_size,
)
from seentwice.detectors.placement import Placement, place_photo
from seentwice.detectors.polygons import Matrix
from seentwice.detectors.tones import Pixels, take_colours
from seentwice.detectors.verification import fit_homography
from seentwice.edits.protocol import Size

FEATURE = "sift"
# Chosen on half of the Houses-dataset (benchmarks/named_edits.py measures the other half): copies
# have at least 20 and 0.89 there; strangers up to 56, of a shared watermark, and then 0.1.
LEAST_INLIERS = 10
LEAST_AGREEMENT = 0.85
COMPARED_PX = 256  # longest side at which pixels are compared
LARGEST_PX = 1024  # longest side of a photo of which its copy shows a small part
BLOCK_PX = 16
LEAST_BLOCKS = 4
LEAST_TEXTURE = 3.0  # deviation of a block's greys: less is a wall whose noise agrees with nothing
DARKEST, LIGHTEST = 8.0, 247.0  # mean grey of a block of the copy: beyond, its tones are cut off
HIDDEN = 35  # percent of the textured blocks that an overlay may hide


@dataclass(frozen=True, slots=True, eq=False)
class Alignment:
    """A photo laid over its copy by its local features."""

    inliers: int
    agreement: float  # -1 to 1, of the pixels
    is_mirrored: bool
    placement: Placement | None  # None for one that no edit makes
    shown: "Shown | None"


@dataclass(frozen=True, slots=True, eq=False)
class Shown:
    """A photo in the frame of its copy."""

    photo: Pixels  # (h, w, 3)
    copy: Pixels  # (h, w, 3)
    is_shown: NDArray[np.bool_]  # (h, w), where the copy shows the photo
    is_around: NDArray[np.bool_]  # (h, w), where it certainly does not


def is_same_photo(aligned: Alignment) -> bool:
    """Say whether an alignment is more than chance or another view of one place makes."""
    return aligned.inliers >= LEAST_INLIERS and aligned.agreement >= LEAST_AGREEMENT


def align_photos(left: Image.Image, right: Image.Image) -> Alignment:
    """Lay a photo over its copy as it is, or mirrored where that fails.

    It fails, too, where a watermark that both have is all that agrees.

    Args:
        left: the photo, upright, RGB.
        right: its copy, upright, RGB.

    Raises:
        UserError: OpenCV is not installed.
    """
    descriptor = KeypointDescriptor(FEATURE)
    other = descriptor.look(right)
    plain = _align(descriptor, left, right, other, False)
    if is_same_photo(plain):
        return plain
    mirrored = _align(descriptor, ImageOps.mirror(left), right, other, True)
    return max(mirrored, plain, key=lambda each: (is_same_photo(each), each.inliers))


def _align(
    descriptor: KeypointDescriptor,
    left: Image.Image,
    right: Image.Image,
    other: NDArray[np.uint8],
    is_mirrored: bool,
) -> Alignment:
    """Lay a photo over its copy, whose row of local features is `other`."""
    found = fit_homography(descriptor.look(left), other, LOCAL_FEATURES[FEATURE])
    if found is None:
        return Alignment(0, 0.0, is_mirrored, None, None)
    to_photo = _scale_between(shrink_size(left.size, LONGEST_PX), left.size)
    to_copy = _scale_between(shrink_size(right.size, LONGEST_PX), right.size)
    matrix = to_copy @ _to_corners(found.matrix) @ np.linalg.inv(to_photo)
    placement = place_photo(matrix, left.size, right.size)
    if placement is None:
        return Alignment(found.inliers, 0.0, is_mirrored, None, None)
    shown = _show(left, right, matrix, placement.scale)
    return Alignment(found.inliers, measure_agreement(shown), is_mirrored, placement, shown)


def _show(left: Image.Image, right: Image.Image, matrix: Matrix, scale: float) -> Shown:
    """Bring a photo into the frame of its copy, both small.

    The photo is shrunk by averaging first, so that what moves it need not.
    """
    import cv2

    size = shrink_size(right.size, COMPARED_PX)
    wanted = max(left.size) * scale * size[0] / right.width
    own = shrink_size(left.size, min(LARGEST_PX, max(1, round(wanted))))
    photo = np.asarray(left.resize(own, Image.Resampling.BOX, reducing_gap=2.0), np.float32)
    copy = np.asarray(right.resize(size, Image.Resampling.BOX, reducing_gap=2.0), np.float32)
    small = _scale_between(right.size, size) @ matrix @ _scale_between(own, left.size)
    small = _to_centres(small)
    covered = cv2.warpPerspective(np.ones(photo.shape[:2], np.float32), small, size)
    around = np.ones((5, 5), np.uint8)
    moved = cv2.warpPerspective(photo, small, size, borderMode=cv2.BORDER_REPLICATE)
    return Shown(
        np.asarray(moved, np.float32),
        copy,
        cv2.erode((covered > 0.99).astype(np.uint8), around, borderValue=1).astype(bool),
        cv2.dilate((covered > 0).astype(np.uint8), around) == 0,
    )


def measure_agreement(shown: Shown) -> float:
    """Return what correlation most textured blocks of a photo and its copy reach, -1 to 1."""
    import cv2

    height, width = (side // BLOCK_PX * BLOCK_PX for side in shown.is_shown.shape)
    is_whole = _cut_blocks(shown.is_shown[:height, :width]).all(axis=1)
    photo, copy = (
        _cut_blocks(cv2.blur(take_colours(pixels)[..., 0], (3, 3))[:height, :width])[is_whole]
        for pixels in (shown.photo, shown.copy)
    )
    if not len(photo):
        return 0.0
    light = copy.mean(axis=1)
    is_textured = (photo.std(axis=1) >= LEAST_TEXTURE) & (light > DARKEST) & (light < LIGHTEST)
    if np.count_nonzero(is_textured) < LEAST_BLOCKS:
        return 0.0
    photo, copy = photo[is_textured], copy[is_textured]
    photo -= photo.mean(axis=1, keepdims=True)
    copy -= copy.mean(axis=1, keepdims=True)
    lengths = np.sqrt((photo**2).sum(axis=1) * (copy**2).sum(axis=1))
    correlation = (photo * copy).sum(axis=1) / np.maximum(lengths, 1e-6)
    return float(np.percentile(correlation, HIDDEN))


def _cut_blocks(plane: NDArray[np.generic]) -> NDArray[np.generic]:
    """Cut a plane (h, w), whole blocks each way, into its blocks (k, pixels of a block)."""
    height, width = plane.shape
    blocks = plane.reshape(height // BLOCK_PX, BLOCK_PX, width // BLOCK_PX, BLOCK_PX)
    return blocks.swapaxes(1, 2).reshape(-1, BLOCK_PX * BLOCK_PX)


def _scale_between(size: Size, other: Size) -> Matrix:
    return np.diag([other[0] / size[0], other[1] / size[1], 1.0])


def _to_corners(matrix: Matrix) -> Matrix:
    """Let a homography count from corners of pixels, not from centres as OpenCV does."""
    return _shift(0.5) @ matrix @ _shift(-0.5)


def _to_centres(matrix: Matrix) -> Matrix:
    """Let a homography count from centres of pixels, as OpenCV does."""
    return _shift(-0.5) @ matrix @ _shift(0.5)


def _shift(by: float) -> Matrix:
    return np.array([(1, 0, by), (0, 1, by), (0, 0, 1)], np.float64)
