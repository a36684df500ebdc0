"""All pairs of hashes within some bits, and one hash among many, beside imagededup and FAISS.

    pip install imagededup
    python benchmarks/near_hashes.py

Two cores, 2 to 5 minutes. Expected: all pairs within 4 bits of 1 million hashes in under 3 s, of
10 million in under 60 s and 2 GB; within 10 bits of 100,000 in under 2 s; one hash among 10 million
in under 10 ms. All ways find as many pairs.

Hashes are made: `uniform` ones have nothing in common, `half set` ones have 32 bits set, as
perceptual hashes do; of each a hundredth is a copy of another with as many bits turned, at most, as
are searched. Ours are measured from plain hashes, with the grouping of equal ones. Every case runs
in a process of its own: `first_seconds` is its first search, with what it imports, `seconds` the
median of the later ones (imagededup's and FAISS's one search alone), `fastest_seconds` the least of
them, `cpu_seconds` the median of what they take of all cores, which other work hardly changes.
Memory is the peak of the process, with the hashes.

Writes benchmarks/results/near_hashes.json.
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from importlib.metadata import version
from pathlib import Path
from resource import RUSAGE_CHILDREN, RUSAGE_SELF, getrusage
from statistics import median
from time import perf_counter

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from seentwice.files import write_atomically
from seentwice.hamming import find_near_hashes, find_near_pairs, find_near_queries, group_equal

RESULT = Path(__file__).resolve().parent / "results" / "near_hashes.json"
THREADS = os.cpu_count() or 1
RUNS, QUERIES = 3, 101
BATCH = 1_000
OURS, IMAGEDEDUP, FAISS = "pairs", "pairs, imagededup", "pairs, FAISS IndexBinaryFlat"
ONE, MANY = "one query", f"{BATCH:,} queries"
UNIFORM, HALF_SET = "uniform", "half set"
CASES = (
    *((OURS, UNIFORM, 100_000, bits) for bits in range(13)),
    *((OURS, UNIFORM, 1_000_000, bits) for bits in (2, 4, 6, 8)),
    (OURS, HALF_SET, 1_000_000, 4),
    (OURS, UNIFORM, 10_000_000, 4),
    *((way, UNIFORM, 10_000, bits) for way in (OURS, IMAGEDEDUP) for bits in (4, 10)),
    (FAISS, UNIFORM, 100_000, 4),
    (FAISS, UNIFORM, 100_000, 10),
    *((ONE, UNIFORM, count, 4) for count in (1_600, 1_000_000, 10_000_000)),
    (MANY, UNIFORM, 1_000_000, 4),
)

Hashes = NDArray[np.uint64]
Search = Callable[[Hashes, int, int], int]
"""Of hashes, bits and the number of the run; returns how many pairs were found."""


def main() -> None:
    """Measure every case in a process of its own, print and write."""
    if sys.argv[1:2] == ["--case"]:
        way, sort, count, bits = sys.argv[2:]
        print(json.dumps(measure(way, sort, int(count), int(bits))))
        return
    # Here, so that no measured process pays for what it imports.
    from seentwice.commands.provenance import describe_machine, git_commit, library_versions

    table = Table(
        "way", "hashes", "sort", "bits", "found", "first s", "s", "least s", "cpu s", "MiB"
    )
    rows = []
    for case in CASES:
        command = [sys.executable, __file__, "--case", *map(str, case)]
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
        found = json.loads(done.stdout.splitlines()[-1])
        way, sort, count, bits = case
        rows.append({"way": way, "hashes": count, "sort": sort, "most_bits": bits, **found})
        table.add_row(
            *(way, f"{count:,}", sort, str(bits), f"{found['found']:,}"),
            *(
                f"{found[key]:.4f}"
                for key in ("first_seconds", "seconds", "fastest_seconds", "cpu_seconds")
            ),
            f"{found['peak_mib']:,}",
        )
    peers = {name: version(name) for name in ("numba", "faiss-cpu", "imagededup")}
    result = {
        "command": "python benchmarks/near_hashes.py",
        "machine": describe_machine(),
        "versions": library_versions() | peers,
        "git_commit": git_commit(),
        "threads": THREADS,
        "runs": RUNS,
        "load_average": round(os.getloadavg()[0], 2),
        "cases": rows,
    }
    RESULT.parent.mkdir(exist_ok=True)
    write_atomically(RESULT, json.dumps(result, indent=2) + "\n")
    Console().print(table)


def measure(way: str, sort: str, count: int, bits: int) -> dict[str, float]:
    """Search some times in this process."""
    hashes = make_hashes(sort, count, bits)
    runs = {ONE: QUERIES, IMAGEDEDUP: 0, FAISS: 0}.get(way, RUNS)
    seconds, cpu_seconds = [], []
    for run in range(1 + runs):
        start, cpu_start = perf_counter(), read_cpu_seconds()
        found = WAYS[way](hashes, bits, run)
        seconds.append(perf_counter() - start)
        cpu_seconds.append(read_cpu_seconds() - cpu_start)
    return {
        "found": found,
        "first_seconds": round(seconds[0], 5),
        "seconds": round(median(seconds[1:] or seconds), 5),
        "fastest_seconds": round(min(seconds), 5),
        "cpu_seconds": round(median(cpu_seconds[1:] or cpu_seconds), 5),
        "peak_mib": getrusage(RUSAGE_SELF).ru_maxrss // 1024,
    }


def read_cpu_seconds() -> float:
    """Return what this process and those that it waited for took of all cores."""
    usages = getrusage(RUSAGE_SELF), getrusage(RUSAGE_CHILDREN)
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def make_hashes(sort: str, count: int, bits: int) -> Hashes:
    """Make hashes of which a hundredth is near another."""
    generator = np.random.default_rng(0)
    if sort == UNIFORM:
        hashes = generator.integers(0, 2**64, count, dtype=np.uint64)
    else:
        chosen = [
            generator.random((min(10_000, count - start), 64)).argsort(axis=1) < 32
            for start in range(0, count, 10_000)
        ]
        hashes = np.packbits(np.concatenate(chosen), axis=1).view(np.uint64).ravel()
    copies = count // 100
    near = hashes[copies : 2 * copies]
    for _ in range(bits):
        near = near ^ np.uint64(1) << generator.integers(0, 64, copies).astype(np.uint64)
    hashes[:copies] = near
    return hashes


def search_pairs(hashes: Hashes, bits: int, run: int) -> int:
    """All pairs of different hashes, from tables."""
    unique, _ = group_equal(hashes)
    return sum(len(near.bits) for near in find_near_pairs(unique, bits, THREADS))


def search_imagededup(hashes: Hashes, bits: int, run: int) -> int:
    """All pairs, by imagededup's default search, with as many processes."""
    # Here, so that the other ways do not pay for what it imports.
    from imagededup.methods import PHash

    encodings = {str(index): f"{word:016x}" for index, word in enumerate(hashes.tolist())}
    found = PHash(verbose=False).find_duplicates(
        encoding_map=encodings, max_distance_threshold=bits, num_dist_workers=THREADS
    )
    return sum(map(len, found.values())) // 2


