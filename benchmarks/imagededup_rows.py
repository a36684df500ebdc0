"""imagededup's encodings of a view as rows of the bank: its CNN with our weights, and its hash.

    pip install imagededup

It is needed by benchmarks/copies.py alone, so it is no dependency of the package.
"""

from dataclasses import replace
from importlib.metadata import version
from typing import Any

import numpy as np
from copy_detectors import PEER_CNN, PEER_HASH
from numpy.typing import NDArray
from PIL import Image

from seentwice.bank.recipe import Recipe
from seentwice.detectors.trunk import TrunkDescriptor
from seentwice.models.engines import Passing
from seentwice.models.preprocessing import IMAGENET_224
from seentwice.models.trunk import Trunk

try:
    from imagededup.methods import PHash
    from imagededup.utils.models import MobilenetV3
except ImportError as error:
    raise SystemExit("needs imagededup: pip install imagededup") from error

PEER = (("imagededup", version("imagededup")), ("torchvision", version("torchvision")))


class CnnDescriptor(TrunkDescriptor):
    """What imagededup's CNN encodes of a view with the weights of one of our trunks.

    Its `CustomModel` takes any network; resizing, cropping and scaling of photos stay its own. The
    network passes an engine of ours, because that is faster: a test compares with its `CNN`.
    """

    name = PEER_CNN

    def __init__(self, trunk: Trunk, passing: Passing) -> None:
        """Take a trunk that ends at its average pooling, as its own networks do."""
        super().__init__(replace(trunk, preprocessing=IMAGENET_224), "float32", passing)
        self.name = CnnDescriptor.name
        parts = (*self.recipe.parts, *PEER[:1])
        self.recipe = replace(self.recipe, name=self.name, parts=parts)
        resize, crop, *_ = MobilenetV3.transform.transforms
        self.steps = resize, crop

    def look(self, image: Image.Image) -> NDArray[np.uint8]:
        """Return the photo as imagededup prepares it, (3, 224, 224)."""
        for step in self.steps:
            image = step(image)
        return np.ascontiguousarray(np.asarray(image, dtype=np.uint8).transpose(2, 0, 1))


class PhashDescriptor:
    """imagededup's perceptual hash of a view, the one that its documentation begins with."""

    name = PEER_HASH
    recipe = Recipe(name, PEER, (1,), "uint64")

    def __init__(self) -> None:
        self.hasher = PHash(verbose=False)

    def look(self, image: Image.Image) -> NDArray[np.uint64]:
        """Return the hash, (1,)."""
        text = self.hasher.encode_image(image_array=np.asarray(image))
        return np.array([int(text, 16)], dtype=np.uint64)

    def finish(self, looks: NDArray[Any]) -> NDArray[Any]:
        """Return the hashes (b, 1) as they are."""
        return looks
