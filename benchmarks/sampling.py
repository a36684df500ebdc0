"""Hash-weighted sampling: time and memory beside the two direct ways, which list all pairs.

    python benchmarks/sampling.py

Two cores, about 3 minutes. Expected: 200,000 pairs of 631 photos in under 1 s; of 100,000 photos
(5 billion pairs) in under 90 s and 2 GB, where listing the pairs alone would take 120 GB.

Hashes are made: of `clustered` ones 50 looks, each photo one of them with a fifth of its bits
turned, as wavelet hashes of rooms are; `random` ones have nothing in common. Of 631 photos ordered
pairs are drawn, as SameSpace's table holds them, of more photos unordered ones. Every case runs in
a process of its own, five times; time is the median, memory the peak of the process.

Writes benchmarks/results/sampling.json.
"""

import json
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from resource import RUSAGE_SELF, getrusage
from statistics import median
from time import perf_counter

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from seentwice.data.sampling.hash_weighted import draw_hash_weighted
from seentwice.data.sampling.pair_space import PairSpace
from seentwice.data.sampling.ranks import pair_count, pairs_at
from seentwice.files import write_atomically
from seentwice.hamming import hamming_bits

RESULT = Path(__file__).resolve().parent / "results" / "sampling.json"
WANTED = 200_000
RUNS = 5
LOOKS, TURNED_SHARE = 50, 0.2


@dataclass(frozen=True, slots=True)
class Case:
    """What one process measures."""

    way: str
    hashes: str
    photos: int


@dataclass(frozen=True, slots=True)
class Measured:
    """What it found."""

    pairs: int  # there are
    drawn: int
    seconds: float
    peak_mib: int


CASES = (
    *(
        Case("exact draw", hashes, n)
        for n in (631, 10_000, 100_000)
        for hashes in ("clustered", "random")
    ),
    Case("nothing but its libraries", "clustered", 631),
    Case("all pairs, smallest keys", "clustered", 631),
    Case("all pairs, smallest keys", "clustered", 10_000),
    Case("all pairs, Generator.choice", "clustered", 631),
    Case("all pairs, Generator.choice", "clustered", 10_000),
)


def main() -> None:
    """Measure every case in a process of its own, print and write."""
    if sys.argv[1:2] == ["--case"]:
        print(json.dumps(asdict(measure(Case(sys.argv[2], sys.argv[3], int(sys.argv[4]))))))
        return
    # Here, so that no measured process pays for what it imports.
    from seentwice.commands.provenance import describe_machine, library_versions

    table = Table("way", "hashes", "photos", "pairs", "drawn", "seconds", "peak MiB")
    rows = []
    for case in CASES:
        command = [sys.executable, __file__, "--case", case.way, case.hashes, str(case.photos)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        found = json.loads(done.stdout)
        rows.append(asdict(case) | found)
        table.add_row(
            case.way,
            case.hashes,
            f"{case.photos:,}",
            f"{found['pairs']:,}",
            f"{found['drawn']:,}",
            f"{found['seconds']:.2f}",
            f"{found['peak_mib']:,}",
        )
    result = {
        "command": "python benchmarks/sampling.py",
        "machine": describe_machine(),
        "versions": library_versions(),
        "runs": RUNS,
        "cases": rows,
    }
    RESULT.parent.mkdir(exist_ok=True)
    write_atomically(RESULT, json.dumps(result, indent=2) + "\n")
    Console().print(table)


def measure(case: Case) -> Measured:
    """Draw some times in this process."""
    hashes = make_hashes(case.hashes, case.photos)
    space, hashes = make_space(hashes)
    seconds, drawn = [], 0
    for seed in range(RUNS):
        generator = np.random.default_rng(seed)
        start = perf_counter()
        drawn = len(WAYS[case.way](space, hashes, generator))
        seconds.append(perf_counter() - start)
    peak_mib = getrusage(RUSAGE_SELF).ru_maxrss // 1024
    return Measured(space.count(), drawn, round(median(seconds), 3), peak_mib)


def make_hashes(kind: str, photos: int) -> NDArray[np.uint64]:
    """Return one hash a photo, (photos,)."""
    generator = np.random.default_rng(0)
    if kind == "random":
        return generator.integers(2**64, size=photos, dtype=np.uint64)
    looks = generator.integers(2**64, size=LOOKS, dtype=np.uint64)
    turned = generator.random((photos, 64)) < TURNED_SHARE
    noise = np.packbits(turned, axis=1).view(np.uint64)[:, 0]
    return looks[generator.integers(LOOKS, size=photos)] ^ noise


def make_space(hashes: NDArray[np.uint64]) -> tuple[PairSpace, NDArray[np.uint64]]:
    """Return the pairs of different places, two photos each, and the hashes of their items."""
    photos = len(hashes)
    place = np.arange(photos) // 2
    if photos > 1000:
        return PairSpace(np.zeros(photos, np.int64), (place,)), hashes
    # Ordered pairs are unordered ones between two sides, each of which holds every photo.
    side = np.repeat([0, 1], photos)
    both = PairSpace(np.zeros(2 * photos, np.int64), (side, np.tile(place, 2)))
    return both, np.tile(hashes, 2)


def draw_exactly(
    space: PairSpace, hashes: NDArray[np.uint64], generator: np.random.Generator
) -> NDArray[np.int64]:
    """The project's own way."""
    return draw_hash_weighted(space, hashes, WANTED, np.empty(0, np.int64), 2, generator)


def draw_smallest_keys(
    space: PairSpace, hashes: NDArray[np.uint64], generator: np.random.Generator
) -> NDArray[np.int64]:
    """List all pairs and take those with the smallest exponential keys."""
    ranks, weight = list_pairs(space, hashes)
    keys = generator.standard_exponential(len(ranks)) / weight
    return ranks[np.argpartition(keys, WANTED)[:WANTED]]


def draw_by_choice(
    space: PairSpace, hashes: NDArray[np.uint64], generator: np.random.Generator
) -> NDArray[np.int64]:
    """List all pairs and let NumPy choose."""
    ranks, weight = list_pairs(space, hashes)
    return generator.choice(ranks, WANTED, replace=False, p=weight / weight.sum())


def draw_nothing(
    space: PairSpace, hashes: NDArray[np.uint64], generator: np.random.Generator
) -> NDArray[np.int64]:
    """What every process takes."""
    return np.empty(0, np.int64)


def list_pairs(
    space: PairSpace, hashes: NDArray[np.uint64]
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return the ranks of all pairs and their weights."""
    ranks = np.arange(pair_count(len(hashes)))
    low, high = pairs_at(ranks)
    held = space.holds(low, high)
    return ranks[held], np.exp(-hamming_bits(hashes[low], hashes[high])[held].astype(np.float64))


WAYS: Mapping[
    str,
    Callable[[PairSpace, NDArray[np.uint64], np.random.Generator], NDArray[np.int64]],
] = {
    "exact draw": draw_exactly,
    "nothing but its libraries": draw_nothing,
    "all pairs, smallest keys": draw_smallest_keys,
    "all pairs, Generator.choice": draw_by_choice,
}


if __name__ == "__main__":
    main()
