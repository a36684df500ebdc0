"""What a backbone sees in a view: its pixels, its features, and their zero-shot cosine."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from seentwice.data.pairs import PairTable
from seentwice.detectors.describe import Rows
from seentwice.detectors.similarity import blockwise
from seentwice.models.backbones import Preprocessing, Trunk, embed_looks


class PixelDescriptor:
    """The input of a trunk that trains: uint8 RGB, (3, h, w) a view."""

    name = "pixels"

    def __init__(self, preprocessing: Preprocessing) -> None:
        self.preprocessing = preprocessing

    def look(self, image: Image.Image) -> NDArray[np.uint8]:
        """Return the photo at the trunk's input size."""
        return self.preprocessing.look(image)

    def finish(self, looks: NDArray[Any]) -> NDArray[Any]:
        """Return the pixels as they are."""
        return looks


class TrunkDescriptor:
    """The features of a frozen trunk, (d,) float32 a view."""

    name = "trunk"

    def __init__(self, trunk: Trunk) -> None:
        self.trunk = trunk

    def look(self, image: Image.Image) -> NDArray[np.uint8]:
        """Return the photo at the trunk's input size."""
        return self.trunk.preprocessing.look(image)

    def finish(self, looks: NDArray[Any]) -> NDArray[Any]:
        """Pass the photos through the trunk: (b, d)."""
        return embed_looks(self.trunk, looks)


def describe_input(trunk: Trunk, trunk_trains: bool) -> PixelDescriptor | TrunkDescriptor:
    """Return what a net takes of a view: pixels where its trunk trains, features where not."""
    return PixelDescriptor(trunk.preprocessing) if trunk_trains else TrunkDescriptor(trunk)


def cosine_similarity(pairs: PairTable, rows: Rows) -> NDArray[np.float64]:
    """Return the cosine of the two feature vectors, -1 to 1: (n,)."""
    return blockwise(
        pairs, unit_rows(rows[TrunkDescriptor.name]), lambda left, right: (left * right).sum(axis=1)
    )


def unit_rows(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    """Scale each row (v, d) to length 1; a row of zeros stays zero."""
    length = np.linalg.norm(rows, axis=1, keepdims=True)
    unit: NDArray[np.float32] = rows / np.maximum(length, np.finfo(np.float32).tiny)
    return unit
