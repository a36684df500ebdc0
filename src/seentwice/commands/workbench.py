"""What compare, train and evaluate share: photos, splits, described views and pair tables."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import compress
from time import perf_counter

import numpy as np
from numpy.typing import NDArray
from omegaconf import DictConfig
from rich.console import Console

from seentwice.commands.banking import read_bank, read_bank_folder
from seentwice.commands.fingerprint import Fingerprint
from seentwice.commands.looking import Looked, look_at_views, read_sampling
from seentwice.commands.mining import Mining, read_miner
from seentwice.commands.progress import describe_rejects, print_plainly, show_progress
from seentwice.commands.settings import ReadingSettings, read_settings, read_source
from seentwice.commands.splits import SplitSettings, choose_splits
from seentwice.commands.trunks import Trunks
from seentwice.commands.unlabelled import look_at_unlabelled
from seentwice.commands.unreadable import listing_unreadable
from seentwice.data.lookalikes import HASH, FoundLookalikes, Lookalikes, find_lookalikes
from seentwice.data.pairs import PairTable
from seentwice.data.parts import Parts, parts_of
from seentwice.data.source import ExportingSource, PhotoSet, Source
from seentwice.data.splits import Split, SplitRule
from seentwice.data.tables import (
    FoldTables,
    Sampling,
    make_tables,
    make_test_table,
    train_members,
)
from seentwice.data.views import EditChoice, ViewPlan
from seentwice.detectors.describe import Described
from seentwice.detectors.descriptor import Descriptor
from seentwice.detectors.hashes import hash_column
from seentwice.detectors.pixel_digest import PixelDigestDescriptor
from seentwice.edits import draw_edits
from seentwice.errors import UserError
from seentwice.records import WEB_REASONS, Photo, Unreadable

# What must be the same for two runs on the same photos to make the same pair tables, seed aside.
PROTOCOL_SECTIONS = ("split", "edits", "sampling")


@dataclass(frozen=True, slots=True)
class Workbench:
    """Everything that is ready before the first detector is fitted."""

    photo_set: PhotoSet
    fingerprint: str  # sha256 of the photos' labels and bytes
    plan: ViewPlan
    described: Described
    rule: SplitRule  # by which the photos were split
    splits: tuple[Split, ...]  # one a fold; indices into the photos
    split_remarks: tuple[str, ...]  # what to know of them before their numbers are believed
    sampling: Sampling
    folds: tuple[FoldTables, ...]
    hashes: NDArray[np.uint64]  # (v,) one a view, those that negatives were drawn by
    parts: Parts  # of the photos: what must not leak into each other
    leaks: Lookalikes  # photos that are in two parts
    suspects: Lookalikes  # photos that look the same, labelled as two places
    mining: Mining | None  # where hard negatives come from; None where there are none
    unlabelled: NDArray[np.float32] | None  # (u, d) features of the photos without labels
    unlabelled_windows: NDArray[np.float32] | None  # (w, d) some of their windows, where needed
    unlabelled_fingerprint: str | None  # sha256 of their bytes
    unreadable: tuple[Unreadable, ...]  # files that gave no photo, labelled or not
    looking_seconds: float  # to decode all photos, edit them and pass them through the trunk

    @property
    def photo_readable(self) -> NDArray[np.bool_]:
        """Which of the data set's photos could be read, (p,)."""
        readable: NDArray[np.bool_] = self.described.readable[self.plan.edit_name == ""]
        return readable

    @property
    def readable_photos(self) -> tuple[Photo, ...]:
        """The photos that could be read: what every count of photos and places is of."""
        return tuple(compress(self.photo_set.photos, self.photo_readable))


def check_photo_settings(config: DictConfig) -> None:
    """Read what says how photos are read, split and kept, so that a mistake is told before that.

    Raises:
        UserError: a wrong value, all pairs without folds, or no such edit.
    """
    read_settings(ReadingSettings, config, None)
    if config.get("edits") is not None:
        edits = read_settings(EditChoice, config, "edits")
        draw_edits("", (*edits.train, *edits.evaluation), seed=0)
    if "split" in config:
        wants_all_pairs = read_settings(SplitSettings, config, "split").all_pairs
        if wants_all_pairs and config.get("folds") is None:
            raise UserError("split.all_pairs=true: needs the folds of compare, such as folds=5")
    read_bank_folder(config)


def load_photos(config: DictConfig, console: Console) -> PhotoSet:
    """Return the photos of the data set that a configuration chose, see `prepare_photos`.

    Raises:
        UserError: the data set is not there or not as its reader needs it; or it is to be exported.
    """
    source = read_source(config)
    if isinstance(source, ExportingSource) and source.json is not None:
        raise UserError(
            f"data.json={source.json}: seentwice prepare alone writes it, so it has no effect "
            "here; leave it out"
        )
    return prepare_photos(source, console)


