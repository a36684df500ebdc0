"""The work of `seentwice index`: read what is new, look at it, and keep what is recommended from.

Each part is on the disk before the next begins, so a run that is stopped goes on there.
"""

import os
import shlex
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from rich.console import Console

from seentwice.commands.index_options import IndexOptions
from seentwice.commands.index_table import ListingsTable, read_table
from seentwice.commands.progress import print_plainly, show_progress
from seentwice.commands.remembered_reader import RememberedReader
from seentwice.commands.unreadable import report_unreadable
from seentwice.dedupe.folder import read_problems
from seentwice.dedupe.looking import Looking
from seentwice.dedupe.reading import Updated, update_table
from seentwice.display import name_count, show_text
from seentwice.errors import UserError
from seentwice.index.columns import READ
from seentwice.index.near_snapshot import DamagedIndexError
from seentwice.index.store import PhotoStore
from seentwice.locks import hold_lock
from seentwice.photos.finding import check_root, no_photos, sort_unreadable
from seentwice.recommend.filling import fill_store
from seentwice.recommend.indexing import Brought, update_snapshot
from seentwice.recommend.listing_columns import keep_columns
from seentwice.recommend.listings import Grouping, Listings
from seentwice.recommend.photo_reader import PhotoReader, ReaderChoice
from seentwice.recommend.recommender import group_photos
from seentwice.recommend.scores import ScoreWeights
from seentwice.recommend.snapshot import (
    LISTINGS,
    About,
    Snapshot,
    go_back,
    has_snapshot,
    open_snapshot,
    read_about,
    save_snapshot,
)
from seentwice.recommend.tags import FRONT, head_number

if TYPE_CHECKING:
    from seentwice.recommend.triplets_file import NamedTriplets

INCOMPLETE = 1
"""The exit code where some files gave no photo, or rows or photos of a table are missing."""
_LOCK = "recommend.lock"


def index_photos(options: IndexOptions, console: Console) -> int:
    """Bring an index up to date with its folder, and tell what is in it.

    Raises:
        UserError: the folder holds no photo, the index cannot be written, a table or a checkpoint
            cannot be used.
    """
    root = options.photos.absolute()
    if Path(os.path.realpath(options.index)).is_relative_to(os.path.realpath(root)):
        raise UserError(f"--index {options.index}: in the folder of the photos; name one outside")
    check_root(root)
    if options.is_back:
        with hold_lock(options.index / _LOCK, _tell_waiting(options.index, console)):
            return _go_back(options, console)
    table = read_table(options, root, console)
    options.index.mkdir(parents=True, exist_ok=True)
    looking = Looking(root, "blocks", options.max_pixels)
    tell = _tell_waiting(options.index, console)
    with (
        hold_lock(options.index / _LOCK, tell),
        PhotoStore.open(options.index, looking.meta, tell) as store,
    ):
        return _index(options, looking, store, table, console)


def _index(
    options: IndexOptions,
    looking: Looking,
    store: PhotoStore,
    table: ListingsTable | None,
    console: Console,
) -> int:
    triplets = _read_triplets(options)
    old = _open_old(options.index, console)
    known = old.about if old is not None else read_about(options.index)
    choice, reader = _open_reader(options, known)
    with show_progress("Reading photos", console) as progress:
        updated = update_table(store, looking, options.workers or os.cpu_count() or 1, progress)
    with show_progress("Looking at photos", console) as progress:
        filled = fill_store(store, looking.root, reader, progress)
    about = About(
        generation=0,
        fingerprint=reader.fingerprint,
        tags=reader.tags,
        reader=choice,
        grouping="table" if table is not None else _choose_grouping(options, known),
        weights=_choose_weights(options, known),
        listings=LISTINGS if known is None else known.listings,
    )
    unreadable = [*updated.unreadable, *read_problems(store, looking.root), *filled.unreadable]
    sort_unreadable(unreadable, looking.root)
    if not store.scan((READ,))[READ].any():
        raise no_photos(looking.root, unreadable)
    brought = update_snapshot(old, store, about)
    snapshot = _learn(brought.snapshot, triplets, console)
    incomplete: list[str] = []
    if table is not None:
        table = table.follow_links(updated)
        table.require_photos(brought.snapshot, looking.root)
        snapshot = table.keep(options.index, snapshot)
        incomplete = list(table.describe_missing(snapshot))
    if snapshot.about.grouping == "table":
        keep_columns(options.index / snapshot.about.listings)
    is_new = old is None or snapshot.about != old.about
    if is_new or brought.added or brought.removed:
        save_snapshot(options.index, snapshot)
    _tell(options, brought, snapshot, updated, filled.seen, console)
    for line in (*incomplete, *report_unreadable(unreadable, options.index)):
        print_plainly(line, console)
    ask = shlex.join(["seentwice", "recommend", "PHOTO", "--among", str(options.photos)])
    print_plainly(f"Ask: {ask}", console)
    rejected = table.rejected if table is not None else 0
    return INCOMPLETE if unreadable or incomplete or rejected else 0


def _go_back(options: IndexOptions, console: Console) -> int:
    about = go_back(options.index)
    weights = about.weights
    print_plainly(
        f"As before: {show_text(about.reader.checkpoint)}; a listing is each "
        f"{'row of a table' if about.grouping == 'table' else about.grouping}; class points "
        f"{weights.class_points:.3g}, tag points {weights.tag_points:.3g}, visual similarity "
        f"{weights.visual_similarity:.3g}",
        console,
    )
    return 0


