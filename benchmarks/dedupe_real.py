"""The duplicates that the Houses-dataset itself holds, and how hashes drift with the decoding."""

import os
import tempfile
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from itertools import combinations
from multiprocessing import get_context
from pathlib import Path

import numpy as np
from dedupe_copies import read_twins
from dedupe_ours import MAX_PIXELS, group_folder
from numpy.typing import NDArray

from seentwice.block_hashing import BLOCK_HASHES
from seentwice.dedupe.looking import Decoding, Looking, look_at_file
from seentwice.hamming import hamming_bits
from seentwice.photos import find_photos, read_photo

THREADS = os.cpu_count() or 1
PNG_PHOTOS = 400


def measure_real(photos: Path) -> dict[str, object]:
    """Group the photos as they are, and compare with what they are known to hold twice."""
    with tempfile.TemporaryDirectory() as temporary:
        duplicates = group_folder(photos, Path(temporary) / "index", THREADS).duplicates
    there = {photo.path.name for group in duplicates.groups for photo in group.photos}
    known = {frozenset(pair) for pair in read_twins()}
    groups = []
    found: set[frozenset[str]] = set()
    for group in duplicates.groups:
        keys = sorted(photo.key for photo in group.photos)
        pairs = {frozenset(pair) for pair in combinations(keys, 2)}
        found |= pairs
        groups.append(
            {
                "photos": keys,
                "is_known": pairs <= known,
                "evidence": sorted({str(e) for match in group.matches for e in match.evidence}),
                "least_score": round(min(match.score for match in group.matches), 4),
            }
        )
    return {
        "photos": duplicates.searched,
        "without_content": duplicates.without_content,
        "unreadable": len(duplicates.unreadable),
        "known_pairs": len(known),
        "known_pairs_found": len(known & found),
        "known_pairs_missed": sorted(sorted(pair) for pair in known - found),
        "groups_found": len(groups),
        "photos_in_groups": len(there),
        "false_groups": sum(not group["is_known"] for group in groups),
        "links_beside_groups": len(duplicates.links),
        "groups": groups,
    }


def measure_drift(photos: Path) -> dict[str, object]:
    """Count the bits by which hashes move with the way of decoding, and with the format."""
    files = sorted(find_photos(photos)[0])
    with (
        tempfile.TemporaryDirectory() as temporary,
        ProcessPoolExecutor(THREADS, get_context("forkserver")) as pool,
    ):
        folder = Path(temporary)
        pngs = list(pool.map(partial(save_png, folder), files[:PNG_PHOTOS], chunksize=8))
        blocks, full, png = (
            np.array(list(pool.map(partial(hash_file, decoding), some, chunksize=16)), np.uint64)
            for decoding, some in (("blocks", files), ("full", files), ("blocks", pngs))
        )
    return {
        "photos": len(files),
        "blocks_beside_full": describe_drift(blocks, full),
        "png_photos": len(pngs),
        "jpeg_beside_png": describe_drift(blocks[: len(pngs)], png),
    }


def save_png(folder: Path, file: Path) -> Path:
    """Save a photo's pixels without loss; return the file."""
    target = folder / f"{file.stem}.png"
    read_photo(file, MAX_PIXELS).save(target, compress_level=1)
    return target


def hash_file(decoding: Decoding, file: Path) -> Sequence[int]:
    """Return the hashes that the table of photos keeps of a file."""
    row = look_at_file(Looking(file.parent, decoding, MAX_PIXELS), file.name)
    if row.reason:
        raise SystemExit(f"{file}: {row.reason}; give a folder of whole photos")
    return row.hashes


def describe_drift(
    one: NDArray[np.uint64], other: NDArray[np.uint64]
) -> Mapping[str, Mapping[str, float]]:
    """Return mean, 95th percentile and most bits of each hash, of hashes (n, h) and (n, h)."""
    bits = hamming_bits(one, other)
    return {
        name: {
            "mean_bits": round(float(column.mean()), 4),
            "p95_bits": float(np.quantile(column, 0.95, method="higher")),
            "most_bits": int(column.max()),
            "share_moved": round(float((column > 0).mean()), 4),
        }
        for name, column in zip(BLOCK_HASHES, bits.T, strict=True)
    }
