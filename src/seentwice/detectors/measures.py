"""What a photo measures, from the same decoding as everything else."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from seentwice.bank.recipe import Recipe

FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF", "HEIF")
"""What `seentwice.photos.read_photo` decodes."""


class MeasureDescriptor:
    """Width and height in pixels, and the format of the file."""

    name = "measures"
    recipe = Recipe(name, (("formats", ",".join(FORMATS)),), (3,), "int64")

    def look(self, image: Image.Image) -> NDArray[np.int64]:
        """Return width, height and index into `FORMATS`, -1 for an edited view: (3,)."""
        kind = FORMATS.index(image.format) if image.format else -1
        return np.array([image.width, image.height, kind])

    def finish(self, looks: NDArray[Any]) -> NDArray[Any]:
        """Return the measures (b, 3) as they are."""
        return looks
