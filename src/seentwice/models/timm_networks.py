"""Any network of timm as a backbone: the extra `timm`."""

from collections.abc import Sequence
from difflib import get_close_matches
from functools import cache, partial
from typing import Any

from torch import Tensor, nn

from seentwice.errors import UserError
from seentwice.models.entry import Backbone, measure_features
from seentwice.models.preprocessing import Preprocessing
from seentwice.models.weights import HubFile


class TimmMaps(nn.Module):
    """A network of timm up to what it pools: a map, or tokens."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, photos: Tensor) -> Tensor:
        """(b, 3, height_px, width_px) -> (b, d, h, w) of most networks that convolve."""
        maps: Tensor = self.network.forward_features(photos)  # type: ignore[operator]
        return maps


class TimmHead(nn.Module):
    """What a network of timm makes of its own map, without its classifier."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, maps: Tensor) -> Tensor:
        """(b, d, h, w), or as `TimmMaps` gives it -> (b, d)."""
        features: Tensor = self.network.forward_head(maps, pre_logits=True)  # type: ignore[operator]
        return features


@cache
def find_timm(name: str) -> Backbone:
    """Return the entry of a network, by timm's name, such as `resnet18` or `resnet18.a1_in1k`.

    Raises:
        UserError: timm is not installed, or has no such network; the message names the nearest.
    """
    try:
        import timm
        from timm.data import resolve_data_config
    except ImportError as error:
        raise UserError(
            "backbone=timm: timm is not installed: pip install 'seentwice[timm]'"
        ) from error
    published = _read_pretrained(timm, name)
    preset = resolve_data_config(pretrained_cfg=published.to_dict())
    _, height, width = preset["input_size"]
    preprocessing = Preprocessing(height, width, tuple(preset["mean"]), tuple(preset["std"]))
    build = partial(timm.create_model, name, pretrained=False)
    size = measure_features(build, _cut_classifier, preprocessing)
    # A hub's other files are pickles, or another program's.
    on_hub = published.hf_hub_id and published.hf_hub_filename is None
    hub_file = HubFile(published.hf_hub_id) if on_hub else None
    return Backbone(size, preprocessing, build, _cut_classifier, hub_file)


def _read_pretrained(timm: Any, name: str) -> Any:
    """Return what timm says of a network's weights.

    Raises:
        UserError: no such network, or no such weights of it.
    """
    if not timm.is_model(name):  # a name with a prefix, which would have timm ask its hub, is none
        near = get_close_matches(name, timm.list_models(), n=3, cutoff=0.5)
        such = near or ["resnet50", "convnext_tiny"]
        raise UserError(
            f"backbone.name={name!r} is no network of timm's: choose one, such as {', '.join(such)}"
        )
    try:
        return timm.get_pretrained_cfg(name, allow_unregistered=False)
    except RuntimeError as error:
        network = name.partition(".")[0]
        known = timm.list_models(f"{network}.*", pretrained=True)
        raise UserError(
            f"backbone.name={name!r} names weights that timm does not know: choose one of "
            f"{', '.join([network, *known])}"
        ) from error


def _cut_classifier(network: nn.Module, pooling: nn.Module) -> Sequence[nn.Module]:
    """Take what timm calls features, all in one stage; `pooling` is unused, as it has its own."""
    network.reset_classifier(0)  # type: ignore[operator]
    return [network]
