"""Which store the table of photos is kept in: ours in SQLite, beside DuckDB and Lance.

    pip install duckdb pylance
    python benchmarks/photo_store.py

One core, about 15 minutes. Rows are those of `seentwice.index.photo_row`, with two hashes and a
signature of 192 bytes. They are appended 512 at a time, each batch committed before the next, and
1 % is replaced at random, 512 at a time. Ours gets rows of Python and makes its columns of them,
the others get columns that were made before. DuckDB keeps a primary key, as it must to replace a
row, and writes its log into the file at the end; Lance merges by the key, and compacts its files at
the end. A column is read by a process of its own, which has just opened the table; the file is in
the system's cache. Ten million photos are ours alone.

Expected of ours: 10 ms for a column of a million, under 0.3 s for one of ten million.

Writes benchmarks/results/photo_store.json.
"""

import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from hashlib import shake_128
from importlib.metadata import files, version
from pathlib import Path
from statistics import median
from time import perf_counter

import numpy as np
import pyarrow as pa

from seentwice.commands.provenance import describe_machine, git_commit, library_versions
from seentwice.files import write_atomically
from seentwice.index.photo_row import PhotoRow, StoreMeta
from seentwice.index.store import PhotoStore

RESULT = Path(__file__).resolve().parent / "results" / "photo_store.json"
BATCH = 512
META = StoreMeta("/photos", ("dhash", "phash"), "blocks", 192)
SIZES = {
    "ours": (1_600, 1_000_000, 10_000_000),
    "duckdb": (1_600, 1_000_000),
    "lance": (1_600, 1_000_000),
}
PACKAGES = {
    "ours": (),
    "duckdb": ("duckdb",),
    "lance": ("pylance", "lance-namespace", "lance-namespace-urllib3-client"),
}
IMPORTS = {"ours": "seentwice.index.store", "duckdb": "duckdb", "lance": "lance"}
SYNCED = 20  # appends of which the calls to the disk are counted


def main() -> None:
    """Measure, print and write."""
    if len(sys.argv) > 1:
        way, step, folder, photos = sys.argv[1:]
        print(json.dumps(STEPS[step](way, Path(folder), int(photos))))
        return
    ways = {way: measure(way) for way in SIZES}
    result = {
        "command": "python benchmarks/photo_store.py",
        "machine": describe_machine(),
        "versions": {
            **library_versions(),
            **{name: version(name) for name in ("duckdb", "pylance", "pyarrow")},
        },
        "git_commit": git_commit(),
        "batch_rows": BATCH,
        "ways": ways,
    }
    RESULT.parent.mkdir(exist_ok=True)
    write_atomically(RESULT, json.dumps(result, indent=2) + "\n")


def measure(way: str) -> dict[str, object]:
    """Return all figures of one way."""
    measured: dict[str, object] = {
        "package_mb": round(sum(map(package_bytes, PACKAGES[way])) / 1e6, 1),
        "import_seconds": run(way, "import_library", Path(), 0),
    }
    for photos in SIZES[way]:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            found = {
                "append": run(way, "append", folder, photos),
                "mb": folder_mb(folder),
                "read_column_seconds": median(
                    run(way, "read_column", folder, photos) for _ in range(3)
                ),
                "replace_hundredth_seconds": run(way, "replace", folder, photos),
                "read_column_then_seconds": run(way, "read_column", folder, photos),
                "mb_then": folder_mb(folder),
            }
            if photos == 1_600:
                found["beside_a_writer"] = run(way, "look_beside_a_writer", folder, photos)
        print(way, photos, json.dumps(found), flush=True)
        measured[f"{photos}_photos"] = found
    measured["syncs_an_append"] = count_syncs(way)
    print(way, json.dumps(measured), flush=True)
    return measured


