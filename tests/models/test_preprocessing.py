import numpy as np
import pytest
import torch
from plain_stages import embed_looks

from seentwice.models.backbones import build_trunk
from seentwice.models.preprocessing import IMAGENET_MEAN, IMAGENET_STD, Preprocessing

SLOW = {
    "usual": lambda value, mean, std: (value / 255 - mean) / std,
    # SameSpace: mean and deviation of numbers in [0, 1], on pixels in [0, 255]
    "samespace": lambda value, mean, std: (value - mean) / std / 255,
}


@pytest.mark.parametrize("normalisation", sorted(SLOW))
def test_photos_are_normalised_channel_by_channel(normalisation):
    looks = np.random.default_rng(0).integers(256, size=(2, 3, 4, 5), dtype=np.uint8)
    chosen = Preprocessing(4, 5, IMAGENET_MEAN, IMAGENET_STD, normalisation)
    expected = np.empty(looks.shape)
    for index, value in np.ndenumerate(looks):
        channel = index[1]
        expected[index] = SLOW[normalisation](
            float(value), IMAGENET_MEAN[channel], IMAGENET_STD[channel]
        )
    found = chosen.normalise(torch.from_numpy(looks))
    assert found.numpy() == pytest.approx(expected, abs=1e-6)


def test_a_trunk_has_the_normalisation_that_it_is_built_with():
    looks = torch.randint(256, (2, 3, 72, 96), dtype=torch.uint8)
    features = []
    for normalisation in SLOW:
        trunk = build_trunk("mobilenet_v3_small", "none", "average", 0, "eval", 0, normalisation)
        assert trunk.preprocessing.normalisation == normalisation
        features.append(embed_looks(trunk.frozen, trunk.preprocessing, looks))
    assert not torch.allclose(*features)
