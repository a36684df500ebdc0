"""What the check for leaks and suspects finds in the Houses-dataset, and which hash fits it.

    python benchmarks/leaks.py data/raw/houses

Two cores, half a minute. Expected: of the 23 pairs of photos that are known to be the same,
`perception` finds all within 2 bits and no other; `average` and `wavelet` take other pairs for the
same. Where the list of known pairs is not used, houses are split as their names say, and some of
these pairs leak: 10 with the default split, 13 over five folds, none that is not in the list. All
23 are suspect then, 13 of them within a split (10 within a fold), and no other pair is.

Writes benchmarks/results/leaks.json.
"""

import csv
import json
import os
import sys
from collections.abc import Sequence
from importlib.resources import files as package_files
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from seentwice.bank.bank import open_bank
from seentwice.commands.fingerprint import digest_files
from seentwice.commands.provenance import describe_machine, library_versions
from seentwice.data.folds import fold_photos
from seentwice.data.houses import DUPLICATES, read_houses
from seentwice.data.lookalikes import HASH, Lookalikes, find_lookalikes
from seentwice.data.parts import parts_of
from seentwice.data.splits import Assign, Split, SplitBy, SplitRule, split_photos
from seentwice.detectors.describe import describe_views
from seentwice.detectors.hashes import HashDescriptor, hash_column
from seentwice.detectors.pixel_digest import PixelDigestDescriptor
from seentwice.files import write_atomically
from seentwice.hamming import iterate_near_pairs
from seentwice.hashing import HASHES
from seentwice.records import View

RESULT = Path(__file__).resolve().parent / "results" / "leaks.json"
MAX_PIXELS = 100_000_000
MOST_BITS = 2
RULE = SplitRule(SplitBy.PROPERTY, Assign.NAME, 0)
SHARE = 0.2

Pairs = set[frozenset[str]]


def main() -> None:
    """Measure, print and write."""
    if len(sys.argv) != 2:
        raise SystemExit("give the folder of photos: python benchmarks/leaks.py PHOTOS")
    photos = read_houses(Path(sys.argv[1]), known_duplicates=False).photos
    threads = os.cpu_count() or 1
    digests = digest_files([photo.path for photo in photos], "Fingerprinting photos", Console())
    described = describe_views(
        [View(photo) for photo in photos],
        digests,
        [HashDescriptor(), PixelDigestDescriptor()],
        open_bank(None, 1),
        "houses",
        threads,
        MAX_PIXELS,
        lambda done, total: None,
    )
    keys = [photo.key for photo in photos]
    known = read_known(set(keys))
    hashes = {name: hash_column(described.rows, name) for name in HASHES}
    found = {name: judge_hash(keys, column, known) for name, column in hashes.items()}

    def look(splits: Sequence[Split]) -> dict[str, dict[str, int]]:
        lookalikes = find_lookalikes(
            photos,
            parts_of(splits, len(photos)),
            digests,
            [digest.tobytes() for digest in described.rows[PixelDigestDescriptor.name]],
            hashes[HASH],
            described.readable,
            threads,
            lambda done, total: None,
        )
        return {
            "leaks": count_lookalikes(lookalikes.leaks, known),
            "suspects": count_lookalikes(lookalikes.suspects, known),
        }

    result = {
        "command": "python benchmarks/leaks.py data/raw/houses",
        "machine": describe_machine(),
        "versions": library_versions(),
        "photos": len(photos),
        "known_pairs": len(known),
        "most_bits": MOST_BITS,
        "hashes": found,
        "one split": look([split_photos(photos, SHARE, SHARE, RULE)]),
        "five folds": look(fold_photos(photos, 5, RULE)),
    }
    RESULT.parent.mkdir(exist_ok=True)
    write_atomically(RESULT, json.dumps(result, indent=2) + "\n")
    table = Table("hash", "known pairs found", "other pairs", "nearest other pair, bits")
    for name, judged in found.items():
        table.add_row(name, *(str(number) for number in judged.values()))
    Console().print(table)
    Console().print({name: result[name] for name in ("one split", "five folds")})


def read_known(keys: set[str]) -> Pairs:
    """Return the pairs of the list whose photos are both there."""
    text = package_files("seentwice.data").joinpath(DUPLICATES).read_text(encoding="utf-8")
    rows = csv.DictReader(text.splitlines())
    return {
        frozenset((row["left"], row["right"]))
        for row in rows
        if {row["left"], row["right"]} <= keys
    }


def judge_hash(keys: Sequence[str], column: NDArray[np.uint64], known: Pairs) -> dict[str, int]:
    """Count the pairs within `MOST_BITS` that are known and others; find the nearest other one."""
    rightly = wrongly = 0
    nearest_other = 64
    for near in iterate_near_pairs(column, 16, 1):
        for low, high, bits in zip(near.low, near.high, near.bits.tolist(), strict=True):
            if frozenset((keys[low], keys[high])) in known:
                rightly += bits <= MOST_BITS
            else:
                wrongly += bits <= MOST_BITS
                nearest_other = min(nearest_other, bits)
    return {"known_found": rightly, "others_found": wrongly, "nearest_other_bits": nearest_other}


def count_lookalikes(found: Lookalikes, known: Pairs) -> dict[str, int]:
    """Count pairs by how they are seen, those in one part, and those that are not known."""
    return {how.value: count for how, count in found.counts.items()} | {
        "within one part": sum(pair.left_split == pair.right_split for pair in found.listed),
        "not known": sum(frozenset((pair.left, pair.right)) not in known for pair in found.listed),
    }


if __name__ == "__main__":
    main()
