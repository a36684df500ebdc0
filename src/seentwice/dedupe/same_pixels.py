"""Photos of the same pixels in other files: other metadata, another format, another compression."""

import hashlib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seentwice.data.source import Progress
from seentwice.dedupe.looking import open_regular
from seentwice.dedupe.pictures import Indices, PhotoTable, Pictures, merge_pictures, paths_of
from seentwice.index.store import PhotoStore
from seentwice.photos import PhotoError, decode_photo
from seentwice.photos.pixel_digest import digest_image

PIXELS = "pixels"
"""The name in a store of what is known of pixels: the sha256 of their size and RGB values."""
MOST_DIFFERENCE = 2
"""Of 255: what tiny pictures of the same pixels may differ by, where files are of two formats."""
_BATCH = 256  # digests that are written at once


def find_same_pixels(
    store: PhotoStore,
    table: PhotoTable,
    pictures: Pictures,
    root: Path,
    max_pixels: int,
    workers: int,
    on_progress: Progress,
) -> Pictures:
    """Put pictures together whose pixels are equal.

    Equal pixels have equal sizes, hashes and tiny pictures, so only pictures that share those with
    another are decoded, in full, and once: the store keeps what came of it. A JPEG's own block
    means and those of the same pixels in another format are rounded differently, so their tiny
    pictures may differ by `MOST_DIFFERENCE`; where their hashes do, too, they match by those alone.

    Args:
        store: knows and keeps digests of pixels.
        table: n photos.
        pictures: of files of the same bytes.
        root: the folder of the photos.
        max_pixels: as the photos were read with.
        workers: threads that decode.
        on_progress: told of the pictures that are decoded.
    """
    suspects = _find_suspects(table, pictures)
    files = table.sha256[pictures.first[suspects]]
    digests, is_there = store.read_embeddings(PIXELS, files)
    known = np.zeros((len(suspects), 32), np.uint8)
    if is_there.any():
        known[is_there] = digests[is_there]
    missing = np.flatnonzero(~is_there)
    with ThreadPoolExecutor(workers) as pool:
        # A batch at a time, so that few wait, and Ctrl-C ends once they are done.
        for start in range(0, len(missing), _BATCH):
            batch = missing[start : start + _BATCH]
            found = pool.map(
                lambda path, file: digest_pixels(path, file.tobytes(), max_pixels),
                paths_of(table, pictures.first[suspects[batch]], root),
                files[batch],
            )
            known[batch] = np.frombuffer(b"".join(found), np.uint8).reshape(-1, 32)
            seen = batch[known[batch].any(axis=1)]
            store.write_embeddings(PIXELS, files[seen], known[seen])
            on_progress(start + len(batch), len(missing))
    same_as = np.arange(len(pictures.first))
    is_known = known.any(axis=1)
    order = np.flatnonzero(is_known)[np.lexsort((*known[is_known].view(np.uint64).T,))]
    is_same = (known[order[1:]] == known[order[:-1]]).all(axis=1)
    heads = np.concatenate([[True], ~is_same])[: len(order)]
    if len(order):
        starts = np.flatnonzero(heads)
        least = np.minimum.reduceat(suspects[order], starts)
        same_as[suspects[order]] = least[np.cumsum(heads) - 1]
    return merge_pictures(pictures, same_as)


def _find_suspects(table: PhotoTable, pictures: Pictures) -> Indices:
    """Return pictures whose pixels may be those of another: equal sizes and hashes, near tones."""
    first = pictures.first
    is_own = table.is_own[first]
    size = table.width[first].astype(np.uint64) << np.uint64(32) | table.height[first]
    shared = (*table.hashes[first].T, size)
    is_suspect = np.zeros(len(first), bool)
    # Decoded in one way, the same pixels have the very same tiny picture.
    for twins in _group_equal((*shared, is_own, _digest_rows(table.signature[first]))):
        is_suspect[twins] = True
    for alike in _group_equal(shared):
        if is_own[alike].any() and not is_own[alike].all():
            is_suspect[alike[_have_a_neighbour(table.signature[first[alike]])]] = True
    return np.flatnonzero(is_suspect)


def _group_equal(columns: Sequence[NDArray[Any]]) -> list[Indices]:
    """Return the rows, two or more, that are equal in all columns, (n,) each."""
    order = np.lexsort(columns)
    is_new = np.zeros(len(order), bool)
    is_new[:1] = True
    for column in columns:
        is_new[1:] |= column[order[1:]] != column[order[:-1]]
    starts = np.flatnonzero(is_new)
    counts = np.diff(starts, append=len(order))
    return [
        order[starts[at] : starts[at] + counts[at]] for at in np.flatnonzero(counts > 1).tolist()
    ]


def _digest_rows(rows: NDArray[np.uint8]) -> NDArray[np.uint64]:
    """Return a number of each row (k, 8w), (k,): equal ones have equal numbers, others seldom."""
    words = np.ascontiguousarray(rows).view(np.uint64)
    factors = np.random.default_rng(0).integers(0, 2**64, words.shape[1], np.uint64) | np.uint64(1)
    digests: NDArray[np.uint64] = (words * factors).sum(axis=1, dtype=np.uint64)
    return digests


def _have_a_neighbour(signatures: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Whether each tiny picture, (k, s), may be near another one; some say so that are not.

    Those in the order of their mean tone are compared, each with the next: those that are near
    have near means, so one whose neighbours in that order are far by their means has none.
    """
    means = signatures.mean(axis=1)
    order = np.argsort(means, kind="stable")
    is_near = np.diff(means[order]) <= MOST_DIFFERENCE
    found = np.zeros(len(order), bool)
    found[order[1:]] |= is_near
    found[order[:-1]] |= is_near
    return found


def digest_pixels(path: Path, sha256: bytes, max_pixels: int) -> bytes:
    """Return the sha256 of a photo's size and upright RGB pixels.

    Args:
        path: of the photo.
        sha256: of the file when it was read.
        max_pixels: as it was read with.

    Returns:
        Zeros where the file is gone or is another one by now: the next run tells.
    """
    try:
        with open_regular(path) as file:
            if hashlib.file_digest(file, "sha256").digest() != sha256:
                return bytes(32)
            file.seek(0)
            photo = decode_photo(file, path, max_pixels)
    except (OSError, PhotoError):
        return bytes(32)
    return digest_image(photo)
