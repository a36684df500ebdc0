"""What is seen of each photo, once by each network, and kept in the bank of all experiments."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from experiments.plan import FOLDER
from seentwice.bank.bank import Bank, open_bank
from seentwice.data.source import tell_nobody
from seentwice.detectors.describe import describe_views
from seentwice.detectors.descriptor import Descriptor, Rows
from seentwice.detectors.hashes import HashDescriptor
from seentwice.detectors.histogram import HistogramDescriptor
from seentwice.detectors.keypoints import KeypointDescriptor
from seentwice.detectors.pixel_digest import PixelDigestDescriptor
from seentwice.detectors.regions import MOST_WINDOWS
from seentwice.detectors.trunk import FEATURES, TrunkDescriptor
from seentwice.detectors.windows import WINDOWS, WindowDescriptor, draw_windows
from seentwice.errors import UserError
from seentwice.files import digest_file
from seentwice.models.backbones import build_trunk
from seentwice.models.trunk import Trunk
from seentwice.photos import find_photos
from seentwice.records import Photo, View

ROOT = FOLDER.parent
PHOTOS = ROOT / "data" / "raw" / "property_rooms"
UNLABELLED = ROOT / "data" / "raw" / "houses"
MAX_PIXELS = 10**8


@dataclass(frozen=True, slots=True)
class Network:
    """A network whose features are compared."""

    backbone: str  # as `find_backbone` takes it
    weights: str  # the file checkpoints/<weights>_imagenet.safetensors; else they are downloaded
    pooling: str = "average"
    windows: bool = False  # whether windows of its map are compared, too

    @property
    def file(self) -> Path:
        """Where its weights are looked for first."""
        return ROOT / "checkpoints" / f"{self.weights}_imagenet.safetensors"

    def build(self) -> Trunk:
        """Build it with its ImageNet weights.

        Raises:
            UserError: they are not in their file, and cannot be downloaded.
        """
        weights = str(self.file) if self.file.is_file() else "imagenet"
        return build_trunk(self.backbone, weights, self.pooling, 0, "eval", seed=0)


NETWORKS: Mapping[str, Network] = {
    "vgg16_pool5": Network("vgg16_pool5", "vgg16"),
    "vgg16_fc7": Network("vgg16", "vgg16"),
    "googlenet": Network("googlenet", "googlenet"),
    "mobilenet_v2": Network("mobilenet_v2", "mobilenet_v2", windows=True),
    "mobilenet_v2_gem": Network("mobilenet_v2", "mobilenet_v2", pooling="gem"),
    "efficientnet_lite2": Network("timm/tf_efficientnet_lite2", "efficientnet_lite2", windows=True),
}


@dataclass(frozen=True, slots=True, eq=False)
class Unlabelled:
    """Photos of other homes, without labels, as a network sees them."""

    features: NDArray[np.float32]  # (u, d)
    windows: NDArray[np.float32] | None  # (w, d) some of their windows


def open_shared_bank() -> Bank:
    """Open the bank that compare and train keep their rows in."""
    return open_bank(ROOT / "data" / "prepared" / "bank", max_gb=20)


def digest_views(views: tuple[View, ...]) -> list[bytes]:
    """Return the sha256 of each view's file."""
    of_file = {path: digest_file(path) for path in {view.photo.path for view in views}}
    return [of_file[view.photo.path] for view in views]


def look_plainly(views: tuple[View, ...], bank: Bank, workers: int) -> Rows:
    """Return what takes no network: hashes, colours, local features and digests of pixels.

    Raises:
        UserError: a photo cannot be read, or OpenCV is not installed.
    """
    descriptors = [HashDescriptor(), HistogramDescriptor(), KeypointDescriptor("sift")]
    return _describe(views, [*descriptors, PixelDigestDescriptor()], bank, workers)


def look_through(
    network: Network, trunk: Trunk, views: tuple[View, ...], bank: Bank, workers: int
) -> Rows:
    """Return the features of views, and where they are compared their windows.

    Raises:
        UserError: a photo cannot be read.
    """
    kind = WindowDescriptor if network.windows else TrunkDescriptor
    return _describe(views, [kind(trunk, "float32")], bank, workers)


def look_at_unlabelled(network: Network, trunk: Trunk, bank: Bank, workers: int) -> Unlabelled:
    """Return the photos that no triplet is made of, as a network sees them.

    Raises:
        UserError: their folder is not there, or one of them cannot be read.
    """
    files, _ = find_photos(UNLABELLED)
    views = tuple(View(Photo(file, file.name, file.name)) for file in files)
    rows = look_through(network, trunk, views, bank, workers)
    windows = None
    if network.windows:
        windows = draw_windows(rows[WINDOWS], np.arange(len(views)), MOST_WINDOWS)
    return Unlabelled(np.asarray(rows[FEATURES], np.float32), windows)


def _describe(
    views: tuple[View, ...], descriptors: list[Descriptor], bank: Bank, workers: int
) -> Rows:
    described = describe_views(
        views,
        digest_views(views),
        descriptors,
        bank,
        views[0].photo.path.parts[-2],
        workers,
        MAX_PIXELS,
        tell_nobody,
    )
    if described.unreadable:
        first = described.unreadable[0]
        raise UserError(f"{first.name}: {first.reason}; every photo is needed")
    return described.rows
