"""Perceptual hashes as detectors: near hashes, same place."""

from importlib.metadata import version
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from seentwice.bank.recipe import Recipe
from seentwice.data.pairs import PairTable
from seentwice.detectors.descriptor import Rows
from seentwice.detectors.similarity import Similarity
from seentwice.errors import UserError
from seentwice.hamming import hamming_bits
from seentwice.hashing import HASHES, hash_photo

HASHING = tuple((name, version(name)) for name in ("imagehash", "numpy", "scipy", "PyWavelets"))
"""What decides a hash besides the pixels."""


class HashDescriptor:
    """All perceptual hashes of a view, one column each."""

    name = "hashes"
    recipe = Recipe(name, HASHING, (len(HASHES),), "uint64")

    def look(self, image: Image.Image) -> NDArray[np.uint64]:
        """Return one uint64 a hash, (4,), in the order of `HASHES`."""
        return hash_photo(image, tuple(HASHES))

    def finish(self, looks: NDArray[Any]) -> NDArray[Any]:
        """Return the hashes (b, 4) as they are."""
        return looks


class SquareWaveletDescriptor:
    """The wavelet hash of a view scaled to 256 x 256 px, as SameSpace computes it."""

    name = "square_wavelet"
    recipe = Recipe(name, HASHING, (1,), "uint64")

    def look(self, image: Image.Image) -> NDArray[np.uint64]:
        """Return the hash, (1,)."""
        return hash_photo(image.resize((256, 256)), ("wavelet",))

    def finish(self, looks: NDArray[Any]) -> NDArray[Any]:
        """Return the hashes (b, 1) as they are."""
        return looks


def hash_column(rows: Rows, name: str) -> NDArray[np.uint64]:
    """Return one hash of every view, (v,).

    Raises:
        UserError: no such hash; the message lists the valid names.
    """
    if name not in HASHES:
        raise UserError(f"hash {name!r}: choose one of {', '.join(HASHES)}")
    column: NDArray[np.uint64] = rows[HashDescriptor.name][:, list(HASHES).index(name)]
    return column


def hash_similarity(name: str) -> Similarity:
    """Return minus the Hamming distance of one hash, in bits, as a similarity."""

    def similarity(pairs: PairTable, rows: Rows) -> NDArray[np.float64]:
        hashes = hash_column(rows, name)
        return -hamming_bits(hashes[pairs.left], hashes[pairs.right]).astype(np.float64)

    return similarity
