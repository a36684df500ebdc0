"""Weights of whole networks: downloaded and checked, or from a safetensors file."""

import hashlib
import pickle
import re
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.error import URLError

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn
from torchvision import models

from seentwice.display import one_line, show_text
from seentwice.errors import UserError


class WeightsFileError(UserError):
    """A file that holds no weights of a network."""

    def __init__(self, path: Path, fault: str, remedy: str) -> None:
        """Name the file by the key that `train` and `compare` have.

        Args:
            path: the file.
            fault: what is wrong with it.
            remedy: what to do.
        """
        super().__init__(f"backbone.weights={path}: {fault}; {remedy}")
        self.fault = fault


class NoDownloadError(UserError):
    """Published weights that cannot be downloaded."""

    def __init__(self, fault: str, remedies: Sequence[str]) -> None:
        """Name the key that `train` and `compare` have.

        Args:
            fault: what cannot be downloaded, and why.
            remedies: what to do instead of giving other weights.
        """
        given = "give backbone.weights=FILE.safetensors"
        super().__init__(
            f"backbone.weights=imagenet: {fault}; {', '.join([*remedies, given])}, or "
            "backbone.weights=none for an untrained trunk"
        )
        self.fault = fault
        self.remedies = remedies


@dataclass(frozen=True, slots=True)
class HubFile:
    """The safetensors file of a repository on the Hugging Face hub."""

    repository: str
    file: str = "model.safetensors"


def download_weights(
    network: nn.Module, name: str, published: models.WeightsEnum | HubFile | None
) -> None:
    """Load published weights into a network, downloaded the first time.

    Args:
        network: gets the weights.
        name: of the backbone, for errors.
        published: torchvision's entry or timm's; None where nothing was published.

    Raises:
        NoDownloadError: no network.
        UserError: nothing was published, or a file that is not what was published.
    """
    if published is None:
        raise UserError(
            f"backbone.weights=imagenet: {name} has no published weights; use none or a file"
        )
    if isinstance(published, HubFile):
        load_weights(network, name, _download_file(published))
    else:
        _load_state(network, _download_state(published))


def _download_file(published: HubFile) -> Path:
    """Return where the hub's file is, in its client's own cache.

    Raises:
        NoDownloadError: it cannot be downloaded.
    """
    from huggingface_hub import hf_hub_download
    from huggingface_hub.errors import HTTPError

    try:
        return Path(hf_hub_download(published.repository, published.file))
    except (OSError, HTTPError, RuntimeError) as error:
        fault = f"cannot download {published.file} of {published.repository} ({one_line(error)})"
        raise NoDownloadError(fault, ()) from error


def _download_state(published: models.WeightsEnum) -> Mapping[str, Tensor]:
    """Return torchvision's weights.

    Raises:
        NoDownloadError: no network.
        UserError: a file that is not what was published.
    """
    cache = Path(torch.hub.get_dir()) / "checkpoints" / Path(published.url).name
    try:
        _check_hash(cache)
        state: Mapping[str, Tensor] = published.get_state_dict(
            progress=True, check_hash=True, weights_only=True
        )
    except (URLError, OSError, RuntimeError) as error:
        fault = f"cannot download {published.url} ({one_line(error)})"
        raise NoDownloadError(fault, (f"put that file at {cache}",)) from error
    except pickle.UnpicklingError as error:
        raise UserError(
            f"backbone.weights=imagenet: {cache} cannot be read: delete it to download it again"
        ) from error
    return state


def _check_hash(cache: Path) -> None:
    """Compare a file that is there already with the sha256 in its name: torch checks new ones only.

    Raises:
        UserError: another file than was published.
    """
    named = re.search(r"-([a-f0-9]+)\.", cache.name)
    if named is None or not cache.is_file():
        return
    with cache.open("rb") as stream:
        found = hashlib.file_digest(stream, "sha256").hexdigest()
    if not found.startswith(named[1]):
        raise UserError(
            f"backbone.weights=imagenet: {cache} is not the file that was published "
            f"(its sha256 starts with {found[: len(named[1])]}): delete it to download it again"
        )


def load_weights(network: nn.Module, name: str, path: Path) -> None:
    """Load a safetensors file with the state of the whole network.

    Args:
        network: gets the weights.
        name: of the backbone, for errors.
        path: the file.

    Raises:
        WeightsFileError: another kind of file, no such file, or the weights of another network.
    """
    if path.suffix != ".safetensors":
        raise WeightsFileError(
            path,
            "no .safetensors file (other formats can run code when they are opened)",
            "choose none, imagenet or a .safetensors file",
        )
    if not path.is_file():
        raise WeightsFileError(path, "no such file", "choose none, imagenet or a .safetensors file")
    try:
        state = load_file(path)
    except (SafetensorError, OSError) as error:
        raise WeightsFileError(
            path,
            f"not a whole safetensors file ({one_line(error)})",
            "give another, or imagenet",
        ) from error
    try:
        _load_state(network, state)
    except RuntimeError as error:
        raise WeightsFileError(
            path,
            f"not the weights of {name}, its classifier included: "
            f"{_describe_misfit(network, state)}",
            f"choose the backbone that they are of, or weights of {name}",
        ) from error


# Classifiers of GoogLeNet and Inception that are for training alone.
_AUXILIARY = re.compile(r"(aux\d|AuxLogits)\.")
# Layers of DenseNet, which were published under names with one more dot.
_DOTTED = re.compile(r"(denselayer\d+\.(?:norm|conv))\.(\d\.)")


def _rename(state: Mapping[str, Tensor]) -> OrderedDict[str, Tensor]:
    """Return a state under the names of today's networks, without what is for training alone."""
    return OrderedDict(
        (_DOTTED.sub(r"\1\2", name), tensor)
        for name, tensor in state.items()
        if not _AUXILIARY.match(name)
    )


def _describe_misfit(network: nn.Module, state: Mapping[str, Tensor]) -> str:
    """Say how many tensors of a network a state lacks or has in another shape, and which first."""
    own, given = network.state_dict(), _rename(state)
    missing = [name for name in own if name not in given]
    other = [name for name in own if name in given and own[name].shape != given[name].shape]
    useless = [name for name in given if name not in own]
    found = []
    if missing:
        found.append(f"{len(missing):,} of its {len(own):,} tensors are missing ({missing[0]})")
    if other:
        shapes = f"{tuple(given[other[0]].shape)} instead of {tuple(own[other[0]].shape)}"
        found.append(f"{len(other):,} have another shape ({other[0]}: {shapes})")
    if useless:
        found.append(f"{len(useless):,} are of no use to it ({show_text(useless[0])})")
    return ", ".join(found)


def _load_state(network: nn.Module, state: Mapping[str, Tensor]) -> None:
    """Load the state of the whole network, under the names that torchvision publishes.

    Raises:
        RuntimeError: it is another network's.
    """
    renamed = _rename(state)
    # The versions of the layers that were saved; a safetensors file has none, and MNASNet asks.
    own = {"": {"version": network._version}}
    renamed._metadata = getattr(state, "_metadata", own)  # type: ignore[attr-defined]
    network.load_state_dict(renamed)
