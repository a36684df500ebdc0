"""Where networks are cut: from a whole network to its stages up to the features.

A stage is a unit that its paper names: an inverted residual, a group of residual blocks, an
inception module, a convolution of VGG. A normalisation belongs to the stage that it follows.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence

from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torchvision import models

Cut = Callable[[nn.Module, nn.Module], Sequence[nn.Module]]
"""(network, pooling) -> stages, from normalised photos to features (b, d)."""


class PoolToSize(nn.Module):
    """A pooling to so many cells, left out where a map has as many: there it changes nothing.

    On a graphics card its gradient adds up in any order, and a training that repeats itself exactly
    cannot take it.
    """

    def __init__(self, pooling: nn.AdaptiveAvgPool2d) -> None:
        super().__init__()
        self.pooling = pooling

    def forward(self, maps: Tensor) -> Tensor:
        """(b, d, h, w) -> (b, d, cells, cells)."""
        if maps.shape[-2:] == self.pooling.output_size:
            return maps
        pooled: Tensor = self.pooling(maps)
        return pooled


def cut_features(network: nn.Module, pooling: nn.Module) -> Sequence[nn.Module]:
    """Cut after the map that `features` gives, where a linear classifier takes its mean."""
    return [*_layers(network, "features"), pooling]


def cut_pool5(network: nn.Module, pooling: nn.Module) -> Sequence[nn.Module]:
    """Cut VGG or AlexNet before its first linear layer; `pooling` is unused, as it has its own."""
    features = _join_norms(_layers(network, "features"))
    pooling = network.get_submodule("avgpool")
    assert isinstance(pooling, nn.AdaptiveAvgPool2d)
    return [*features, PoolToSize(pooling), nn.Flatten()]


def cut_fc7(network: nn.Module, pooling: nn.Module) -> Sequence[nn.Module]:
    """Cut VGG or AlexNet after the ReLU of fc7; `pooling` is unused, as it has its own."""
    layers = _layers(network, "classifier")
    last = max(number for number, layer in enumerate(layers) if isinstance(layer, nn.ReLU))
    return [*cut_pool5(network, pooling), *layers[: last + 1]]


def cut_children(network: nn.Module, pooling: nn.Module) -> Sequence[nn.Module]:
    """Cut a network whose layers follow each other by name, before it pools."""
    names = [name for name, _ in network.named_children()]
    layers = list(network.children())[: names.index("avgpool" if "avgpool" in names else "fc")]
    return [*_join_norms(layers), pooling]


def _cut_convnext(network: nn.Module, pooling: nn.Module) -> Sequence[nn.Module]:
    """Cut ConvNeXt after the normalisation that follows the pooling."""
    *features, last = _layers(network, "features")
    norm = network.get_submodule("classifier.0")
    return [
        *features,
        nn.Sequential(last, pooling, nn.Unflatten(1, (-1, 1, 1)), norm, nn.Flatten()),
    ]


def _cut_densenet(network: nn.Module, pooling: nn.Module) -> Sequence[nn.Module]:
    return [*_join_norms(_layers(network, "features")), nn.ReLU(), pooling]


def _cut_mnasnet(network: nn.Module, pooling: nn.Module) -> Sequence[nn.Module]:
    return [*_join_norms(_layers(network, "layers")), pooling]


def _cut_regnet(network: nn.Module, pooling: nn.Module) -> Sequence[nn.Module]:
    return [network.get_submodule("stem"), *_layers(network, "trunk_output"), pooling]


def _cut_swin(network: nn.Module, pooling: nn.Module) -> Sequence[nn.Module]:
    features = _join_norms([*_layers(network, "features"), network.get_submodule("norm")])
    return [*features, network.get_submodule("permute"), pooling]


def cut_whole(network: nn.Module, pooling: nn.Module) -> Sequence[nn.Module]:
    """Take what the last linear layer takes, all in one stage; `pooling` is unused."""
    linear = [name for name, module in network.named_modules() if isinstance(module, nn.Linear)]
    network.set_submodule(linear[-1], nn.Identity())
    return [network]


_CUTS: Mapping[type[nn.Module], Cut] = {
    models.AlexNet: cut_fc7,
    models.ConvNeXt: _cut_convnext,
    models.DenseNet: _cut_densenet,
    models.EfficientNet: cut_features,
    models.GoogLeNet: cut_children,
    models.Inception3: cut_children,
    models.MNASNet: _cut_mnasnet,
    models.MobileNetV2: cut_features,
    models.MobileNetV3: cut_features,
    models.RegNet: _cut_regnet,
    models.ResNet: cut_children,
    models.ShuffleNetV2: cut_children,
    models.SqueezeNet: cut_features,
    models.SwinTransformer: _cut_swin,
    models.VGG: cut_fc7,
}


def cut_by_family(network: nn.Module, pooling: nn.Module) -> Sequence[nn.Module]:
    """Cut a network of torchvision in the way of its family; one of no known family is whole."""
    return _CUTS.get(type(network), cut_whole)(network, pooling)


def _layers(network: nn.Module, name: str) -> list[nn.Module]:
    return list(network.get_submodule(name).children())


def _join_norms(layers: Iterable[nn.Module]) -> list[nn.Module]:
    """Make each normalisation a part of the stage before it, so that it is no block of its own."""
    stages: list[nn.Module] = []
    for layer in layers:
        if isinstance(layer, (_BatchNorm, nn.LayerNorm)):
            stages[-1] = nn.Sequential(stages[-1], layer)
        else:
            stages.append(layer)
    return stages
