"""The stages of each network against the network's own forward pass."""

import pytest
import torch
from torch import nn
from torchvision import models

from seentwice.models.backbones import BACKBONES
from seentwice.models.cuts import cut_by_family, cut_pool5
from seentwice.models.pooling import build_pooling

# A small one of each family, and the module that takes its features: its classifier, or the last
# layer of that. Blocks: an inverted residual, a group of residual blocks, an inception module ...
FAMILIES = {
    "alexnet": ("classifier.6", 7),
    "convnext_tiny": ("classifier.2", 8),
    "densenet121": ("classifier", 8),
    "efficientnet_b0": ("classifier", 9),
    "googlenet": ("fc", 12),
    "inception_v3": ("fc", 16),
    "maxvit_t": ("classifier.5", 1),
    "mnasnet0_5": ("classifier", 10),
    "mobilenet_v2": ("classifier", 19),
    "mobilenet_v3_large": ("classifier", 17),
    "mobilenet_v3_small": ("classifier", 13),
    "regnet_y_400mf": ("fc", 5),
    "resnet18": ("fc", 5),
    "resnet50": ("fc", 5),
    "shufflenet_v2_x0_5": ("fc", 5),
    "squeezenet1_1": ("classifier", 9),
    "swin_t": ("head", 8),
    "vgg11_bn": ("classifier.6", 10),
    "vit_b_32": ("heads.head", 1),
}
LARGE = {"alexnet", "maxvit_t", "vgg11_bn", "vit_b_32"}


def marked(names):
    return [pytest.param(n, marks=pytest.mark.slow) if n in LARGE else n for n in sorted(names)]


def build(name):
    torch.manual_seed(0)
    settings = {"aux_logits": False, "init_weights": False}
    return models.get_model(name, **(settings if name in ("googlenet", "inception_v3") else {}))


@torch.no_grad()
def show_photos(network, photos):
    """Let BatchNorm see photos: a fresh network's outputs are nearly zero in eval mode."""
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.momentum = None  # the mean of all batches
    network.train()
    for _ in range(2):
        network(photos)
    return network.eval()


@torch.no_grad()
def published_features(network, classifier, photos):
    """Run the network as it was published; return what its classifier took."""
    taken = []
    hook = network.get_submodule(classifier).register_forward_pre_hook(
        lambda module, inputs: taken.append(inputs[0])
    )
    network(photos)
    hook.remove()
    (features,) = taken
    return features.mean(dim=(2, 3)) if features.ndim == 4 else features


@pytest.mark.parametrize("name", marked(FAMILIES))
def test_the_features_are_what_the_published_classifier_takes(name):
    classifier, _ = FAMILIES[name]
    size = {"inception_v3": 96, "maxvit_t": 224, "vit_b_32": 224}.get(name, 64)
    photos = torch.randn(4, 3, size, size) * torch.arange(1, 5).view(4, 1, 1, 1)
    network = show_photos(build(name), photos)
    expected = published_features(network, classifier, photos)
    largest = expected.abs().max()
    assert expected.std(dim=0).max() > 0.01 * largest  # else any photo's would do
    stages = nn.Sequential(*cut_by_family(network, build_pooling("average")))
    with torch.no_grad():
        torch.testing.assert_close(stages(photos) / largest, expected / largest)


@pytest.mark.parametrize("name", sorted(FAMILIES))
def test_a_block_is_a_unit_of_the_network(name):
    with torch.device("meta") if name != "regnet_y_400mf" else torch.device("cpu"):
        stages = cut_by_family(build(name), build_pooling("average"))
    blocks = [stage for stage in stages if any(True for _ in stage.parameters())]
    assert len(blocks) == FAMILIES[name][1]
    assert not any(isinstance(block, nn.BatchNorm2d | nn.LayerNorm) for block in blocks)


def test_every_family_of_torchvision_is_tried():
    files = {models.get_model_builder(n).__module__ for n in models.list_models(module=models)}
    assert files == {models.get_model_builder(name).__module__ for name in FAMILIES}


@pytest.mark.parametrize("build", [models.alexnet, models.vgg11])
def test_a_map_of_the_size_that_pool5_asks_for_is_not_pooled(build, monkeypatch):
    """Deterministic training on a graphics card has no gradient of that pooling."""
    with torch.device("meta"):
        *features, pooling, flatten = cut_pool5(build(), nn.Identity())
        maps = nn.Sequential(*features)(torch.zeros(1, 3, 224, 224))
    cells = pooling.pooling.output_size
    assert tuple(maps.shape[-2:]) == cells
    shown = torch.rand(2, 3, *cells)
    assert torch.equal(pooling(shown), pooling.pooling(shown))
    larger = torch.rand(2, 3, 14, 14)
    assert torch.equal(pooling(larger), pooling.pooling(larger))
    monkeypatch.setattr(nn.AdaptiveAvgPool2d, "forward", None)
    assert flatten(pooling(shown)).shape == (2, 3 * cells[0] * cells[1])


@pytest.mark.slow
def test_vgg16_is_cut_at_pool5_and_at_fc7():
    photos = torch.randn(2, 3, 96, 96)
    network = build("vgg16").eval()
    for name, classifier in [("vgg16_pool5", "classifier"), ("vgg16", "classifier.6")]:
        expected = published_features(network, classifier, photos)
        stages = nn.Sequential(*BACKBONES[name].cut(network, build_pooling("average")))
        with torch.no_grad():
            torch.testing.assert_close(stages(photos), expected, rtol=1e-5, atol=1e-7)
        assert expected.shape == (2, BACKBONES[name].feature_size)


def test_pool5_comes_before_all_linear_layers():
    with torch.device("meta"):
        stages = nn.Sequential(*cut_pool5(models.vgg16(), nn.Identity()))
        assert stages(torch.zeros(1, 3, 224, 224)).shape == (1, 25088)
        assert not any(isinstance(module, nn.Linear) for module in stages.modules())
