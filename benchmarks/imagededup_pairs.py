"""What imagededup makes of a folder: its hashes, its CNN's encodings, and the pairs of them.

    pip install imagededup

It is needed by benchmarks/dedupe.py alone, so it is no dependency of the package. Its
`find_duplicates` lists all pairs within a threshold, and no groups.
"""

import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

import numpy as np
from group_measures import Indices
from numpy.typing import NDArray

from seentwice.hamming import hamming_bits

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # of its own modules' syntax
    try:
        from imagededup.methods import DHash, PHash
    except ImportError as error:
        raise SystemExit("needs imagededup: pip install imagededup") from error

METHODS = {"PHash": PHash, "DHash": DHash}
DEFAULT_BITS, DEFAULT_SIMILARITY = 10, 0.9
_ROWS = 256  # compared with all others at once: 20 MB of distances for 10,000


@dataclass(frozen=True, slots=True)
class PeerRun:
    """How long its two steps took."""

    encode_seconds: float
    find_seconds: float
    pairs: int


@dataclass(frozen=True, slots=True, eq=False)
class NearPairs:
    """Pairs of photos that are near, (m,) each, with how near."""

    left: Indices
    right: Indices  # above left
    values: NDArray[np.float64]  # bits, or a cosine


def run_phash(root: Path, workers: int) -> PeerRun:
    """Hash a folder and find its pairs at the default threshold, as its documentation does."""
    hasher = PHash(verbose=False)
    start = perf_counter()
    encodings = hasher.encode_images(root, num_enc_workers=workers)
    encoded = perf_counter()
    found = find_duplicates(hasher, encodings, DEFAULT_BITS, workers)
    return PeerRun(encoded - start, perf_counter() - encoded, sum(map(len, found.values())) // 2)


def find_duplicates(
    hasher: PHash | DHash, encodings: dict[str, str], bits: int, workers: int
) -> dict[str, list[str]]:
    """Return what it finds for each photo."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that encodings are given, which is meant
        found: dict[str, list[str]] = hasher.find_duplicates(
            encoding_map=encodings, max_distance_threshold=bits, num_dist_workers=workers
        )
    return found


def encode_hashes(method: str, root: Path, keys: Sequence[str], workers: int) -> NDArray[np.uint64]:
    """Return its hashes of the photos of a folder, (n,), in the order of keys."""
    encodings = METHODS[method](verbose=False).encode_images(root, num_enc_workers=workers)
    return np.array([int(encodings[key], 16) for key in keys], np.uint64)


def list_near_hashes(hashes: NDArray[np.uint64], most_bits: int) -> NearPairs:
    """List the pairs that its `find_duplicates` finds at a threshold, but without its wait."""

    def compare() -> Iterator[tuple[int, NDArray[np.bool_], NDArray[np.float64]]]:
        for start in range(0, len(hashes), _ROWS):
            bits = hamming_bits(hashes[start : start + _ROWS, np.newaxis], hashes)
            yield start, bits <= most_bits, bits

    return _list_pairs(compare())


def list_near_rows(rows: NDArray[np.float32], least: float) -> NearPairs:
    """List the pairs whose cosine is at least so much, as its `find_duplicates` does."""
    unit = rows / np.linalg.norm(rows, axis=1, keepdims=True)

    def compare() -> Iterator[tuple[int, NDArray[np.bool_], NDArray[np.float64]]]:
        for start in range(0, len(unit), _ROWS):
            cosine = unit[start : start + _ROWS] @ unit.T
            yield start, cosine >= least, cosine

    return _list_pairs(compare())


def _list_pairs(
    blocks: Iterator[tuple[int, NDArray[np.bool_], NDArray[np.float64]]],
) -> NearPairs:
    left, right = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
    values = [np.empty(0)]
    for start, is_near, value in blocks:
        row, column = np.nonzero(is_near)
        once = column > row + start
        left.append(row[once] + start)
        right.append(column[once])
        values.append(value[row[once], column[once]].astype(np.float64))
    return NearPairs(np.concatenate(left), np.concatenate(right), np.concatenate(values))