def _open_old(folder: Path, console: Console) -> Snapshot | None:
    """Return the state before; one that is damaged is made anew, from what is kept.

    Raises:
        UserError: it is of another version, or cannot be read.
    """
    if not has_snapshot(folder):
        return None
    try:
        return open_snapshot(folder)
    except DamagedIndexError as error:
        print_plainly(f"{error}; it is made anew now", console)
        return None


def _open_reader(options: IndexOptions, known: About | None) -> tuple[ReaderChoice, PhotoReader]:
    """Return what looks at photos: what the options name, or else what the last run had."""
    workers = options.workers or os.cpu_count() or 1
    checkpoint = options.tagger or options.detector
    if checkpoint is None:
        if known is None:
            raise UserError("what looks at the photos? add --tagger or --detector CHECKPOINT")
        choice = replace(known.reader, max_pixels=options.max_pixels)
        return choice, RememberedReader(replace(known, reader=choice), workers)
    from seentwice.recommend.readers import open_reader  # brings torch

    kind = "tagger" if options.tagger is not None else "detector"
    weights = _whole_path(options.weights)
    choice = ReaderChoice(kind, str(checkpoint.absolute()), weights, options.max_pixels)
    return choice, open_reader(choice, workers)


def _whole_path(weights: str | None) -> str | None:
    """Return the weights as they are found from any folder: imagenet is a name, a file a path."""
    return str(Path(weights).absolute()) if weights and Path(weights).exists() else weights


def _choose_grouping(options: IndexOptions, known: About | None) -> Grouping:
    if options.each is not None:
        return options.each
    return "photo" if known is None else known.grouping


def _choose_weights(options: IndexOptions, known: About | None) -> ScoreWeights:
    if options.parts is not None:
        return replace(ScoreWeights(), **options.parts)
    return ScoreWeights() if known is None else known.weights


def _read_triplets(options: IndexOptions) -> "NamedTriplets | None":
    if options.triplets is None:
        return None
    from seentwice.recommend.triplets_file import read_triplets  # brings sklearn

    return read_triplets(options.triplets)


def _learn(snapshot: Snapshot, named: "NamedTriplets | None", console: Console) -> Snapshot:
    if named is None:
        return snapshot
    from seentwice.recommend.triplets_file import find_triplets, learn_from  # brings sklearn

    triplets = find_triplets(named, snapshot.photos.number())
    learned = learn_from(snapshot, triplets, snapshot.about.weights)
    weights = learned.weights
    is_kept = learned.accuracy_before == 1
    print_plainly(
        f"{name_count(len(triplets.query), 'triplet', 'triplets')}: "
        f"{'the weights rank all of them rightly and are kept, ' if is_kept else ''}class points "
        f"{weights.class_points:.3g}, tag points {weights.tag_points:.3g}, visual similarity "
        f"{weights.visual_similarity:.3g}{'' if is_kept else ' from now on'}",
        console,
    )
    if is_kept:
        return snapshot
    accuracy = (
        "queries too few or too unlike to tell how many with learned ones"
        if learned.accuracy is None
        else f"{learned.accuracy:.1%} with learned ones, on queries that were not learned from"
    )
    print_plainly(f"  ranked rightly: {learned.accuracy_before:.1%} before, {accuracy}", console)
    return replace(snapshot, about=replace(snapshot.about, weights=weights))


def _tell_waiting(folder: Path, console: Console) -> Callable[[], None]:
    @cache
    def tell() -> None:
        print_plainly(f"Another run writes {folder}; waiting for it", console)

    return tell


def _tell(
    options: IndexOptions,
    brought: Brought,
    snapshot: Snapshot,
    updated: Updated,
    seen: int,
    console: Console,
) -> None:
    about = snapshot.about
    listings = group_photos(options.index, about, snapshot.photos)
    shown = int(np.count_nonzero(listings.counts))
    photos = int(snapshot.photos.is_there.sum())
    print_plainly(
        f"{name_count(photos, 'photo', 'photos')} in {name_count(shown, 'listing', 'listings')}; "
        f"{name_count(updated.read, 'file was', 'files were')} read, {seen:,} looked at; "
        f"{brought.added:,} came, {brought.removed:,} went",
        console,
    )
    heads = ", ".join(f"{head.name} ({len(head.labels)})" for head in about.tags.heads)
    print_plainly(f"  tags: {heads or 'none, so class and tag points are 0'}", console)
    for line in warn_of(about, listings):
        print_plainly(f"  {line}", console)


def warn_of(about: About, listings: Listings) -> Iterator[str]:
    """Yield what of the tags has no effect, and why."""
    front = head_number(about.tags, FRONT)
    if about.tags.heads and front is None:
        yield f"no head {FRONT!r}, so class points are 0"
    if front is not None and FRONT not in about.tags.heads[front].labels:
        labels = ", ".join(about.tags.heads[front].labels)
        yield (
            f"the head {FRONT!r} has the labels {labels} and none {FRONT!r}, which tells house "
            "fronts, so class points are 0"
        )
    for head in about.tags.heads:
        if head.name in listings.columns:
            yield f"filters on {head.name!r} ask the column of the table, not the tag of that name"
