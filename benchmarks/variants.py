"""How many photos a second become their variants, at 1 and 2 processes, and beside torchvision.

    python benchmarks/variants.py PHOTOS

PHOTOS are any photos, such as data/raw/houses; the first 200 are used. Two cores, about 3 minutes.
Expected: two processes are more than 1.5 times as fast as one, and one reaches more than 0.7 of
what a loop with torchvision does, which neither waits for the disk nor goes on after a stop.

Writes benchmarks/results/variants.json.
"""

import json
import sys
import tempfile
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from random import Random
from statistics import median
from time import perf_counter

from PIL import Image
from rich.console import Console
from rich.table import Table

from seentwice.commands.provenance import describe_machine, library_versions
from seentwice.data.variants.plan import VariantSettings
from seentwice.data.variants.unique import find_unique
from seentwice.data.variants.write import WritingJob, write_all
from seentwice.edits import STRENGTHS
from seentwice.files import write_atomically
from seentwice.records import Unreadable

FOLDER = Path(__file__).resolve().parent
RESULT = FOLDER / "results" / "variants.json"
MOST_PHOTOS = 200
RUNS = 3
MAX_PIXELS = 100_000_000
GEOMETRY = ("crop", "rotate")


def main() -> None:
    """Measure, print and write."""
    if len(sys.argv) != 2:
        raise SystemExit("give the folder of photos: python benchmarks/variants.py PHOTOS")
    photos = Path(sys.argv[1])
    keys = find_unique(photos, lambda done, total: None).keys[:MOST_PHOTOS]
    # The slides' three copies, and the two that torchvision can make.
    speeds = {
        "mls, 1 process": measure(ours(photos, keys, STRENGTHS["mls"], 1), len(keys)),
        "mls, 2 processes": measure(ours(photos, keys, STRENGTHS["mls"], 2), len(keys)),
        "crop and rotate, 1 process": measure(ours(photos, keys, GEOMETRY, 1), len(keys)),
        "crop and rotate, torchvision": measure(torchvision(photos, keys), len(keys)),
    }
    result = {
        "command": "python benchmarks/variants.py PHOTOS",
        "machine": describe_machine(),
        "versions": library_versions() | {"pillow": version("pillow")},
        "photos": len(keys),
        "mean_megapixels": mean_megapixels(photos, keys),
        "runs": RUNS,
        "photos_per_second": {name: round(speed, 2) for name, speed in speeds.items()},
    }
    RESULT.parent.mkdir(exist_ok=True)
    write_atomically(RESULT, json.dumps(result, indent=2) + "\n")
    table = Table("", "photos a second")
    for name, speed in speeds.items():
        table.add_row(name, f"{speed:.1f}")
    Console().print(table)


def measure(write: Callable[[Path], None], photos: int) -> float:
    """Return the median of the photos a second of some runs, after one that does not count."""
    speeds = []
    for _ in range(1 + RUNS):
        with tempfile.TemporaryDirectory() as folder:
            start = perf_counter()
            write(Path(folder))
            speeds.append(photos / (perf_counter() - start))
    return median(speeds[1:])


def ours(
    photos: Path, keys: tuple[str, ...], edits: tuple[str, ...], workers: int
) -> Callable[[Path], None]:
    """Return what writes the photos and their copies; processes are started within."""

    def write(out: Path) -> None:
        job = WritingJob(photos, out, VariantSettings(0, edits, "jpeg"), MAX_PIXELS)
        for key, outcome in write_all(job, keys, workers):
            if isinstance(outcome, Unreadable):
                raise SystemExit(f"{key}: {outcome.reason}: give a folder of whole photos")

    return write


def torchvision(photos: Path, keys: tuple[str, ...]) -> Callable[[Path], None]:
    """Return what a user would write: the same ranges and quality, on Pillow's images."""
    # Here, because processes import this file again, and would wait for torch.
    from torchvision.transforms.v2 import InterpolationMode, functional

    def write(out: Path) -> None:
        random = Random(0)
        for number, key in enumerate(keys):
            data = (photos / key).read_bytes()
            (out / f"{number}_0.jpg").write_bytes(data)
            with Image.open(photos / key) as opened:
                photo = opened.convert("RGB")
            keep = random.uniform(0.85, 0.95)
            height, width = round(keep * photo.height), round(keep * photo.width)
            top = random.randint(0, photo.height - height)
            left = random.randint(0, photo.width - width)
            size = [photo.height, photo.width]
            cut = functional.resized_crop(
                photo, top, left, height, width, size, InterpolationMode.BICUBIC
            )
            turned = functional.rotate(
                photo, random.uniform(2, 10), InterpolationMode.BILINEAR, fill=[255, 255, 255]
            )
            for copy, image in enumerate((cut, turned), 1):
                image.save(out / f"{number}_{copy}.jpg", quality=95, subsampling="4:4:4")

    return write


def mean_megapixels(photos: Path, keys: tuple[str, ...]) -> float:
    """Return the mean size of the photos, from their headers."""
    total = 0
    for key in keys:
        with Image.open(photos / key) as opened:
            total += opened.width * opened.height
    return round(total / len(keys) / 1e6, 2)


if __name__ == "__main__":
    main()
