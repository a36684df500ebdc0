"""Photos hashed a second, and from a folder to its groups, ours beside imagededup."""

import subprocess
import tempfile
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from multiprocessing import get_context
from pathlib import Path
from statistics import median
from time import perf_counter

import simplejpeg
from dedupe_copies import PROGRAM
from dedupe_ours import MAX_PIXELS, group_folder
from imagededup_pairs import run_phash
from threadpoolctl import threadpool_limits

from seentwice.block_hashing import look_at_blocks
from seentwice.photos import find_photos
from seentwice.photos.block_means import decode_block_means

RUNS = 5
PROCESSES = (1, 2)
CHUNK = 16  # files that a process takes at once, as the table's reading does
FLOOR, HASHES, TABLE, PEER_HASHES = (
    "JPEG entropy decoding",
    "hashes",
    "hashes, sha256 and table",
    "imagededup PHash.encode_images",
)
GROUPS, PEER_GROUPS = "folder to groups", "imagededup encode_images + find_duplicates"
COMMANDS = 3

Seconds = Mapping[str, float]


def measure_speed(photos: Path) -> dict[str, object]:
    """Measure every way in turns, after one turn that does not count."""
    files = sorted(find_photos(photos)[0])
    taken: dict[int, list[Seconds]] = {processes: [] for processes in PROCESSES}
    with ExitStack() as stack:
        # Ours first: it starts the process that all others are forked from, as its command does.
        for processes in PROCESSES:
            time_ours(photos, processes)
        pools = {processes: stack.enter_context(open_pool(processes)) for processes in PROCESSES}
        for run in range(1 + RUNS):
            for processes, pool in pools.items():
                seconds = {
                    FLOOR: time_pool(pool, skim_file, files),
                    HASHES: time_pool(pool, hash_file, files),
                    **time_ours(photos, processes),
                    **time_peer(photos, processes),
                }
                if run:
                    taken[processes].append(seconds)
    medians = {
        processes: {way: median(run[way] for run in runs) for way in runs[0]}
        for processes, runs in taken.items()
    }
    return {
        "photos": len(files),
        "runs": RUNS,
        "command_seconds": round(median(time_command(photos) for _ in range(COMMANDS)), 3),
        "processes": {
            str(processes): describe(medians[processes], taken[processes], len(files))
            for processes in PROCESSES
        },
    }


def describe(
    medians: Seconds, runs: Sequence[Seconds], photos: int
) -> Mapping[str, Mapping[str, float]]:
    """Return what is written of so many processes; ratios are medians of those of single runs."""

    def ratio(one: str, other: str) -> float:
        return round(median(run[other] / run[one] for run in runs), 3)

    return {
        "photos_per_second": {
            way: round(photos / medians[way], 1) for way in (FLOOR, HASHES, TABLE, PEER_HASHES)
        },
        "times_imagededup": {
            HASHES: ratio(HASHES, PEER_HASHES),
            TABLE: ratio(TABLE, PEER_HASHES),
            GROUPS: ratio(GROUPS, PEER_GROUPS),
        },
        "share_of_entropy_decoding": {HASHES: ratio(HASHES, FLOOR), TABLE: ratio(TABLE, FLOOR)},
        "seconds_to_groups": {way: round(medians[way], 3) for way in (GROUPS, PEER_GROUPS)},
    }


def open_pool(processes: int) -> ProcessPoolExecutor:
    """Start processes as the table's reading does, to be used again and again."""
    context = get_context("forkserver")
    return ProcessPoolExecutor(processes, context, threadpool_limits, (1, "blas"))


def time_pool(
    pool: ProcessPoolExecutor, work: Callable[[Path], int], files: Sequence[Path]
) -> float:
    """Return the seconds that a pool takes for all files."""
    start = perf_counter()
    for _ in pool.map(work, files, chunksize=CHUNK):
        pass
    return perf_counter() - start


def skim_file(file: Path) -> int:
    """Decode a JPEG to an eighth in grey: there is hardly more to it than its entropy decoding."""
    content = file.read_bytes()
    height, width, _, _ = simplejpeg.decode_jpeg_header(content)
    grey = simplejpeg.decode_jpeg(
        content, "Gray", min_height=-(-height // 8), min_width=-(-width // 8), min_factor=8
    )
    return int(grey.shape[0])


def hash_file(file: Path) -> int:
    """Decode a photo and compute all that is kept of its pixels."""
    blocks = decode_block_means(file.read_bytes(), file, MAX_PIXELS)
    return look_at_blocks(blocks.means).hashes[0]


def time_ours(photos: Path, processes: int) -> Seconds:
    """Group a folder of which nothing is known yet."""
    with tempfile.TemporaryDirectory() as temporary:
        grouped = group_folder(photos, Path(temporary) / "index", processes)
    return {TABLE: grouped.table_seconds, GROUPS: grouped.seconds}


def time_command(photos: Path) -> float:
    """Return the seconds of the whole command: its start, an empty index, and its report."""
    with tempfile.TemporaryDirectory() as temporary:
        start = perf_counter()
        folders = ["--out", f"{temporary}/out", "--index", f"{temporary}/index"]
        words = ["dedupe", str(photos), *folders]
        subprocess.run([PROGRAM, *words], check=True, stdout=subprocess.DEVNULL)
        return perf_counter() - start


def time_peer(photos: Path, processes: int) -> Seconds:
    """Let imagededup do what its documentation begins with."""
    ran = run_phash(photos, processes)
    return {
        PEER_HASHES: ran.encode_seconds,
        PEER_GROUPS: ran.encode_seconds + ran.find_seconds,
    }
