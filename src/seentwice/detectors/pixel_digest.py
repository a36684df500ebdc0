"""Equal pictures among views, by a digest of their pixels."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from seentwice.bank.recipe import Recipe
from seentwice.detectors.descriptor import Rows
from seentwice.photos.pixel_digest import digest_image


class PixelDigestDescriptor:
    """The sha256 of a view's size and pixels: equal for equal pictures alone."""

    name = "pixel_digest"
    recipe = Recipe(name, (), (32,), "uint8")

    def look(self, image: Image.Image) -> NDArray[np.uint8]:
        """Return the digest, (32,)."""
        return np.frombuffer(digest_image(image), np.uint8)

    def finish(self, looks: NDArray[Any]) -> NDArray[Any]:
        """Return the digests (b, 32) as they are."""
        return looks


def pixel_column(rows: Rows) -> NDArray[np.uint64]:
    """Return the first 64 bits of each digest, (v,), by which equal pictures are found."""
    digests: NDArray[np.uint8] = rows[PixelDigestDescriptor.name]
    return np.ascontiguousarray(digests[:, :8]).view(np.uint64)[:, 0]
