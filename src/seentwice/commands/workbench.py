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
from seentwice.commands.mining import read_miner
from seentwice.commands.progress import describe_rejects, print_plainly, show_progress
from seentwice.commands.settings import ReadingSettings, SeedSettings, read_settings, read_source
from seentwice.data.leaks import HASH, Leaks, Parts, find_leaks, parts_of
from seentwice.data.pairs import PairTable
from seentwice.data.source import PhotoSet
from seentwice.data.splits import (
    Assign,
    Split,
    SplitBy,
    SplitRule,
    fold_photos,
    split_photos,
)
from seentwice.data.tables import (
    FoldTables,
    MixedSampling,
    SamespaceSampling,
    Sampling,
    ViewDigests,
    make_tables,
    make_test_table,
    train_members,
)
from seentwice.data.views import EditChoice, ViewPlan, plan_views
from seentwice.detectors.describe import Described, Descriptor, describe_views
from seentwice.detectors.hashes import HashDescriptor, SquareWaveletDescriptor, hash_column
from seentwice.detectors.pixel_digest import PixelDigestDescriptor, pixel_column
from seentwice.detectors.trunk import TrunkDescriptor
from seentwice.errors import UserError
from seentwice.models.backbones import Trunk, build_trunk
from seentwice.photos import find_photos
from seentwice.records import Photo, Unreadable, View

# What must be the same for two runs on the same photos to make the same pair tables, seed aside.
PROTOCOL_SECTIONS = ("split", "edits", "sampling")


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

    by: SplitBy
    assign: Assign
    seed: int
    validation_share: float
    test_share: float
    leaks: Literal["report", "error"]  # what a photo in two splits is: a note, or the end


@dataclass(frozen=True, slots=True)
class Workbench:
    """Everything that is ready before the first detector is fitted."""

    photo_set: PhotoSet
    fingerprint: str  # sha256 of the photos' labels and bytes
    plan: ViewPlan
    described: Described
    folds: tuple[FoldTables, ...]
    hashes: NDArray[np.uint64]  # (v,) one a view, those that negatives were drawn by
    parts: Parts  # of the photos: what must not leak into each other
    leaks: Leaks  # photos that are in two parts
    unlabelled: NDArray[np.float32] | None  # (u, d) features of the photos without labels
    unlabelled_fingerprint: str | None  # sha256 of their bytes
    unreadable: tuple[Unreadable, ...]  # files that gave no photo, labelled or not
    looking_seconds: float  # to decode all photos, edit them and pass them through the trunk


def load_photos(config: DictConfig, console: Console) -> PhotoSet:
    """Make the data set where it makes itself, then find its photos; tell what was rejected.

    Raises:
        UserError: the data set is not there or not as its reader needs it.
    """
    source = read_source(config)
    with show_progress("Preparing photos", console) as progress:
        source.prepare(progress)
    photo_set = source.read()
    for line in describe_rejects(photo_set.rejected):
        print_plainly(line, console)
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
    split_settings = read_settings(SplitSettings, config, "split")
    splits = choose_splits(photo_set, split_settings, folds)
    miner = read_miner(config, fingerprint.text, trunk, folds)
    started = perf_counter()
    looked = _look(config, photo_set, splits, descriptors, console)
    looking_seconds = perf_counter() - started
    readable = looked.digests.readable
    nearest = (
        None
        if miner is None
        else [
            miner.find_nearest(
                looked.described.rows, train_members(looked.plan, split, looked.edits, readable)
            )
            for split in splits
        ]
    )
    tables = make_tables(
        looked.plan,
        splits,
        looked.digests,
        looked.edits,
        looked.sampling,
        nearest,
        looked.threads,
        looked.seed,
    )
    parts = parts_of(splits, len(photo_set.photos))
    leaks = _look_for_leaks(looked, parts, fingerprint, console)
    unlabelled = _look_at_unlabelled(config, fingerprint, trunk, console)
    return Workbench(
        photo_set=photo_set,
        fingerprint=fingerprint.text,
        plan=looked.plan,
        described=looked.described,
        folds=tables,
        hashes=looked.digests.hashes,
        parts=parts,
        leaks=leaks,
        unlabelled=unlabelled.features if unlabelled else None,
        unlabelled_fingerprint=unlabelled.fingerprint if unlabelled else None,
        unreadable=(
            *photo_set.unreadable,
            *looked.described.unreadable,
            *(unlabelled.unreadable if unlabelled else ()),
        ),
        looking_seconds=looking_seconds,
    )


