"""Any classification network of torchvision as a backbone, with its published preset."""

from difflib import get_close_matches
from functools import cache, partial

from torch import nn
from torchvision import models

from seentwice.errors import UserError
from seentwice.models.cuts import cut_by_family
from seentwice.models.entry import Backbone, measure_features
from seentwice.models.preprocessing import CENTRED_MEAN, CENTRED_STD, IMAGENET_224, Preprocessing

# Their weights were trained on pixels in [-1, 1]: with them, torchvision undoes its own preset's
# normalisation (`transform_input`). They also have auxiliary classifiers, for training alone.
_INCEPTIONS = ("googlenet", "inception_v3")


@cache
def find_torchvision(name: str) -> Backbone:
    """Return the entry of a classification network, by torchvision's name.

    Its weights are the `DEFAULT` ones, and its input is theirs: size, mean and deviation.

    Raises:
        UserError: no such network, or one of another kind; the message names the nearest.
    """
    _check_name(name)
    published = getattr(models.get_model_weights(name), "DEFAULT", None)
    preprocessing = _read_preset(name, published)
    build = partial(_build, name, preprocessing.height_px)
    size = measure_features(build, cut_by_family, preprocessing)
    return Backbone(size, preprocessing, build, cut_by_family, published)


def _check_name(name: str) -> None:
    """Check that torchvision has a classification network of this name.

    Raises:
        UserError: it has none.
    """
    names = models.list_models(module=models)
    if name in names:
        return
    found = "no network of torchvision's"
    if name in models.list_models():
        # torchvision.models.KIND.file
        kind = models.get_model_builder(name).__module__.split(".")[2]
        found = f"a network for {kind.replace('_', ' ')}"
    near = get_close_matches(name, names, n=3, cutoff=0.5) or ["resnet50", "convnext_tiny"]
    raise UserError(
        f"backbone.name={name!r} is {found}: choose one for classification, "
        f"such as {', '.join(near)}"
    )


def _read_preset(name: str, published: models.WeightsEnum | None) -> Preprocessing:
    if published is None:
        return IMAGENET_224
    preset = published.transforms()
    size = preset.crop_size[0]
    if name in _INCEPTIONS:
        return Preprocessing(size, size, CENTRED_MEAN, CENTRED_STD)
    return Preprocessing(size, size, tuple(preset.mean), tuple(preset.std))


def _build(name: str, size_px: int) -> nn.Module:
    """Build the network for which the weights are, without auxiliary classifiers."""
    builder = models.get_model_builder(name)
    if name in _INCEPTIONS:
        network: nn.Module = builder(aux_logits=False, init_weights=True)
    elif name.startswith("vit_"):  # its position embedding is for one size
        network = builder(image_size=size_px)
    else:
        network = builder()
    return network
