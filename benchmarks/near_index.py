"""The 1,000 largest inner products of a query among 100,000 and a million rows, beside FAISS.

    python benchmarks/near_index.py

Two cores, 5 to 10 minutes, 5 GB of memory and of a temporary folder. Expected at a million rows of
512: 40 to 60 ms a query on a machine that does nothing else, recall 1; 16 queries in under four
times as long; opened in under 1 s.

Rows are made: sums of 64 directions, ever weaker, with noise, of length 1; queries are rows with
noise. Ours is saved by one process and searched, memory-mapped, by another. FAISS's `IndexFlatIP`
holds the same rows as float32 and says what is right; `IndexScalarQuantizer` holds them as float16,
and `IndexIVFScalarQuantizer` parts those into 1,000 cells, of which a search looks into 50.
Filters pass rows at random: ours takes their numbers as an array, FAISS an `IDSelectorBatch` or a
bitmap, whichever is faster, which is made for each search as our array is read for each.

`ms` are median, 99th percentile and least of the searches, `cpu_ms` the median of what they take of
all cores, which other work changes less. Memory is of a process that searches: what is its own, and
its peak with the pages of the file that it has read.

Writes benchmarks/results/near_index.json.
"""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from importlib.metadata import version
from pathlib import Path
from resource import RUSAGE_SELF, getrusage
from time import perf_counter

import faiss
import numpy as np
import psutil
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from seentwice.files import write_atomically
from seentwice.index.near_index import NearIndex

RESULT = Path(__file__).resolve().parent / "results" / "near_index.json"
THREADS = os.cpu_count() or 1
DIMENSIONS, FACTORS, BEST, BLOCK = 512, 64, 1_000, 50_000
QUERIES, PEER_QUERIES, TOGETHER, RUNS, BATCHES = 201, 51, 16, 21, 5
SHARES = (0.01, 0.1, 0.5)
CELLS, PROBES, TRAINING = 1_000, 50, 50_000
SAVE, OURS = "ours, saved", "ours"
FLAT, HALF, IVF = "IndexFlatIP", "IndexScalarQuantizer float16", "IndexIVFScalarQuantizer float16"
# Of each number of rows `FLAT` says what is right, so it comes before those that are compared.
CASES = (
    *((way, 100_000) for way in (SAVE, FLAT, OURS, HALF)),
    *((way, 1_000_000) for way in (SAVE, FLAT, OURS, HALF, IVF)),
)

Rows = NDArray[np.float32]
Search = Callable[[Rows, NDArray[np.int64] | None], NDArray[np.int64]]
"""Of queries, and of the numbers that a filter passes; returns numbers (q, `BEST`)."""


def main() -> None:
    """Measure every way in a process of its own, print and write."""
    if sys.argv[1:2] == ["--case"]:
        way, count, folder = sys.argv[2:]
        print(json.dumps(measure(way, int(count), Path(folder))))
        return
    # Here, so that no measured process pays for what it imports.
    from seentwice.commands.provenance import describe_machine, git_commit, library_versions

    cases = []
    with tempfile.TemporaryDirectory() as top:
        for way, count in CASES:
            folder = Path(top) / str(count)
            folder.mkdir(exist_ok=True)
            command = [sys.executable, __file__, "--case", way, str(count), str(folder)]
            done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
            found = json.loads(done.stdout.splitlines()[-1])
            cases.append({"way": way, "rows": count, **found, "load_average": read_load()})
            print(json.dumps(cases[-1]), flush=True)
    result = {
        "command": "python benchmarks/near_index.py",
        "machine": describe_machine(),
        "versions": library_versions() | {name: version(name) for name in ("numba", "faiss-cpu")},
        "git_commit": git_commit(),
        "threads": THREADS,
        "dimensions": DIMENSIONS,
        "best": BEST,
        "queries": QUERIES,
        "queries_of_peers": PEER_QUERIES,
        "cases": cases,
    }
    RESULT.parent.mkdir(exist_ok=True)
    write_atomically(RESULT, json.dumps(result, indent=2) + "\n")
    Console().print(make_table(cases))