def search_faiss(hashes: Hashes, bits: int, run: int) -> int:
    """All pairs, by FAISS's search of a range, with as many threads."""
    # Here, so that the other ways do not pay for what it imports.
    import faiss

    faiss.omp_set_num_threads(THREADS)
    index = faiss.IndexBinaryFlat(64)
    rows = hashes.view(np.uint8).reshape(-1, 8)
    index.add(rows)
    # It finds what is nearer than a radius, and each hash itself.
    limits, _, _ = index.range_search(rows, bits + 1)
    return (int(limits[-1]) - len(hashes)) // 2


def search_one(hashes: Hashes, bits: int, run: int) -> int:
    """Another hash each time."""
    positions, _ = find_near_hashes(hashes, int(hashes[run]), bits, THREADS)
    return len(positions)


def search_many(hashes: Hashes, bits: int, run: int) -> int:
    """A batch of the hashes."""
    asked = hashes[:BATCH]
    return sum(len(near.bits) for near in find_near_queries(hashes, asked, bits, THREADS))


WAYS: Mapping[str, Search] = {
    OURS: search_pairs,
    IMAGEDEDUP: search_imagededup,
    FAISS: search_faiss,
    ONE: search_one,
    MANY: search_many,
}


if __name__ == "__main__":
    main()
