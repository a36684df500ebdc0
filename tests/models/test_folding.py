import copy

import pytest
import torch
from torch import nn
from torchvision import models

from seentwice.models.folding import fold_batchnorm


def warm_up(network: nn.Module, size: int = 64) -> nn.Module:
    """Give BatchNorm statistics and weights that folding must take notice of."""
    torch.manual_seed(0)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.momentum = None  # the mean of all batches
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.uniform_(module.bias, -0.2, 0.2)
    network.train()
    with torch.no_grad():
        network(torch.randn(8, 3, size, size))
    return network.eval()


def count_norms(network: nn.Module) -> int:
    return sum(isinstance(module, nn.BatchNorm2d) for module in network.modules())


@pytest.mark.parametrize(
    ("build", "left"),
    [(models.mobilenet_v3_small, 0), (models.vgg11_bn, 0), (models.resnet18, 17)],
)
def test_a_folded_network_is_the_same_function(build, left):
    network = warm_up(
        (build(init_weights=False) if build is models.vgg11_bn else build()).features
        if build is not models.resnet18
        else build()
    )
    state = copy.deepcopy(network.state_dict())
    folded = fold_batchnorm(network)
    photos = torch.randn(2, 3, 64, 64)
    with torch.inference_mode():
        expected = network(photos)
        torch.testing.assert_close(folded(photos), expected, rtol=1e-4, atol=1e-4)
    assert count_norms(network) > count_norms(folded) == left
    torch.testing.assert_close(dict(network.state_dict()), dict(state), rtol=0, atol=0)


def test_what_is_not_folded_is_shared():
    network = models.mobilenet_v3_small().eval()
    folded = fold_batchnorm(network)
    assert folded.classifier[0].weight is network.classifier[0].weight


def test_statistics_that_move_are_not_folded():
    stages = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4))
    assert count_norms(fold_batchnorm(stages)) == 1
    assert count_norms(fold_batchnorm(stages.eval())) == 0
    without = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4, track_running_stats=False))
    assert count_norms(fold_batchnorm(without.eval())) == 1


def test_layers_that_only_stand_in_a_sequential_order_are_left():
    class Backwards(nn.Sequential):
        def forward(self, photos):
            return self[0](self[1](photos))

    stages = Backwards(nn.Conv2d(3, 3, 3), nn.BatchNorm2d(3)).eval()
    assert count_norms(fold_batchnorm(stages)) == 1
