"""What compare, train and evaluate share: photos, splits, described views and pair tables."""

import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from omegaconf import DictConfig
from rich.console import Console

from seentwice.commands.progress import show_progress
from seentwice.commands.settings import ReadingSettings, SeedSettings, read_settings, read_source
from seentwice.data.pairs import PairPolicy
from seentwice.data.source import PhotoSet
from seentwice.data.splits import Split, fold_photos, split_photos
from seentwice.data.tables import FoldTables, make_tables
from seentwice.data.views import EditChoice, ViewPlan, plan_views
from seentwice.detectors.describe import Described, Descriptor, describe_views
from seentwice.detectors.hashes import HashDescriptor, hash_column
from seentwice.detectors.trunk import TrunkDescriptor
from seentwice.errors import UserError
from seentwice.models.backbones import Trunk, build_trunk
from seentwice.photos import find_photos
from seentwice.records import Photo, Unreadable, View

# What must be the same for two runs on the same photos to make the same pair tables, seed aside.
PROTOCOL_SECTIONS = ("split", "edits", "pairs")


@dataclass(frozen=True, slots=True)
class BackboneSettings:
    """The section `backbone`."""

    name: str
    weights: str
    pooling: str
    trains: bool


@dataclass(frozen=True, slots=True)
class SplitSettings:
    """The section `split`."""

    seed: int
    validation_share: float
    test_share: float


@dataclass(frozen=True, slots=True)
class PairSettings:
    """The section `pairs`."""

    train: PairPolicy
    evaluation: PairPolicy


@dataclass(frozen=True, slots=True)
class Workbench:
    """Everything that is ready before the first detector is fitted."""

    photo_set: PhotoSet
    fingerprint: str  # sha256 of the photos' keys and bytes
    splits: tuple[Split, ...]
    plan: ViewPlan
    described: Described
    folds: tuple[FoldTables, ...]
    trunk: Trunk
    unlabelled: NDArray[np.float32] | None  # (u, d) features of the photos without labels
    unreadable: tuple[Unreadable, ...]  # files that gave no photo, labelled or not


def load_photos(config: DictConfig, console: Console) -> PhotoSet:
    """Make the data set where it makes itself, then find its photos.

    Raises:
        UserError: the data set is not there or not as its reader needs it.
    """
    source = read_source(config)
    with show_progress("Preparing photos", console) as progress:
        source.prepare(progress)
    photo_set: PhotoSet = source.read()
    return photo_set


def set_up(
    config: DictConfig,
    photo_set: PhotoSet,
    fingerprint: str,
    descriptors: Sequence[Descriptor],
    trunk: Trunk,
    folds: int | None,
    console: Console,
) -> Workbench:
    """Split the photos, look at every view once and make the pair tables.

    Args:
        config: the composed configuration.
        photo_set: from `load_photos`.
        fingerprint: from `fingerprint_photos`.
        descriptors: what detectors need of each view; the hashes come too, they choose negatives.
        trunk: kept for the detectors that are built on it.
        folds: how many; None for one split by shares.
        console: shows progress.

    Raises:
        UserError: unusable data or settings.
    """
    seed = read_settings(SeedSettings, config, None).seed
    reading = read_settings(ReadingSettings, config, None)
    split_settings = read_settings(SplitSettings, config, "split")
    splits = choose_splits(photo_set, split_settings, folds)
    edits = read_settings(EditChoice, config, "edits")
    plan = plan_views(photo_set.photos, splits, edits, seed)
    with show_progress("Looking at photos", console) as progress:
        described = describe_views(
            plan.views,
            [HashDescriptor(), *descriptors],
            workers=reading.workers or os.cpu_count() or 1,
            max_pixels=reading.max_pixels,
            on_progress=progress,
        )
    policies = read_settings(PairSettings, config, "pairs")
    tables = make_tables(
        plan,
        splits,
        described.readable,
        hash_column(described.rows, "wavelet"),
        edits,
        policies.train,
        policies.evaluation,
        seed,
    )
    unlabelled, without_photo = _embed_unlabelled(config, trunk, console)
    unreadable = (*photo_set.unreadable, *described.unreadable, *without_photo)
    return Workbench(
        photo_set, fingerprint, splits, plan, described, tables, trunk, unlabelled, unreadable
    )


def _embed_unlabelled(
    config: DictConfig, trunk: Trunk, console: Console
) -> tuple[NDArray[np.float32] | None, tuple[Unreadable, ...]]:
    """Return the features (u, d) of the photos in the folder `unlabelled`, and its other files.

    Raises:
        UserError: no such folder, no photo in it, or a trunk that is not frozen.
    """
    if config.get("unlabelled") is None:
        return None, ()
    if config.backbone.trains:
        raise UserError("unlabelled: needs a frozen backbone, whose features can be whitened")
    reading = read_settings(ReadingSettings, config, None)
    files, unreadable = find_photos(Path(str(config.unlabelled)))
    views = [View(Photo(file, file.name, file.name)) for file in files]
    descriptor = TrunkDescriptor(trunk)
    with show_progress("Looking at unlabelled photos", console) as progress:
        described = describe_views(
            views,
            [descriptor],
            workers=reading.workers or os.cpu_count() or 1,
            max_pixels=reading.max_pixels,
            on_progress=progress,
        )
    features = described.rows[descriptor.name][described.readable]
    return features, (*unreadable, *described.unreadable)


def choose_splits(
    photo_set: PhotoSet, settings: SplitSettings, folds: int | None
) -> tuple[Split, ...]:
    """Return one split, or one a fold."""
    if folds is not None:
        return fold_photos(photo_set.photos, folds, settings.seed)
    return (
        split_photos(
            photo_set.photos, settings.validation_share, settings.test_share, settings.seed
        ),
    )


def read_trunk(config: DictConfig) -> Trunk:
    """Build the trunk that the section `backbone` names.

    Raises:
        UserError: an unknown name, or weights that cannot be had.
    """
    settings = read_settings(BackboneSettings, config, "backbone")
    seed = read_settings(SeedSettings, config, None).seed
    return build_trunk(settings.name, settings.weights, settings.pooling, seed)


def fingerprint_photos(photo_set: PhotoSet, console: Console) -> str:
    """Return the sha256 of all keys and files: other data, another fingerprint."""
    digest = hashlib.sha256()
    with show_progress("Fingerprinting photos", console) as progress:
        for done, photo in enumerate(photo_set.photos, 1):
            digest.update(photo.key.encode(errors="surrogateescape"))
            digest.update(_file_digest(photo.path))
            progress(done, len(photo_set.photos))
    return digest.hexdigest()


def _file_digest(path: Path) -> bytes:
    try:
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").digest()
    except OSError as error:
        return str(error.strerror).encode()
