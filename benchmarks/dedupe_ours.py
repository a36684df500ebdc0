"""What `seentwice dedupe` does with a folder, in this process: from files to groups, no report."""

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from time import perf_counter

import numpy as np
from group_measures import Labels

from seentwice.dedupe.findings import Duplicates
from seentwice.dedupe.folder import (
    OpenVerifier,
    describe_searched,
    search_folder,
    verify_by_hashes,
)
from seentwice.dedupe.looking import Looking
from seentwice.dedupe.pictures import PhotoTable
from seentwice.dedupe.turning import orient
from seentwice.dedupe.verify import HashVerifier, SearchSettings, Verifier
from seentwice.index.store import PhotoStore

MAX_PIXELS = 100_000_000
HASH_BITS = 10
LEAST_SCORE = 0.5
HASHES_ALONE = verify_by_hashes(is_turned=True)


@dataclass(frozen=True, slots=True, eq=False)
class GroupedFolder:
    """The groups of a folder, and how long they took."""

    duplicates: Duplicates
    read: int  # files
    table_seconds: float  # until the table of photos is up to date
    seconds: float  # in all


def group_folder(
    root: Path,
    index: Path,
    workers: int,
    open_verifier: OpenVerifier = HASHES_ALONE,
    is_confirmed: bool = True,
) -> GroupedFolder:
    """Bring the index of a folder up to date and group its photos, as the command does.

    Args:
        root: of the photos.
        index: a folder; what is there is not read again.
        workers: processes and threads.
        open_verifier: makes what scores pairs.
        is_confirmed: whether key points must confirm what nothing but embeddings shows.
    """
    looking = Looking(root, "blocks", MAX_PIXELS)
    settings = SearchSettings(HASH_BITS, LEAST_SCORE, True, MAX_PIXELS, workers)
    read_at = start = perf_counter()

    def open_timed(store: PhotoStore, table: PhotoTable) -> Verifier:
        nonlocal read_at
        read_at = perf_counter()
        return open_verifier(store, table)

    with PhotoStore.open(index, looking.meta, lambda: None) as store:
        searched = search_folder(
            store,
            looking,
            settings,
            open_timed,
            None,
            lambda done, total: None,
            lambda done, total: None,
        )
        if is_confirmed and not isinstance(searched.verifier, HashVerifier):
            from seentwice.dedupe.confirming import confirm_groups

            confirmed = confirm_groups(
                searched.found,
                searched.verifier,
                root,
                MAX_PIXELS,
                workers,
                lambda done, total: None,
            )
            searched = replace(searched, found=confirmed)
        duplicates = describe_searched(searched, root, "largest", settings)
    end = perf_counter()
    return GroupedFolder(duplicates, searched.updated.read, read_at - start, end - start)


def label_groups(duplicates: Duplicates, keys: Sequence[str]) -> Labels:
    """Return the group of each photo by its key; one in none has a number of its own."""
    number = {key: n for n, key in enumerate(keys)}
    labels = np.arange(len(keys))
    for group in duplicates.groups:
        members = [number[photo.key] for photo in group.photos]
        labels[members] = members[0]
    return labels


def verify_by_checkpoint(root: Path, checkpoint: Path, weights: str, workers: int) -> OpenVerifier:
    """Return what opens a verifier that embeds photos with a trained net.

    Args:
        root: of the photos.
        checkpoint: of the net.
        weights: of its trunk, where the checkpoint does not hold them.
        workers: processes and threads.
    """
    # Here, so that the hashes alone do not pay for what it imports.
    from seentwice.dedupe.embedding_verifier import open_embedding_verifier

    def open_verifier(store: PhotoStore, table: PhotoTable) -> Verifier:
        return open_embedding_verifier(
            store,
            table,
            root,
            checkpoint,
            weights,
            MAX_PIXELS,
            workers,
            orient(table.signature),
            HASH_BITS,
            lambda done, total: None,
        )

    return open_verifier


def print_run() -> None:
    """Group the folder that the command line names; a process of its own is measured with it."""
    root, index, workers = sys.argv[1:]
    grouped = group_folder(Path(root), Path(index), int(workers))
    print(
        json.dumps(
            {
                "read": grouped.read,
                "table_seconds": round(grouped.table_seconds, 3),
                "seconds": round(grouped.seconds, 3),
                "groups": len(grouped.duplicates.groups),
                "unreadable": len(grouped.duplicates.unreadable),
            }
        )
    )
