"""A large folder deduplicated, then again with little changed: time and memory."""

import json
import os
import sys
import tempfile
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from random import Random

from dedupe_copies import PROGRAM, link_file, make_copies, read_copies
from process_memory import run_sampled

from seentwice.edits import STRENGTHS
from seentwice.files import write_atomically
from seentwice.photos import read_photo

PHOTOS = 20_000
CHANGED_SHARE = 0.01
THREADS = os.cpu_count() or 1
MAX_PIXELS = 100_000_000
# Not this file's name: processes of ours import the program that started them.
GROUP = [sys.executable, "-c", "import dedupe_ours; dedupe_ours.print_run()"]
RUNS = ("first", "nothing changed", "1 % changed")


def measure_large(photos: Path, copies: Path) -> dict[str, object]:
    """Group a large folder three times.

    Args:
        photos: as they are.
        copies: a folder of a folder a strength; what is missing is made.
    """
    make_copies(photos, copies)
    with tempfile.TemporaryDirectory(dir=copies) as temporary:
        root, index = Path(temporary) / "photos", Path(temporary) / "index"
        files = choose_files(copies, PHOTOS)
        root.mkdir()
        for file in files:
            link_file(file, root / f"{file.parent.name}-{file.name}")
        runs = {}
        for name in RUNS:
            if name == RUNS[-1]:
                change_files(root, CHANGED_SHARE)
            runs[name] = run_once(root, index)
        ran = run_command(root, Path(temporary))
    first, *others = (float(run["process_seconds"]) for run in runs.values())
    return {
        "photos": len(files),
        "processes": THREADS,
        "runs": runs,
        "command_with_report": ran,
        "allowed_again_seconds": round(0.03 * first + 1, 2),
        "is_again_met": max(others) <= 0.03 * first + 1,
    }


def choose_files(copies: Path, most: int) -> Sequence[Path]:
    """Choose files of all strengths: the photos as they are, then their first copies, and so on."""
    ranked = []
    for strength in STRENGTHS:
        number: dict[str, int] = {}
        for file, photo in read_copies(copies / strength).items():
            number[photo] = number.get(photo, -1) + 1
            if number[photo] or strength == next(iter(STRENGTHS)):
                ranked.append((number[photo], photo, strength, file))
    return [copies / strength / file for _, _, strength, file in sorted(ranked)[:most]]


def change_files(root: Path, share: float) -> None:
    """Save some files again; they are replaced, since others may share their bytes."""
    files = sorted(root.iterdir())
    for file in Random(0).sample(files, round(share * len(files))):
        stream = BytesIO()
        read_photo(file, MAX_PIXELS).save(stream, "JPEG", quality=90)
        write_atomically(file, stream.getvalue())


def run_once(root: Path, index: Path) -> dict[str, float]:
    """Group a folder in a process of its own."""
    words = [str(root.resolve()), str(index.resolve()), str(THREADS)]
    ran = run_sampled([*GROUP, *words], Path(__file__).parent, {})
    told: dict[str, float] = json.loads(ran.output.splitlines()[-1])
    return told | {"process_seconds": round(ran.seconds, 2), "peak_mib": round(ran.peak_mib)}


def run_command(root: Path, folder: Path) -> dict[str, float]:
    """Run the whole command on a folder of which nothing is known, with its report."""
    folders = ["--out", str(folder / "out"), "--index", str(folder / "other_index")]
    words = [str(PROGRAM), "dedupe", str(root), *folders]
    ran = run_sampled(words, Path.cwd(), {})
    return {
        "seconds": round(ran.seconds, 2),
        "peak_mib": round(ran.peak_mib),
        "page_mb": round((folder / "out" / "report.html").stat().st_size / 1e6, 1),
    }
