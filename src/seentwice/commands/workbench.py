"""What compare, train and evaluate share: photos, splits, described views and pair tables."""

import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from omegaconf import DictConfig
from rich.console import Console

from seentwice.commands.fingerprint import Fingerprint, digest_files
from seentwice.commands.progress import show_progress
from seentwice.commands.settings import ReadingSettings, SeedSettings, read_settings, read_source
from seentwice.data.leaks import HASH, Leaks, Parts, find_leaks, parts_of
from seentwice.data.pairs import PairPolicy
from seentwice.data.source import PhotoSet
from seentwice.data.splits import Split, fold_photos, split_photos
from seentwice.data.tables import FoldTables, make_tables
from seentwice.data.views import EditChoice, ViewPlan, plan_views
from seentwice.detectors.describe import Described, Descriptor, describe_views
from seentwice.detectors.hashes import HashDescriptor, hash_column
from seentwice.detectors.pixel_digest import PixelDigestDescriptor
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
    leaks: Literal["report", "error"]  # what a photo in two splits is: a note, or the end


@dataclass(frozen=True, slots=True)
class PairSettings:
    """The section `pairs`."""

    train: PairPolicy
    evaluation: PairPolicy


@dataclass(frozen=True, slots=True)
class Workbench:
    """Everything that is ready before the first detector is fitted."""

    photo_set: PhotoSet
    fingerprint: str  # sha256 of the photos' labels and bytes
    plan: ViewPlan
    described: Described
    folds: tuple[FoldTables, ...]
    parts: Parts  # of the photos: what must not leak into each other
    leaks: Leaks  # photos that are in two parts
    unlabelled: NDArray[np.float32] | None  # (u, d) features of the photos without labels
    unlabelled_fingerprint: str | None  # sha256 of their bytes
    unreadable: tuple[Unreadable, ...]  # files that gave no photo, labelled or not
    looking_seconds: float  # to decode all photos, edit them and pass them through the trunk


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
    fingerprint: Fingerprint,
    descriptors: Sequence[Descriptor],
    trunk: Trunk | None,
    folds: int | None,
    console: Console,
) -> Workbench:
    """Split the photos, look at every view once and make the pair tables.

    Args:
        config: the composed configuration.
        photo_set: from `load_photos`.
        fingerprint: from `fingerprint_photos`.
        descriptors: what detectors need of each view; the hashes come too, they choose negatives.
        trunk: for the unlabelled photos; None where no detector looks through one.
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
    policies = read_settings(PairSettings, config, "pairs")
    plan = plan_views(photo_set.photos, splits, edits, seed)
    started = perf_counter()
    with show_progress("Looking at photos", console) as progress:
        described = describe_views(
            plan.views,
            [HashDescriptor(), PixelDigestDescriptor(), *descriptors],
            workers=reading.workers or os.cpu_count() or 1,
            max_pixels=reading.max_pixels,
            on_progress=progress,
        )
    looking_seconds = perf_counter() - started
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
    parts = parts_of(splits, len(photo_set.photos))
    leaks = _look_for_leaks(plan, parts, described, fingerprint, reading, console)
    unlabelled = _look_at_unlabelled(config, fingerprint, trunk, console)
    return Workbench(
        photo_set=photo_set,
        fingerprint=fingerprint.text,
        plan=plan,
        described=described,
        folds=tables,
        parts=parts,
        leaks=leaks,
        unlabelled=unlabelled.features if unlabelled else None,
        unlabelled_fingerprint=unlabelled.fingerprint if unlabelled else None,
        unreadable=(
            *photo_set.unreadable,
            *described.unreadable,
            *(unlabelled.unreadable if unlabelled else ()),
        ),
        looking_seconds=looking_seconds,
    )


def _look_for_leaks(
    plan: ViewPlan,
    parts: Parts,
    described: Described,
    fingerprint: Fingerprint,
    reading: ReadingSettings,
    console: Console,
) -> Leaks:
    unedited = np.flatnonzero(plan.edit_name == "")
    digests = described.rows[PixelDigestDescriptor.name][unedited]
    with show_progress("Looking for leaks", console) as progress:
        return find_leaks(
            [plan.views[index].photo.key for index in unedited],
            parts,
            fingerprint.files,
            [digest.tobytes() for digest in digests],
            hash_column(described.rows, HASH)[unedited],
            described.readable[unedited],
            reading.workers or os.cpu_count() or 1,
            progress,
        )


@dataclass(frozen=True, slots=True, eq=False)
class _Unlabelled:
    features: NDArray[np.float32]  # (u, d)
    fingerprint: str
    unreadable: tuple[Unreadable, ...]


def _look_at_unlabelled(
    config: DictConfig, fingerprint: Fingerprint, trunk: Trunk | None, console: Console
) -> _Unlabelled | None:
    """Embed the photos in the folder `unlabelled`; None where there is none.

    Raises:
        UserError: no such folder, no photo in it, photos of the data set itself (the whitening
            would learn from those that are tested), or nothing that whitens.
    """
    if config.get("unlabelled") is None:
        return None
    if trunk is None or config.backbone.trains:
        raise UserError("unlabelled: needs a frozen backbone, whose features can be whitened")
    root = Path(str(config.unlabelled))
    files, unreadable = find_photos(root)
    digests = digest_files(files, "Fingerprinting unlabelled", console)
    pairs = zip(files, digests, strict=True)
    known = set(fingerprint.files)
    shared = [file for file, digest in pairs if digest in known]
    if shared:
        raise UserError(
            f"unlabelled={root}: {len(shared)} of its photos are in the data set itself, first "
            f"{shared[0].relative_to(root)}; give photos of other homes"
        )
    reading = read_settings(ReadingSettings, config, None)
    descriptor = TrunkDescriptor(trunk)
    with show_progress("Looking at unlabelled photos", console) as progress:
        described = describe_views(
            [View(Photo(file, file.name, file.name)) for file in files],
            [descriptor],
            workers=reading.workers or os.cpu_count() or 1,
            max_pixels=reading.max_pixels,
            on_progress=progress,
        )
    return _Unlabelled(
        described.rows[descriptor.name][described.readable],
        hashlib.sha256(b"".join(sorted(digests))).hexdigest(),
        (*unreadable, *described.unreadable),
    )


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
