import warnings
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image

from seentwice.models.backbones import build_trunk
from seentwice.models.engines import Passing
from seentwice.models.preprocessing import IMAGENET_224

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    pytest.importorskip("imagededup", reason="needs imagededup: pip install imagededup")
    from imagededup.methods import CNN, PHash
    from imagededup.utils import CustomModel
    from imagededup.utils.models import MobilenetV3

from imagededup_rows import CnnDescriptor, PhashDescriptor


@pytest.fixture
def photo():
    pixels = np.random.default_rng(0).integers(256, size=(12, 16, 3), dtype=np.uint8)
    return Image.fromarray(pixels).resize((320, 240), Image.Resampling.BICUBIC)


def test_rows_are_what_its_cnn_encodes(photo):
    trunk = build_trunk("mobilenet_v2", "none", "average", 0, "eval", seed=0)
    descriptor = CnnDescriptor(trunk, Passing())
    peer = CNN(
        verbose=False,
        model_config=CustomModel("mobilenet_v2", trunk.stages, MobilenetV3.transform),
    )

    row = descriptor.finish(descriptor.look(photo)[np.newaxis])

    with torch.inference_mode():
        expected = peer.encode_image(image_array=np.asarray(photo))
    assert row.shape == expected.shape == (1, 1280)
    scale = np.abs(expected).max()
    assert row / scale == pytest.approx(expected / scale, abs=1e-3)


def test_its_rows_are_kept_apart_from_those_of_the_trunk(photo):
    trunk = build_trunk("mobilenet_v2", "none", "average", 0, "eval", seed=0)

    recipe = CnnDescriptor(trunk, Passing()).recipe

    assert recipe.name == "imagededup_cnn"
    assert ("preprocessing", repr(IMAGENET_224)) in recipe.parts
    assert dict(recipe.parts)["imagededup"]
    assert replace(recipe, name="trunk") != recipe


def test_hashes_are_its_own(photo):
    descriptor = PhashDescriptor()

    row = descriptor.finish(descriptor.look(photo)[np.newaxis])

    assert f"{int(row[0, 0]):016x}" == PHash(verbose=False).encode_image(
        image_array=np.asarray(photo)
    )
