"""The work of `seentwice index`: read what is new, look at it, and keep what is recommended from.

Each part is on the disk before the next begins, so a run that is stopped goes on there.
"""

import os
import shlex
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from rich.console import Console

from seentwice.commands.index_options import IndexOptions
from seentwice.commands.progress import print_plainly, show_progress
from seentwice.commands.remembered_reader import RememberedReader
from seentwice.commands.unreadable import report_unreadable
from seentwice.dedupe.folder import read_problems
from seentwice.dedupe.looking import Looking
from seentwice.dedupe.reading import Updated, update_table
from seentwice.display import name_count, name_first, show_text
from seentwice.errors import UserError
from seentwice.index.columns import READ
from seentwice.index.near_snapshot import DamagedIndexError
from seentwice.index.store import PhotoStore
from seentwice.locks import hold_lock
from seentwice.photos.finding import check_root, no_photos, sort_unreadable
from seentwice.recommend.filling import fill_store
from seentwice.recommend.indexing import Brought, update_snapshot
from seentwice.recommend.listing_columns import keep_columns
from seentwice.recommend.listing_table import replace_listings
from seentwice.recommend.listings import Grouping, ListingRecord, Listings
from seentwice.recommend.listings_file import find_missing, read_listings
from seentwice.recommend.photo_reader import PhotoReader, ReaderChoice
from seentwice.recommend.recommender import group_photos
from seentwice.recommend.scores import ScoreWeights
from seentwice.recommend.snapshot import (
    LISTINGS,
    About,
    Snapshot,
    go_back,
    has_snapshot,
    name_table,
    open_snapshot,
    read_about,
    save_snapshot,
)
from seentwice.recommend.tags import FRONT, head_number

if TYPE_CHECKING:
    from seentwice.recommend.triplets_file import NamedTriplets

UNREADABLE = 1
"""The exit code where some files gave no photo."""
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
    records = _read_records(options, root, console)
    options.index.mkdir(parents=True, exist_ok=True)
    looking = Looking(root, "blocks", options.max_pixels)
    tell = _tell_waiting(options.index, console)
    with (
        hold_lock(options.index / _LOCK, tell),
        PhotoStore.open(options.index, looking.meta, tell) as store,
    ):
        return _index(options, looking, store, records, console)


def _index(
    options: IndexOptions,
    looking: Looking,
    store: PhotoStore,
    records: Sequence[ListingRecord] | None,
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
        grouping="table" if records is not None else _choose_grouping(options, known),
        weights=_choose_weights(options, known),
        listings=LISTINGS if known is None else known.listings,
    )
    unreadable = [*updated.unreadable, *read_problems(store, looking.root), *filled.unreadable]
    sort_unreadable(unreadable, looking.root)
    if not store.scan((READ,))[READ].any():
        raise no_photos(looking.root, unreadable)
    brought = update_snapshot(old, store, about)
    snapshot = _learn(brought.snapshot, triplets, console)
    if records is not None:
        records = _follow_links(records, updated)
        _require_photos(records, brought.snapshot, looking.root)
        snapshot = _keep_listings(options.index, records, snapshot)
    if snapshot.about.grouping == "table":
        keep_columns(options.index / snapshot.about.listings)
    is_new = old is None or snapshot.about != old.about
    if is_new or brought.added or brought.removed:
        save_snapshot(options.index, snapshot)
    _tell(options, brought, snapshot, updated, filled.seen, console)
    _tell_missing(records or (), snapshot, console)
    for line in report_unreadable(unreadable, options.index):
        print_plainly(line, console)
    ask = shlex.join(["seentwice", "recommend", "PHOTO", "--among", str(options.photos)])
    print_plainly(f"Ask: {ask}", console)
    return UNREADABLE if unreadable else 0


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


def _keep_listings(folder: Path, records: Sequence[ListingRecord], snapshot: Snapshot) -> Snapshot:
    """Write listings into a table of their own, which counts once a state names it."""
    name = name_table()
    replace_listings(folder / name, records)
    return replace(snapshot, about=replace(snapshot.about, listings=name))


def _read_records(
    options: IndexOptions, root: Path, console: Console
) -> tuple[ListingRecord, ...] | None:
    if options.listings is None:
        return None
    with show_progress("Reading the table (bytes)", console) as progress:
        return read_listings(options.listings, root, options.delimiter, progress)


def _follow_links(records: Sequence[ListingRecord], updated: Updated) -> list[ListingRecord]:
    """Name photos as the index does: a link by the file that it leads to."""
    name = {same.key: same.same_as for same in updated.same_files}
    return [
        replace(record, photos=tuple(name.get(key, key) for key in record.photos))
        for record in records
    ]


def _require_photos(records: Sequence[ListingRecord], snapshot: Snapshot, root: Path) -> None:
    """Refuse a table whose paths start somewhere else.

    Raises:
        UserError: not one photo of the listings is in the index.
    """
    missing = find_missing(records, snapshot.photos.number())
    if len(missing) == len({key for record in records for key in record.photos}):
        named = f"such as {missing[0]!r}" if missing else "since it names none"
        raise UserError(
            f"--listings: no photo of it is in {show_text(str(root))}, {named}; paths start in "
            "that folder"
        )


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
    print_plainly(
        f"{name_count(len(triplets.query), 'triplet', 'triplets')}: class points "
        f"{weights.class_points:.3g}, tag points {weights.tag_points:.3g}, visual similarity "
        f"{weights.visual_similarity:.3g} from now on",
        console,
    )
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


def _tell_missing(records: Sequence[ListingRecord], snapshot: Snapshot, console: Console) -> None:
    missing = find_missing(records, snapshot.photos.number())
    if missing:
        print_plainly(
            f"  {name_count(len(missing), 'photo', 'photos')} of listings are not among those "
            f"that were read: {name_first(missing)}",
            console,
        )
