"""What tells the pixels of one photo from all others, whatever file they came from."""

import hashlib
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from seentwice.bank.recipe import Recipe
from seentwice.detectors.descriptor import Rows


class PixelDigestDescriptor:
    """The sha256 of a view's size and pixels: equal for equal pictures alone."""

    name = "pixel_digest"
    recipe = Recipe(name, (), (32,), "uint8")

    def look(self, image: Image.Image) -> NDArray[np.uint8]:
        """Return the digest, (32,)."""
        digest = hashlib.sha256(f"{image.width} x {image.height}".encode())
        digest.update(image.tobytes())
        return np.frombuffer(digest.digest(), np.uint8)

    def finish(self, looks: NDArray[Any]) -> NDArray[Any]:
        """Return the digests (b, 32) as they are."""
        return looks


def pixel_column(rows: Rows) -> NDArray[np.uint64]:
    """Return the first 64 bits of each digest, (v,), by which equal pictures are found."""
    digests: NDArray[np.uint8] = rows[PixelDigestDescriptor.name]
    return np.ascontiguousarray(digests[:, :8]).view(np.uint64)[:, 0]