@dataclass(frozen=True, slots=True)
class TestBench:
    """What measuring a finished detector needs: the test pairs alone."""

    test: PairTable
    described: Described  # of the tested photos
    hashes: NDArray[np.uint64]  # (v,) one a view


def set_up_test(
    config: DictConfig, photo_set: PhotoSet, descriptors: Sequence[Descriptor], console: Console
) -> TestBench:
    """Look at the photos that the one split tests, and make the table that `set_up` makes of them.

    Raises:
        UserError: unusable data or settings.
    """
    settings = read_settings(SplitSettings, config, "split")
    (whole,) = choose_splits(photo_set, settings, None)
    none = np.empty(0, np.int64)
    split = Split(none, none, whole.test)
    looked = _look(config, photo_set, (split,), descriptors, console)
    test = make_test_table(
        looked.plan,
        split,
        looked.digests,
        looked.edits,
        looked.sampling,
        looked.threads,
        looked.seed,
    )
    return TestBench(test, looked.described, looked.digests.hashes)


@dataclass(frozen=True, slots=True, eq=False)
class _Looked:
    """The views of some splits, and how to make pairs of them."""

    plan: ViewPlan
    described: Described
    digests: ViewDigests
    edits: EditChoice
    sampling: Sampling
    threads: int
    seed: int


def _look(
    config: DictConfig,
    photo_set: PhotoSet,
    splits: Sequence[Split],
    descriptors: Sequence[Descriptor],
    console: Console,
) -> _Looked:
    seed = read_settings(SeedSettings, config, None).seed
    reading = read_settings(ReadingSettings, config, None)
    threads = reading.workers or os.cpu_count() or 1
    edits = read_settings(EditChoice, config, "edits")
    sampling = read_sampling(config)
    plan = plan_views(photo_set.photos, splits, edits, seed)
    own: list[Descriptor] = [HashDescriptor(), PixelDigestDescriptor()]
    if isinstance(sampling, SamespaceSampling):
        own.append(SquareWaveletDescriptor())
    with show_progress("Looking at photos", console) as progress:
        described = describe_views(
            plan.views,
            [*own, *descriptors],
            workers=threads,
            max_pixels=reading.max_pixels,
            on_progress=progress,
        )
    if isinstance(sampling, SamespaceSampling):
        hashes = described.rows[SquareWaveletDescriptor.name][:, 0]
    else:
        hashes = hash_column(described.rows, "wavelet")
    digests = ViewDigests(described.readable, plan.content_of(pixel_column(described.rows)), hashes)
    return _Looked(plan, described, digests, edits, sampling, threads, seed)


def read_sampling(config: DictConfig) -> Sampling:
    """Read the section `sampling`; its key `table` says which of the two it is.

    Raises:
        UserError: a wrong value, a missing or an unknown key.
    """
    kinds = {"mixed": MixedSampling, "samespace": SamespaceSampling}
    table = str(config.sampling.get("table"))
    if table not in kinds:
        raise UserError(f"sampling.table={table}: choose one of {', '.join(kinds)}")
    return read_settings(kinds[table], config, "sampling")


def _look_for_leaks(
    looked: _Looked, parts: Parts, fingerprint: Fingerprint, console: Console
) -> Leaks:
    plan, rows = looked.plan, looked.described.rows
    unedited = np.flatnonzero(plan.edit_name == "")
    with show_progress("Looking for leaks", console) as progress:
        return find_leaks(
            [plan.views[index].photo.key for index in unedited],
            parts,
            fingerprint.files,
            [digest.tobytes() for digest in rows[PixelDigestDescriptor.name][unedited]],
            hash_column(rows, HASH)[unedited],
            looked.described.readable[unedited],
            looked.threads,
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
    rule = SplitRule(settings.by, settings.assign, settings.seed)
    if folds is not None:
        return fold_photos(photo_set.photos, folds, rule)
    return (split_photos(photo_set.photos, settings.validation_share, settings.test_share, rule),)


def read_trunk(config: DictConfig) -> Trunk:
    """Build the trunk that the section `backbone` names.

    Raises:
        UserError: an unknown name, or weights that cannot be had.
    """
    settings = read_settings(BackboneSettings, config, "backbone")
    seed = read_settings(SeedSettings, config, None).seed
    return build_trunk(settings.name, settings.weights, settings.pooling, seed)
