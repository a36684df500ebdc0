"""Deduplicate a folder: bring its table up to date, search it, and tell what was found."""

import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import get_args

import pyarrow.compute as pc  # type: ignore[import-untyped]

from seentwice.data.source import Progress, tell_nobody
from seentwice.dedupe.describing import describe_found
from seentwice.dedupe.findings import Duplicates
from seentwice.dedupe.keeping import KEEP
from seentwice.dedupe.looking import Decoding, Looking
from seentwice.dedupe.matching import Allow
from seentwice.dedupe.pictures import PhotoTable, read_table
from seentwice.dedupe.reading import Updated, update_table
from seentwice.dedupe.search import Found, search_table
from seentwice.dedupe.verify import HashVerifier, SearchSettings, Verifier, open_hash_verifier
from seentwice.errors import UserError
from seentwice.hamming import MOST_BITS
from seentwice.index.columns import decode_text
from seentwice.index.store import PhotoStore
from seentwice.photos.finding import check_root, no_photos, sort_unreadable
from seentwice.records import Reason, Unreadable

OpenVerifier = Callable[[PhotoStore, PhotoTable], Verifier]
"""Makes what scores the photos of a table."""


@dataclass(frozen=True, slots=True, eq=False)
class Searched:
    """What came of deduplicating a folder."""

    updated: Updated
    found: Found
    verifier: Verifier
    unreadable: tuple[Unreadable, ...]  # in the order of their paths


def verify_by_hashes(is_turned: bool) -> OpenVerifier:
    """Return what opens a verifier that needs no weights.

    Args:
        is_turned: whether photos that were mirrored or turned are copies, too.
    """

    def open_verifier(store: PhotoStore, table: PhotoTable) -> HashVerifier:
        return open_hash_verifier(table, is_turned)

    return open_verifier


def search_folder(
    store: PhotoStore,
    looking: Looking,
    settings: SearchSettings,
    open_verifier: OpenVerifier,
    choose_allowed: Callable[[PhotoTable, Updated], Allow] | None,
    on_read: Progress,
    on_compare: Progress,
) -> Searched:
    """Read what is new in a folder, and find the duplicates among all of its photos.

    Args:
        store: of this folder, open to be written.
        looking: how its files are read.
        settings: what is taken for a duplicate.
        open_verifier: makes what scores pairs.
        choose_allowed: makes what tells pairs that are no duplicates, whatever they show; None:
            any two may be.
        on_read: told of the files that are read.
        on_compare: told of the photos that are decoded to compare pixels.

    Raises:
        UserError: the folder is missing, cannot be listed or holds no photo; the store cannot be
            written.
    """
    updated = update_table(store, looking, settings.workers, on_read)
    unreadable = [*updated.unreadable, *read_problems(store, looking.root)]
    sort_unreadable(unreadable, looking.root)
    table = read_table(store)
    if not len(table):
        raise no_photos(looking.root, unreadable)
    verifier = open_verifier(store, table)
    allow = None if choose_allowed is None else choose_allowed(table, updated)
    found = search_table(store, table, looking.root, verifier, settings, allow, on_compare)
    return Searched(updated, found, verifier, tuple(unreadable))


def describe_searched(
    searched: Searched, root: Path, keep: str, settings: SearchSettings
) -> Duplicates:
    """Return what was found as records; see `describe_found`."""
    duplicates = describe_found(
        searched.found, searched.verifier, root, keep, settings, searched.unreadable
    )
    return replace(duplicates, same_files=searched.updated.same_files)


def read_problems(store: PhotoStore, root: Path) -> list[Unreadable]:
    """Return the files of a store that gave no photo, and why."""
    known = store.read_columns(("reason", "detail"))
    reasons = known["reason"]
    rows = pc.indices_nonzero(pc.binary_length(reasons)).to_pylist()
    return [
        Unreadable(
            root / known.key(row),
            Reason(decode_text(reasons[row].as_py())),
            decode_text(known["detail"][row].as_py()),
        )
        for row in rows
    ]


def find_duplicates(
    photos: Path,
    index: Path,
    hash_bits: int | None = 10,
    least_score: float = 0.5,
    is_turned: bool = True,
    keep: str = "largest",
    decoding: Decoding = "blocks",
    max_pixels: int = 10**8,
    workers: int | None = None,
    on_progress: Progress = tell_nobody,
) -> Duplicates:
    """Find the duplicates of a folder by the bytes, pixels and hashes of its photos.

    A script calls it below `if __name__ == "__main__":`, since photos are read by processes.

    Args:
        photos: the folder; photos are found at any depth.
        index: a folder of its own, kept from run to run: what has not changed is not read again.
        hash_bits: hashes this far apart are compared further, 0 to 12; None asks no hash.
        least_score: of a match: the probability that two photos are copies, in [0, 1].
        is_turned: whether mirrored and turned photos are copies.
        keep: a key of `KEEP`: what stands first in each group.
        decoding: "full" gives the hashes of imagehash, more slowly, in an index of its own.
        max_pixels: photos with more are listed as unreadable.
        workers: processes; None is one a core.
        on_progress: told of the files that are read.

    Raises:
        UserError: the folder is missing or holds no photo, the index is one of other photos or
            cannot be written, or an argument is none of its choices.
    """
    if keep not in KEEP:
        raise UserError(f"keep={keep!r}: choose one of {', '.join(KEEP)}")
    if hash_bits is not None and not 0 <= hash_bits <= MOST_BITS:
        raise UserError(f"hash_bits={hash_bits}: choose 0 to {MOST_BITS}, or None")
    if decoding not in get_args(Decoding):
        raise UserError(f"decoding={decoding!r}: choose one of {', '.join(get_args(Decoding))}")
    paths: dict[str, object] = {"photos": photos, "index": index}  # whatever annotations say
    for name, path in paths.items():
        if not isinstance(path, Path):
            raise UserError(f"{name}={path!r}: give Path({str(path)!r})")
    root = photos.absolute()
    looking = Looking(root, decoding, max_pixels)
    if not 0 < least_score <= 1:
        raise UserError(f"least_score={least_score}: give a number above 0, up to 1")
    for name, number in (
        ("max_pixels", max_pixels),
        ("workers", 1 if workers is None else workers),
    ):
        if number < 1:
            raise UserError(f"{name}={number}: give a whole number from 1 on")
    settings = SearchSettings(
        hash_bits, least_score, True, max_pixels, workers or os.cpu_count() or 1
    )
    check_root(root)
    with PhotoStore.open(index, looking.meta, lambda: None) as store:
        searched = search_folder(
            store,
            looking,
            settings,
            verify_by_hashes(is_turned),
            None,
            on_progress,
            tell_nobody,
        )
    return describe_searched(searched, root, keep, settings)
