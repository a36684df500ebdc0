"""Tags and embeddings of a folder's photos: what is missing is computed once a file, and kept."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from seentwice.data.source import Progress
from seentwice.index.columns import READ, decode_text
from seentwice.index.store import PhotoStore
from seentwice.photos.problems import record_refusal
from seentwice.recommend.photo_reader import PhotoReader
from seentwice.records import Reason, Unreadable

_BATCH = 512  # files that a reader is given at once
_WRITTEN = 64  # rows that are written at once: a run that is killed goes on there


@dataclass(frozen=True, slots=True)
class Filled:
    """What came of looking at photos."""

    seen: int  # files that were new
    unreadable: tuple[Unreadable, ...]  # that could be read before, and not now


@dataclass(frozen=True, slots=True, eq=False)
class _Files:
    """Files of different bytes of which nothing was computed yet, n of them."""

    paths: Sequence[Path]
    digests: NDArray[np.uint8]  # (n, 32)
    size_bytes: NDArray[np.int64]  # (n,)
    modified_ns: NDArray[np.int64]  # (n,)


def fill_store(store: PhotoStore, root: Path, reader: PhotoReader, on_progress: Progress) -> Filled:
    """Look at the photos of a store of which nothing is kept yet, and keep what is seen.

    Probabilities and embeddings stand side by side in half precision, under the reader's
    fingerprint and the sha256 of the file.

    Args:
        store: open to be written, up to date with the folder.
        root: the folder.
        reader: looks at photos.
        on_progress: told of the files that are done.

    Raises:
        UserError: the store cannot be written.
    """
    files = _find_missing(store, root, reader.fingerprint)
    unreadable: list[Unreadable] = []
    with _keep_rows(store, reader.fingerprint, files.digests) as kept:
        for start in range(0, len(files.paths), _BATCH):
            paths = files.paths[start : start + _BATCH]
            number = {path: start + place for place, path in enumerate(paths)}

            def tell(here: int, _: int, before: int = start) -> None:
                on_progress(before + here, len(files.paths))

            for batch in reader.read(paths, tell):
                unreadable += batch.unreadable
                for path, row in zip(batch.files, batch.values, strict=True):
                    problem = _find_change(files, number[path])
                    if problem is None:
                        kept.add(number[path], row)
                    else:
                        unreadable.append(problem)
    return Filled(kept.seen, tuple(unreadable))


@dataclass(slots=True, eq=False)
class _KeptRows:
    """Rows on their way to the store."""

    store: PhotoStore
    fingerprint: str  # of what computed them
    digests: NDArray[np.uint8]  # (n, 32) of all files
    seen: int = 0  # rows so far
    waiting: dict[int, NDArray[np.float32]] = field(default_factory=dict)  # by number of the file

    def add(self, number: int, row: NDArray[np.float32]) -> None:
        self.waiting[number] = row
        self.seen += 1
        if len(self.waiting) >= _WRITTEN:
            self.write()

    def write(self) -> None:
        rows, self.waiting = self.waiting, {}
        if rows:
            half = np.stack([*rows.values()]).astype(np.float16)
            self.store.write_embeddings(self.fingerprint, self.digests[[*rows]], half)


@contextmanager
def _keep_rows(
    store: PhotoStore, fingerprint: str, digests: NDArray[np.uint8]
) -> Iterator[_KeptRows]:
    """Write what the block adds, whatever ends it."""
    kept = _KeptRows(store, fingerprint, digests)
    try:
        yield kept
    finally:
        kept.write()


def _find_missing(store: PhotoStore, root: Path, fingerprint: str) -> _Files:
    known = store.read_columns(("sha256", READ, "size_bytes", "modified_ns"))
    read = np.flatnonzero(known[READ])
    # Of files of the same bytes the first is looked at.
    words = np.ascontiguousarray(known["sha256"][read]).view("V32")[:, 0]
    read = read[np.sort(np.unique(words, return_index=True)[1])]
    missing = read[~store.has_embeddings(fingerprint, known["sha256"][read])]
    keys = known["key"].take(missing)
    return _Files(
        [root / decode_text(key.as_py()) for key in keys],
        known["sha256"][missing],
        known["size_bytes"][missing],
        known["modified_ns"][missing],
    )


def _find_change(files: _Files, number: int) -> Unreadable | None:
    """Return what is wrong with a file that is no longer the one whose sha256 is known."""
    path = files.paths[number]
    try:
        status = path.stat()
    except OSError as error:
        return record_refusal(path, error)
    known = int(files.size_bytes[number]), int(files.modified_ns[number])
    if (status.st_size, status.st_mtime_ns) == known:
        return None
    return Unreadable(path, Reason.CHANGED, "let its writer finish, and run again")