def run(way: str, step: str, folder: Path, photos: int) -> object:
    """Return what a process of its own measures."""
    command = [sys.executable, __file__, way, step, str(folder), str(photos)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(done.stderr)
    return json.loads(done.stdout.splitlines()[-1])


def import_library(way: str, folder: Path, photos: int) -> float:
    """Return the seconds of importing the library alone, in a process that has NumPy."""
    code = (
        "import numpy, time; t = time.perf_counter(); "
        f"import {IMPORTS[way]}; print(time.perf_counter() - t)"
    )
    seconds = [
        float(subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout)
        for _ in range(3)
    ]
    return round(median(seconds), 3)


def append(way: str, folder: Path, photos: int) -> dict[str, float]:
    """Return the seconds of a whole fill, and of its batches."""
    opened = OPENERS[way](folder)
    seconds = []
    for first in range(0, photos, BATCH):
        numbers = np.arange(first, min(first + BATCH, photos))
        batch = MAKERS[way](numbers, 0)
        start = perf_counter()
        opened.add(batch)
        seconds.append(perf_counter() - start)
    start = perf_counter()
    opened.settle()
    return {
        "seconds": round(sum(seconds) + perf_counter() - start, 3),
        "batch_median_ms": round(median(seconds) * 1e3, 2),
        "batch_longest_ms": round(max(seconds) * 1e3, 1),
    }


def replace(way: str, folder: Path, photos: int) -> float:
    """Return the seconds in which one photo in a hundred is replaced."""
    opened = OPENERS[way](folder)
    chosen = np.random.default_rng(0).choice(photos, photos // 100, replace=False)
    seconds = 0.0
    for first in range(0, len(chosen), BATCH):
        batch = MAKERS[way](chosen[first : first + BATCH], 1)
        start = perf_counter()
        opened.put(batch)
        seconds += perf_counter() - start
    return round(seconds, 3)


def read_column(way: str, folder: Path, photos: int) -> float:
    """Return the seconds in which a table is opened and one column read."""
    __import__(IMPORTS[way])
    start = perf_counter()
    column = READERS[way](folder)
    seconds = perf_counter() - start
    assert column.dtype == np.uint64
    assert len(column) == photos
    return round(seconds, 5)


def look_beside_a_writer(way: str, folder: Path, photos: int) -> dict[str, str]:
    """Return what another process gets that reads or writes while this one has it open."""
    opened = OPENERS[way](folder)
    opened.put(MAKERS[way](np.arange(3), 2))
    told = {}
    for name, step in (("reader", "read_column"), ("writer", "replace")):
        command = [sys.executable, __file__, way, step, str(folder), str(photos)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        error = done.stderr.replace(f"{folder}/", "").splitlines()[-1:]
        told[name] = error[0][:70] if done.returncode else "works"
    return told


def count_syncs(way: str) -> float | None:
    """Return how often an append calls fsync or fdatasync; None where strace is not installed."""
    if shutil.which("strace") is None:
        return None
    with tempfile.TemporaryDirectory() as name:
        log = Path(name) / "calls"
        folder = Path(name) / "table"
        folder.mkdir()
        command = ["strace", "-f", "-qq", "-e", "trace=fsync,fdatasync,msync", "-o", str(log)]
        step = [sys.executable, __file__, way, "append", str(folder), str(SYNCED * BATCH)]
        subprocess.run([*command, *step], capture_output=True, check=True)
        calls = [line for line in log.read_text().splitlines() if "sync(" in line]
    return len(calls) / SYNCED


def make_rows(numbers: np.ndarray, version: int) -> list[PhotoRow]:
    """Return rows of a catalogue, 20 photos a home."""
    hashes = hash_numbers(numbers)
    return [
        PhotoRow(
            key=f"city/house_{number // 20:07d}/photo_{number % 20:02d}.jpg",
            size_bytes=number,
            modified_ns=version,
            inode=number,
            sha256=bits[:32],
            width=640,
            height=480,
            hashes=(value, value),
            decoding="blocks",
            signature=bits,
            has_content=True,
            reason="",
            detail="",
        )
        for number, value in zip(numbers.tolist(), hashes.tolist(), strict=True)
        for bits in (shake_128(number.to_bytes(8, "little")).digest(META.signature_bytes),)
    ]


def make_columns(numbers: np.ndarray, version: int) -> pa.Table:
    """Return the same rows as Arrow's columns."""
    rows = make_rows(numbers, version)
    names = [name for name in PhotoRow.__slots__ if name not in ("key", "hashes")]
    columns = {name: [getattr(row, name) for row in rows] for name in names}
    for index, name in enumerate(META.hash_names):
        columns[f"hash_{name}"] = pa.array([row.hashes[index] for row in rows], pa.uint64())
    return pa.table({"key": [row.key.encode() for row in rows], **columns})


def hash_numbers(numbers: np.ndarray) -> np.ndarray:
    """Return uint64 that no store can shorten."""
    mixed = numbers.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    return (mixed ^ (mixed >> np.uint64(29))) * np.uint64(0xBF58476D1CE4E5B9)


class Ours:
    """The table of this project."""

    def __init__(self, folder: Path) -> None:
        self.store = PhotoStore.open(folder, META, lambda: None)

    def add(self, rows: list[PhotoRow]) -> None:
        """Add rows."""
        self.store.write(rows)

    put = add

    def settle(self) -> None:
        """Do nothing: every write has done its share."""


class DuckDB:
    """A table with a primary key."""

    def __init__(self, folder: Path) -> None:
        import duckdb

        self.connection = duckdb.connect(str(folder / "photos.duckdb"))
        self.connection.register("batch", make_columns(np.arange(1), 0))
        found = self.connection.execute("DESCRIBE SELECT * FROM batch").fetchall()
        fields = ", ".join(f"{name} {kind}" for name, kind, *_ in found)
        self.connection.execute(f"CREATE TABLE IF NOT EXISTS photos ({fields}, PRIMARY KEY (key))")

    def add(self, batch: pa.Table) -> None:
        """Add or replace rows."""
        self.connection.register("batch", batch)
        self.connection.execute("INSERT OR REPLACE INTO photos SELECT * FROM batch")

    put = add

    def settle(self) -> None:
        """Write the log into the file."""
        self.connection.execute("CHECKPOINT")


class Lance:
    """A dataset of versions."""

    def __init__(self, folder: Path) -> None:
        import lance

        self.lance = lance
        self.path = str(folder / "photos.lance")

    def add(self, batch: pa.Table) -> None:
        """Add rows."""
        is_there = Path(self.path).exists()
        self.lance.write_dataset(batch, self.path, mode="append" if is_there else "create")

    def put(self, batch: pa.Table) -> None:
        """Add or replace rows."""
        merge = self.lance.dataset(self.path).merge_insert("key")
        merge.when_matched_update_all().when_not_matched_insert_all().execute(batch)

    def settle(self) -> None:
        """Merge the files of the appends."""
        self.lance.dataset(self.path).optimize.compact_files()


def read_ours(folder: Path) -> np.ndarray:
    """Return a column."""
    with PhotoStore.open_to_read(folder, lambda: None) as store:
        return store.scan(["hash_dhash"])["hash_dhash"]


def read_duckdb(folder: Path) -> np.ndarray:
    """Return a column."""
    import duckdb

    with duckdb.connect(str(folder / "photos.duckdb"), read_only=True) as connection:
        return connection.execute("SELECT hash_dhash FROM photos").fetchnumpy()["hash_dhash"]


def read_lance(folder: Path) -> np.ndarray:
    """Return a column."""
    import lance

    table = lance.dataset(str(folder / "photos.lance")).to_table(columns=["hash_dhash"])
    return table["hash_dhash"].to_numpy()


def package_bytes(name: str) -> int:
    """Return the size of an installed package."""
    paths: Iterator[Path] = (Path(each.locate()) for each in files(name) or ())
    return sum(path.stat().st_size for path in paths if path.is_file())


def folder_mb(folder: Path) -> float:
    """Return the size of what is in a folder."""
    sizes = (path.stat().st_size for path in folder.rglob("*") if path.is_file())
    return round(sum(sizes) / 1e6, 1)


OPENERS: dict[str, Callable[[Path], object]] = {"ours": Ours, "duckdb": DuckDB, "lance": Lance}
MAKERS = {"ours": make_rows, "duckdb": make_columns, "lance": make_columns}
READERS = {"ours": read_ours, "duckdb": read_duckdb, "lance": read_lance}
STEPS = {
    step.__name__: step
    for step in (import_library, append, replace, read_column, look_beside_a_writer)
}


if __name__ == "__main__":
    main()