def prepare_photos(source: Source, console: Console) -> PhotoSet:
    """Make the data set where it makes itself, then find its photos; tell what was rejected.

    Raises:
        UserError: the data set is not there or not as its reader needs it.
    """
    with show_progress("Preparing photos", console) as progress:
        source.prepare(progress)
    photo_set = source.read()
    unfetched = sum(file.reason in WEB_REASONS for file in photo_set.unreadable)
    if unfetched:
        photos = "1 photo" if unfetched == 1 else f"{unfetched:,} photos"
        print_plainly(
            f"{photos} could not be fetched; seentwice prepare tries again, other commands do not",
            console,
        )
    for line in (*describe_rejects(photo_set.rejected), *photo_set.notes):
        print_plainly(line, console)
    return photo_set


def set_up(
    config: DictConfig,
    photo_set: PhotoSet,
    fingerprint: Fingerprint,
    descriptors: Sequence[Descriptor],
    trunks: Trunks | None,
    folds: int | None,
    must_test: bool,
    console: Console,
) -> Workbench:
    """Split the photos, look at every view once and make the pair tables.

    Args:
        config: the composed configuration.
        photo_set: from `load_photos`.
        fingerprint: from `fingerprint_photos`.
        descriptors: what detectors need of each view; the hashes come too, they choose negatives.
        trunks: what the detectors look through; None where none does.
        folds: how many; None for one split by shares.
        must_test: whether too few homes or places to be split, and a table without duplicates or
            without negatives, are errors.
        console: shows progress.

    Raises:
        UserError: unusable data or settings.
    """
    chosen = choose_splits(config, photo_set, folds, must_test, console)
    splits = chosen.splits
    sampling = read_sampling(config)
    tested = np.unique(np.concatenate([split.test for split in splits]))
    miner = read_miner(
        config,
        sampling,
        [fingerprint.files[index] for index in tested],
        trunks,
        [descriptor.name for descriptor in descriptors],
    )
    started = perf_counter()
    bank = read_bank(config)
    looked = look_at_views(config, photo_set, fingerprint, splits, descriptors, bank, console)
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
    unreadable = *photo_set.unreadable, *looked.described.unreadable
    with listing_unreadable(unreadable, console):
        tables = make_tables(
            looked.plan,
            splits,
            looked.digests,
            looked.edits,
            sampling,
            nearest,
            looked.threads,
            looked.seed,
            must_test,
        )
    parts = parts_of(splits, len(photo_set.photos))
    lookalikes = _look_for_lookalikes(looked, parts, fingerprint, console)
    unlabelled = look_at_unlabelled(config, fingerprint, descriptors, bank, console)
    return Workbench(
        photo_set=photo_set,
        fingerprint=fingerprint.text,
        plan=looked.plan,
        described=looked.described,
        rule=chosen.rule,
        splits=splits,
        split_remarks=chosen.remarks,
        sampling=sampling,
        folds=tables,
        hashes=looked.digests.hashes,
        parts=parts,
        leaks=lookalikes.leaks,
        suspects=lookalikes.suspects,
        mining=miner.mining if miner else None,
        unlabelled=unlabelled.features if unlabelled else None,
        unlabelled_windows=unlabelled.windows if unlabelled else None,
        unlabelled_fingerprint=unlabelled.fingerprint if unlabelled else None,
        unreadable=(*unreadable, *(unlabelled.unreadable if unlabelled else ())),
        looking_seconds=looking_seconds,
    )


@dataclass(frozen=True, slots=True)
class EvaluationBench:
    """What measuring a finished detector needs: the test pairs alone."""

    test: PairTable
    tested: NDArray[np.int64]  # indices of the tested photos
    described: Described  # of their views
    hashes: NDArray[np.uint64]  # (v,) one a view


def set_up_test(
    config: DictConfig,
    photo_set: PhotoSet,
    fingerprint: Fingerprint,
    descriptors: Sequence[Descriptor],
    console: Console,
) -> EvaluationBench:
    """Look at the photos that the one split tests, and make the table that `set_up` makes of them.

    Raises:
        UserError: unusable data or settings.
    """
    (whole,) = choose_splits(config, photo_set, None, True, console).splits
    none = np.empty(0, np.int64)
    split = Split(none, none, whole.test)
    looked = look_at_views(
        config, photo_set, fingerprint, (split,), descriptors, read_bank(config), console
    )
    unreadable = *photo_set.unreadable, *looked.described.unreadable
    with listing_unreadable(unreadable, console):
        test = make_test_table(
            looked.plan,
            split,
            looked.digests,
            looked.edits,
            looked.sampling,
            looked.threads,
            looked.seed,
        )
    return EvaluationBench(test, split.test, looked.described, looked.digests.hashes)


def _look_for_lookalikes(
    looked: Looked, parts: Parts, fingerprint: Fingerprint, console: Console
) -> FoundLookalikes:
    plan, rows = looked.plan, looked.described.rows
    unedited = np.flatnonzero(plan.edit_name == "")
    with show_progress("Looking for leaks", console) as progress:
        return find_lookalikes(
            [plan.views[index].photo for index in unedited],
            parts,
            fingerprint.files,
            [digest.tobytes() for digest in rows[PixelDigestDescriptor.name][unedited]],
            hash_column(rows, HASH)[unedited],
            looked.described.readable[unedited],
            looked.threads,
            progress,
        )