def measure(way: str, count: int, folder: Path) -> dict[str, object]:
    """Make the index of one way in this process, and search it."""
    faiss.omp_set_num_threads(THREADS)
    if way == SAVE:
        return measure_saving(count, folder)
    start = perf_counter()
    search = OPENERS[way](count, folder)
    seconds = perf_counter() - start
    queries = make_queries(count)[: QUERIES if way == OURS else PEER_QUERIES]
    found = {"seconds_to_open": round(seconds, 3), **time_searches(search, queries, count)}
    numbers = np.concatenate([search(query[None], None) for query in queries[:TOGETHER]])
    truth = folder / "truth.npy"
    if way == FLAT:
        np.save(truth, numbers)
    right = np.load(truth)
    hits = [len(np.intersect1d(*both)) for both in zip(numbers, right, strict=True)]
    memory = psutil.Process().memory_full_info()
    return found | {
        "recall": round(sum(hits) / right.size, 5),
        "own_mib": memory.uss >> 20 if way != OURS else (memory.rss - memory.shared) >> 20,
        "peak_mib": getrusage(RUSAGE_SELF).ru_maxrss >> 10,
    }


def measure_saving(count: int, folder: Path) -> dict[str, object]:
    """Add all rows and save them; then change some and save those."""
    index = NearIndex.create(DIMENSIONS)
    adding = 0.0
    for numbers, rows in make_rows(count):
        start = perf_counter()
        index.add(numbers, rows)
        adding += perf_counter() - start
    start = perf_counter()
    index.save(folder / "index")
    saving = perf_counter() - start
    changed = np.random.default_rng(1).choice(count, 101, replace=False)
    replace = partial(index.add, rows=rows[:1])
    changes = [time_call(partial(replace, number[None])) for number in changed]
    start = perf_counter()
    index.save(folder / "again")
    again = perf_counter() - start
    start = perf_counter()
    replace(changed[:1])
    index.save(folder / "again")
    size = sum(path.stat().st_size for path in (folder / "index").iterdir())
    return {
        "seconds_to_add": round(adding, 2),
        "seconds_to_save": round(saving, 2),
        "seconds_to_save_elsewhere": round(again, 2),
        "seconds_to_replace_one_and_save": round(perf_counter() - start, 4),
        "replace_one": describe(changes[1:]),
        "mb": round(size / 1e6, 1),
        "peak_mib": getrusage(RUSAGE_SELF).ru_maxrss >> 10,
    }


def time_searches(search: Search, queries: Rows, count: int) -> dict[str, object]:
    """Return the times of one query, of many at once, and of one among some of the rows."""
    first = time_call(partial(search, queries[:1], None))
    ones = np.split(queries, len(queries))
    batches = [queries[at : at + TOGETHER] for at in range(BATCHES)]
    generator = np.random.default_rng(2)
    found: dict[str, object] = {
        "first_ms": round(first[0] * 1e3, 2),
        "one": time_each(search, ones, None),
        f"{TOGETHER}_at_once": time_each(search, batches, None),
    }
    for share in SHARES:
        among = np.sort(generator.choice(count, round(share * count), replace=False))
        found[f"one_among_{share:g}"] = time_each(search, ones[:RUNS], among)
    return found


def time_each(
    search: Search, queries: list[Rows], among: NDArray[np.int64] | None
) -> dict[str, object]:
    """Return what searches one after another take."""
    return describe([time_call(partial(search, each, among)) for each in queries])


def time_call(call: Callable[[], object]) -> tuple[float, float]:
    """Return the seconds of a call, and those of all cores."""
    before = getrusage(RUSAGE_SELF)
    start = perf_counter()
    call()
    seconds = perf_counter() - start
    after = getrusage(RUSAGE_SELF)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return seconds, cpu


def describe(times: list[tuple[float, float]]) -> dict[str, object]:
    """Return milliseconds: median, 99th percentile and least, and the median of all cores'."""
    ms = np.array(times) * 1e3
    shown = [float(np.median(ms[:, 0])), float(np.quantile(ms[:, 0], 0.99)), float(ms[:, 0].min())]
    return {
        "ms": [round(value, 2) for value in shown],
        "cpu_ms": round(float(np.median(ms[:, 1])), 2),
    }


