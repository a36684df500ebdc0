"""Local features: where the corners and blobs of a photo are, and what each looks like.

OpenCV finds them; it is of the extra `opencv`, and any package that has `cv2` will do.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from seentwice.bank.recipe import Recipe
from seentwice.errors import UserError

if TYPE_CHECKING:
    import cv2

MOST = 500  # keypoints of a view, the strongest
LONGEST_PX = 512  # side to which a view is scaled down; it is never scaled up
SHORTEST_PX = 32  # ORB fails on a few pixels, and either finds next to nothing in so few
POSITION = np.dtype("<u2")
POSITION_BYTES = 2 * POSITION.itemsize  # x and y
STEPS = 64  # a pixel of the scaled view, in which positions are kept
CODE = "1"  # counts our changes of what a row holds


@dataclass(frozen=True, slots=True, eq=False)
class LocalFeature:
    """One kind of local feature, and how two of them compare."""

    bytes: int  # of a descriptor as it is kept
    open_detector: Callable[[], "cv2.Feature2D"]
    pack: Callable[[NDArray[Any]], NDArray[np.uint8]]  # OpenCV's descriptors (k, d) to (k, bytes)
    # (k, bytes) to whole numbers (k, d), whose squared distances are whole and below 2²⁴: float32
    # then computes them without rounding, on every machine alike.
    unpack: Callable[[NDArray[np.uint8]], NDArray[np.float32]]
    squared_ratio: float  # how much nearer than the next one, squared, a match must be


class KeypointDescriptor:
    """The strongest keypoints of a view: position and descriptor of each, then zeros."""

    def __init__(self, name: str) -> None:
        """Choose a kind.

        Args:
            name: a key of `LOCAL_FEATURES`.

        Raises:
            UserError: OpenCV is not installed.
        """
        try:
            import cv2
        except ImportError as error:
            raise UserError(
                f"baselines: {name} needs OpenCV: pip install 'seentwice[opencv]'"
            ) from error
        self.name = name
        self.feature = LOCAL_FEATURES[name]
        parts = (("opencv", cv2.__version__), ("longest_px", str(LONGEST_PX)), ("code", CODE))
        self.recipe = Recipe(name, parts, (MOST, POSITION_BYTES + self.feature.bytes), "uint8")

    def look(self, image: Image.Image) -> NDArray[np.uint8]:
        """Return the keypoints, the strongest first: (500, 4 + bytes of a descriptor)."""
        import cv2

        cv2.setNumThreads(1)  # the threads that decode have a photo each
        row = np.zeros(self.recipe.shape, np.uint8)
        grey = _shrink(image)
        if min(grey.shape) < SHORTEST_PX:
            return row
        points, descriptors = self.feature.open_detector().detectAndCompute(grey, None)
        if not points:
            return row
        packed = self.feature.pack(descriptors)
        ranks = [(-point.response, *point.pt, point.angle) for point in points]
        # A descriptor of zeros alone would be taken for none.
        found = np.flatnonzero(packed.any(axis=1)).tolist()
        kept = sorted(found, key=ranks.__getitem__)[:MOST]
        at = np.array([points[number].pt for number in kept]).reshape(-1, 2)
        row[: len(kept), :POSITION_BYTES] = np.rint(at * STEPS).astype(POSITION).view(np.uint8)
        row[: len(kept), POSITION_BYTES:] = packed[kept]
        return row

    def finish(self, looks: NDArray[Any]) -> NDArray[Any]:
        """Return the keypoints (b, 500, 4 + bytes) as they are."""
        return looks


def split_row(row: NDArray[np.uint8]) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
    """Return the positions (k, 2) in pixels and the descriptors (k, bytes) of one view's row."""
    kept = row[: np.count_nonzero(row[:, POSITION_BYTES:].any(axis=1))]
    at = np.ascontiguousarray(kept[:, :POSITION_BYTES]).view(POSITION)
    return at.astype(np.float32) / np.float32(STEPS), kept[:, POSITION_BYTES:]


def shrink_size(size: tuple[int, int], longest_px: int) -> tuple[int, int]:
    """Return width and height of a view whose longest side is at most `longest_px`."""
    scale = longest_px / max(size)
    if scale >= 1:
        return size
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))


def _shrink(image: Image.Image) -> NDArray[np.uint8]:
    """Return a view in grey, (h, w), its longest side at most `LONGEST_PX`."""
    grey = image.convert("L")
    size = shrink_size(image.size, LONGEST_PX)
    if size != image.size:
        # What shrinks to less than half is averaged before, which is faster.
        grey = grey.resize(size, Image.Resampling.LANCZOS, reducing_gap=2.0)
    return np.asarray(grey)


def _open_sift() -> "cv2.Feature2D":
    import cv2

    return cv2.SIFT.create(nfeatures=MOST)


def _open_orb() -> "cv2.Feature2D":
    import cv2

    return cv2.ORB.create(nfeatures=MOST)


def _to_roots(descriptors: NDArray[Any]) -> NDArray[np.uint8]:
    """Turn SIFT (k, 128) into RootSIFT of length 512, so that few values would be above 255."""
    shares = descriptors / np.maximum(descriptors.sum(axis=1, keepdims=True), 1)
    roots: NDArray[np.uint8] = np.minimum(np.rint(512 * np.sqrt(shares)), 255).astype(np.uint8)
    return roots


def _keep_bytes(descriptors: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return descriptors


def _to_floats(packed: NDArray[np.uint8]) -> NDArray[np.float32]:
    return packed.astype(np.float32)


def _to_bits(packed: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return the bits as 0 and 1: their squared distance is how many differ."""
    return np.unpackbits(packed, axis=1).astype(np.float32)


RATIO = 0.8
"""A match must be nearer than this share of the next one's distance (Lowe 2004, section 7.1)."""

LOCAL_FEATURES: Mapping[str, LocalFeature] = {
    # Lowe 2004, "Distinctive image features from scale-invariant keypoints", with the square root
    # of Arandjelović & Zisserman 2012, "Three things everyone should know to improve object
    # retrieval".
    "sift": LocalFeature(128, _open_sift, _to_roots, _to_floats, RATIO**2),
    # Rublee et al. 2011, "ORB: an efficient alternative to SIFT or SURF". Its distance is that of
    # Hamming, which the squared distance of bits is already.
    "orb": LocalFeature(32, _open_orb, _keep_bytes, _to_bits, RATIO),
}
