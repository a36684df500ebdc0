"""One photo against an index of many, in a process that stays and by the command."""

import os
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from time import perf_counter

import numpy as np
from dedupe_copies import PROGRAM
from dedupe_ours import HASH_BITS, LEAST_SCORE, MAX_PIXELS, group_folder

from seentwice.block_hashing import BLOCK_HASHES, SIGNATURE_BYTES
from seentwice.dedupe.checking import CheckSettings, PhotoChecker
from seentwice.dedupe.looking import Looking
from seentwice.index.photo_row import PhotoRow
from seentwice.index.store import PhotoStore
from seentwice.photos import find_photos

BATCH = 1 << 14
ASKED = 101
COMMANDS = 3
THREADS = os.cpu_count() or 1


def measure_check(photos: Path, sizes: Sequence[int]) -> dict[str, object]:
    """Ask about photos that the index holds.

    Args:
        photos: fill the index first; what is asked for is among them.
        sizes: rows of the index, rising, beside those of the photos alone; made ones have random
            hashes.
    """
    asked = sorted(find_photos(photos)[0])[:ASKED]
    looking = Looking(photos, "blocks", MAX_PIXELS)
    with tempfile.TemporaryDirectory() as temporary:
        index = Path(temporary) / "index"
        there = group_folder(photos, index, THREADS).duplicates.searched
        found = {str(there): check_all(index, asked)}
        for size in sizes:
            with PhotoStore.open(index, looking.meta, lambda: None) as store:
                for start in range(there, size, BATCH):
                    store.write(make_rows(start, min(BATCH, size - start)))
            there = size
            found[str(size)] = check_all(index, asked)
    return {"hash_bits": HASH_BITS, "asked": len(asked), "index_rows": found}


def make_rows(start: int, count: int) -> list[PhotoRow]:
    """Make rows of photos that have nothing in common."""
    generator = np.random.default_rng(start)
    hashes = generator.integers(0, 2**64, (count, len(BLOCK_HASHES)), dtype=np.uint64).tolist()
    return [
        PhotoRow(
            key=f"made/{start + number}.jpg",
            size_bytes=150_000,
            modified_ns=number,
            inode=start + number,
            sha256=generator.bytes(32),
            width=1024,
            height=768,
            hashes=tuple(own),
            decoding="blocks",
            signature=generator.bytes(SIGNATURE_BYTES),
            has_content=True,
            reason="",
            detail="",
        )
        for number, own in enumerate(hashes)
    ]


def check_all(index: Path, asked: Sequence[Path]) -> dict[str, float]:
    """Ask about every photo in turn; the first brings the hashes into memory."""
    settings = CheckSettings(HASH_BITS, LEAST_SCORE, True, MAX_PIXELS, THREADS)
    seconds, found = [], 0
    with PhotoStore.open_to_read(index, lambda: None) as store:
        checker = PhotoChecker(store, settings)
        for photo in asked:
            start = perf_counter()
            matches = checker.check(photo)
            seconds.append(perf_counter() - start)
            found += photo.name in [match.left for match in matches]
    return {
        "found": found,
        "first_ms": round(1e3 * seconds[0], 2),
        "median_ms": round(1e3 * median(seconds[1:]), 2),
        "p95_ms": round(1e3 * float(np.quantile(seconds[1:], 0.95)), 2),
        "command_seconds": round(median(time_command(index, asked[0]) for _ in range(COMMANDS)), 3),
    }


def time_command(index: Path, photo: Path) -> float:
    """Return the seconds of the whole command, its start included."""
    start = perf_counter()
    words = ["check", str(photo), "--index", str(index)]
    subprocess.run([PROGRAM, *words], check=True, stdout=subprocess.DEVNULL)
    return perf_counter() - start
