import re
from functools import partial

import pytest
import torch
from safetensors.torch import save_file
from torch import nn
from torchvision import models

from seentwice.errors import UserError
from seentwice.models import torchvision_networks
from seentwice.models.backbones import build_trunk, find_backbone
from seentwice.models.preprocessing import IMAGENET_224
from seentwice.models.torchvision_networks import find_torchvision
from seentwice.models.trunk import fingerprint_frozen, freeze


@pytest.mark.parametrize(
    ("name", "size", "height_px", "mean"),
    [
        ("resnet18", 512, 224, (0.485, 0.456, 0.406)),
        ("inception_v3", 2048, 299, (0.5, 0.5, 0.5)),
        ("efficientnet_v2_l", 1280, 480, (0.5, 0.5, 0.5)),
        ("regnet_y_400mf", 440, 224, (0.485, 0.456, 0.406)),
        ("swin_v2_t", 768, 256, (0.485, 0.456, 0.406)),
        ("vit_h_14", 1280, 518, (0.485, 0.456, 0.406)),
        ("vgg11", 4096, 224, (0.485, 0.456, 0.406)),
        ("maxvit_t", 512, 224, (0.485, 0.456, 0.406)),
    ],
)
def test_a_networks_features_are_counted_and_its_preset_is_read(name, size, height_px, mean):
    entry = find_backbone(f"torchvision/{name}")
    assert entry.feature_size == size
    assert (entry.preprocessing.height_px, entry.preprocessing.width_px) == (height_px, height_px)
    assert entry.preprocessing.mean == mean
    assert entry.imagenet is models.get_model_weights(name).DEFAULT


def test_looking_a_network_up_leaves_torchs_own_seed_alone():
    before = torch.get_rng_state()
    find_torchvision.__wrapped__("regnet_x_400mf")
    find_torchvision.__wrapped__("resnet18")
    assert torch.equal(torch.get_rng_state(), before)


def test_a_trunk_remembers_its_library_and_network():
    trunk = build_trunk("torchvision/shufflenet_v2_x0_5", "none", "gem", 1, "eval", seed=0)
    assert trunk.backbone == "torchvision/shufflenet_v2_x0_5"
    assert (trunk.feature_size, len(trunk.frozen)) == (1024, 5)
    again = build_trunk(trunk.backbone, "none", "gem", 1, "eval", seed=0)
    assert fingerprint_frozen(again) == fingerprint_frozen(trunk)


def test_a_network_of_one_block_trains_whole_or_not_and_pools_in_its_own_way():
    name = "torchvision/maxvit_t"
    trunk = build_trunk(name, "none", "average", "all", "eval", seed=0)
    assert (trunk.cut, len(trunk.trained)) == (0, 1)
    with pytest.raises(UserError, match="trained_blocks=2: choose 0 to 1"):
        freeze(trunk.stages, 2, "eval")
    with pytest.raises(UserError, match="pooling=gem: torchvision/maxvit_t pools in its own way"):
        build_trunk(name, "none", "gem", 0, "eval", seed=0)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("resnet5", "'resnet5' is no network of torchvision's: choose one .* such as resnet50"),
        ("ResNet50", "no network of torchvision's: choose one"),
        ("zzzz", "such as resnet50, convnext_tiny$"),
        ("fasterrcnn_resnet50_fpn", "is a network for detection: choose one for classification"),
        ("fcn_resnet50", "is a network for segmentation: .* such as .*resnet50"),
        ("swin3d_t", "is a network for video: .* such as swin_t"),
        ("quantized_resnet50", "is a network for quantization: .* such as .*resnet50"),
        ("raft_small", "is a network for optical flow: "),
    ],
)
def test_a_name_that_is_no_classification_network_names_near_ones(name, message):
    with pytest.raises(UserError, match=message) as raised:
        find_backbone(f"torchvision/{name}")
    assert "\n" not in str(raised.value)


def test_a_network_without_weights_has_imagenets_usual_input(monkeypatch):
    class Nothing:
        pass

    monkeypatch.setattr(torchvision_networks.models, "get_model_weights", lambda name: Nothing)
    entry = find_torchvision.__wrapped__("resnet18")
    assert entry.preprocessing == IMAGENET_224
    assert entry.imagenet is None


@pytest.mark.parametrize(
    ("backbone", "build", "classifier"),
    [
        ("googlenet", partial(models.googlenet, init_weights=False), "fc"),
        ("torchvision/mnasnet0_5", models.mnasnet0_5, "classifier"),
        ("torchvision/densenet121", models.densenet121, "classifier"),
    ],
)
def test_weights_are_read_under_the_names_that_were_published(
    tmp_path, backbone, build, classifier
):
    """With GoogLeNet's classifiers for training, DenseNet's dots, and without MNASNet's version."""
    network = build().eval()
    state = {
        re.sub(r"(denselayer\d+\.(?:norm|conv))", r"\1.", name): tensor
        for name, tensor in network.state_dict().items()
    }
    file = tmp_path / "weights.safetensors"
    save_file(state, file)
    trunk = build_trunk(backbone, str(file), "average", 0, "eval", seed=0)
    photos = torch.randn(2, 3, 64, 64)
    network.set_submodule(classifier, nn.Identity())
    with torch.no_grad():
        expected = network(photos)
        largest = expected.abs().max()
        torch.testing.assert_close(trunk.stages(photos) / largest, expected / largest)
        other = build_trunk(backbone, "none", "average", 0, "eval", seed=0).stages(photos)
        assert not torch.allclose(other / largest, expected / largest)
