"""The embeddings of a table's photos: those that are missing are computed, and kept."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from seentwice.data.source import Progress
from seentwice.dedupe.pictures import Indices, PhotoTable, group_same, paths_of
from seentwice.detectors.photo_embedder import PhotoEmbedder
from seentwice.detectors.trunk import unit_rows
from seentwice.index.store import PhotoStore
from seentwice.photos.problems import record_refusal
from seentwice.records import Reason, Unreadable

_BATCH = 512  # embeddings that are written at once: a run that is stopped goes on there
_BLOCK = 1 << 14  # embeddings that are scaled at once


@dataclass(frozen=True, slots=True, eq=False)
class Embeddings:
    """Embeddings of the n photos of a table; files of the same bytes share one."""

    rows: NDArray[np.float32]  # (u, e), each of length 1, or of zeros where there is none
    of_photo: Indices  # (n,) the row of each photo
    is_there: NDArray[np.bool_]  # (n,) whether it has one
    unreadable: tuple[Unreadable, ...]  # photos that could be read before, and not now


def fill_embeddings(
    store: PhotoStore,
    table: PhotoTable,
    root: Path,
    embedder: PhotoEmbedder,
    on_progress: Progress,
) -> Embeddings:
    """Return the embeddings of photos; the store keeps those that were not there.

    Args:
        store: knows and keeps embeddings, in half precision, by the sha256 of their files.
        table: the photos.
        root: their folder.
        embedder: computes what is missing.
        on_progress: told of the files that are embedded.

    Raises:
        UserError: the store cannot be written.
    """
    files = group_same(table.sha256)
    kept, is_there = store.read_embeddings(embedder.fingerprint, table.sha256[files.first])
    rows = kept.astype(np.float32)
    del kept
    unreadable: list[Unreadable] = []
    missing = files.first[~is_there]
    for batch in _embed(table, missing, root, embedder, on_progress):
        unreadable += batch.unreadable
        if not len(batch.photos):
            continue
        half = batch.rows.astype(np.float16)
        store.write_embeddings(embedder.fingerprint, table.sha256[batch.photos], half)
        if not rows.shape[1]:
            rows = np.zeros((len(rows), half.shape[1]), np.float32)
        places = files.of_photo[batch.photos]
        rows[places] = half  # as the next run will read them
        is_there[places] = True
    for start in range(0, len(rows), _BLOCK):
        block = slice(start, start + _BLOCK)
        rows[block] = unit_rows(rows[block])
    return Embeddings(rows, files.of_photo, is_there[files.of_photo], tuple(unreadable))


@dataclass(frozen=True, slots=True, eq=False)
class _Batch:
    photos: Indices  # (b,)
    rows: NDArray[np.float32]  # (b, e)
    unreadable: tuple[Unreadable, ...]


def _embed(
    table: PhotoTable, photos: Indices, root: Path, embedder: PhotoEmbedder, on_progress: Progress
) -> Iterator[_Batch]:
    """Yield the embeddings of photos; one whose file changed since it was hashed is left out."""
    for start in range(0, len(photos), _BATCH):
        some = photos[start : start + _BATCH]
        paths = paths_of(table, some, root)
        number = dict(zip(paths, some.tolist(), strict=True))
        embedded: list[int] = []
        rows: list[NDArray[np.float32]] = []
        unreadable: list[Unreadable] = []

        def tell(here: int, _: int, before: int = start) -> None:
            on_progress(before + here, len(photos))

        for part in embedder.embed(paths, tell):
            unreadable += part.unreadable
            for path, row in zip(part.files, part.rows, strict=True):
                problem = _find_change(table, number[path], path)
                if problem is None:
                    embedded.append(number[path])
                    rows.append(row)
                else:
                    unreadable.append(problem)
        yield _Batch(np.array(embedded, np.int64), np.array(rows), tuple(unreadable))


def _find_change(table: PhotoTable, photo: int, path: Path) -> Unreadable | None:
    """Return what is wrong with a file that is no longer the one whose sha256 is known."""
    try:
        status = path.stat()
    except OSError as error:
        return record_refusal(path, error)
    known = int(table.size_bytes[photo]), int(table.modified_ns[photo])
    if (status.st_size, status.st_mtime_ns) == known:
        return None
    return Unreadable(path, Reason.CHANGED, "let its writer finish, and run again")