def make_rows(count: int) -> Iterator[tuple[NDArray[np.int64], Rows]]:
    """Yield numbers and rows, in blocks."""
    basis = np.random.default_rng(0).standard_normal((FACTORS, DIMENSIONS), np.float32)
    basis *= 4 / np.arange(1, FACTORS + 1, dtype=np.float32)[:, np.newaxis] ** 0.5
    for start in range(0, count, BLOCK):
        generator = np.random.default_rng([3, start])
        size = min(BLOCK, count - start)
        rows = generator.standard_normal((size, DIMENSIONS), np.float32)
        rows += generator.standard_normal((size, FACTORS), np.float32) @ basis
        rows /= np.linalg.norm(rows, axis=1, keepdims=True)
        yield np.arange(start, start + size), rows


def make_queries(count: int) -> Rows:
    """Return rows of the first block with noise, of length 1."""
    _, rows = next(make_rows(count))
    noise = np.random.default_rng(4).standard_normal((QUERIES, DIMENSIONS), np.float32)
    queries = rows[:: len(rows) // QUERIES][:QUERIES] + noise / np.float32(2 * DIMENSIONS**0.5)
    lengths = np.linalg.norm(queries, axis=1, keepdims=True)
    return np.ascontiguousarray(queries / lengths, np.float32)


def open_ours(count: int, folder: Path) -> Search:
    """Map the saved index."""
    index = NearIndex.open(folder / "index")
    return lambda queries, among: index.search(queries, BEST, among).numbers


def fill(index: "faiss.Index", count: int) -> Search:
    """Add all rows to an index of FAISS."""
    for _, rows in make_rows(count):
        index.add(rows)

    def search(queries: Rows, among: NDArray[np.int64] | None) -> NDArray[np.int64]:
        if among is None:
            return index.search(queries, BEST)[1]
        kind = faiss.SearchParametersIVF if isinstance(index, faiss.IndexIVF) else None
        selector = make_selector(among, count)
        given = kind(sel=selector, nprobe=PROBES) if kind else faiss.SearchParameters(sel=selector)
        return index.search(queries, BEST, params=given)[1]

    return search


def make_selector(among: NDArray[np.int64], count: int) -> "faiss.IDSelector":
    """Return what tells FAISS which rows pass: a set of few, a bitmap of many."""
    if 50 * len(among) <= count:
        return faiss.IDSelectorBatch(among)
    is_passed = np.zeros(count, np.bool_)
    is_passed[among] = True
    return faiss.IDSelectorBitmap(np.packbits(is_passed, bitorder="little"))


def open_flat(count: int, folder: Path) -> Search:
    """Make FAISS's index of whole rows."""
    return fill(faiss.IndexFlatIP(DIMENSIONS), count)


def open_half(count: int, folder: Path) -> Search:
    """Make FAISS's index of rows of half precision."""
    kind = faiss.ScalarQuantizer.QT_fp16
    return fill(faiss.IndexScalarQuantizer(DIMENSIONS, kind, faiss.METRIC_INNER_PRODUCT), count)


def open_cells(count: int, folder: Path) -> Search:
    """Make FAISS's index of cells of rows of half precision."""
    index = faiss.IndexIVFScalarQuantizer(
        faiss.IndexFlatIP(DIMENSIONS),
        *(DIMENSIONS, CELLS, faiss.ScalarQuantizer.QT_fp16, faiss.METRIC_INNER_PRODUCT),
    )
    _, rows = next(make_rows(count))
    index.train(rows[:TRAINING])
    index.nprobe = PROBES
    return fill(index, count)


OPENERS = {OURS: open_ours, FLAT: open_flat, HALF: open_half, IVF: open_cells}


def read_load() -> float:
    """Return how many processes wanted a core in the last minute."""
    return round(os.getloadavg()[0], 2)


def make_table(cases: list[dict[str, object]]) -> Table:
    """Return one row a way and number of rows."""
    timed = ["one", f"{TOGETHER}_at_once", *(f"one_among_{share:g}" for share in SHARES)]
    table = Table("way", "rows", *timed, "recall", "open s", "peak MiB")
    for case in cases:
        if case["way"] != SAVE:
            times = ["/".join(map(str, case[name]["ms"])) for name in timed]
            told = [str(case[name]) for name in ("recall", "seconds_to_open", "peak_mib")]
            table.add_row(str(case["way"]), f"{case['rows']:,}", *times, *told)
    return table


if __name__ == "__main__":
    main()
