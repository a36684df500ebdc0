"""From the bytes of a photo to the 20 listings that look most like it, among 100,000.

    python benchmarks/recommend_photo.py

Two cores, a minute, 1 GB of memory and 0.2 GB of a temporary folder. Expected: under 0.1 s in all,
two thirds of it to look at the photo.

Photos are rendered house fronts of 1,024 x 768, as JPEG. Their bytes are written to a file as those
of one that is sent to the service are, decoded, passed through a tagger of MobileNetV2 with three
heads and an embedding of 256 numbers, and asked about. The tagger's weights are drawn by chance,
which takes the same time as those that were learned. Listings are made, a photo each; see
recommend.py, which explains the numbers, too.

Writes benchmarks/results/recommend_photo.json.
"""

import io
import json
import os
import tempfile
from pathlib import Path
from time import perf_counter

import recommend
from PIL import Image
from recommend import TAGS, name_photo, read_cpu_seconds, save_homes, sum_up
from rich.console import Console
from rich.table import Table

from seentwice.commands.provenance import describe_machine, git_commit, library_versions
from seentwice.data.source import tell_nobody
from seentwice.files import write_atomically
from seentwice.models.backbones import build_trunk
from seentwice.models.engines import Passing
from seentwice.models.photo_tagger import TaggerArchitecture, build_tagger
from seentwice.models.tagger_checkpoint import TaggerRecord, save_tagger
from seentwice.models.trunk import fingerprint_frozen
from seentwice.recommend.listings import list_photos
from seentwice.recommend.photo_reader import ReaderChoice
from seentwice.recommend.readers import open_reader
from seentwice.recommend.recommender import Recommender
from seentwice.recommend.snapshot import open_snapshot
from seentwice.rendering.fronts.photo import render_front

RESULT = Path(__file__).resolve().parent / "results" / "recommend_photo.json"
BACKBONE, SIZE = "mobilenet_v2", 256
COUNT, TOP, PHOTOS, TIMES = 100_000, 20, 5, 51
SIZE_PX = (1024, 768)
STEPS = ("looked at", "asked", "both")


def main() -> None:
    """Measure, print and write."""
    with tempfile.TemporaryDirectory() as folder:
        times = measure(Path(folder))
    result = {
        "command": "python benchmarks/recommend_photo.py",
        "machine": describe_machine(),
        "versions": library_versions(),
        "git_commit": git_commit(),
        "backbone": BACKBONE,
        "numbers": SIZE,
        "listings": COUNT,
        "top": TOP,
        "photo_px": SIZE_PX,
        "photos": TIMES,
        "load_average": round(os.getloadavg()[0], 2),
        "times": times,
    }
    RESULT.parent.mkdir(exist_ok=True)
    write_atomically(RESULT, json.dumps(result, indent=2) + "\n")
    table = Table("a photo is", "p50 ms", "p99 ms", "least ms", "CPU ms")
    for step, found in times.items():
        table.add_row(step, *(f"{value:.1f}" for value in found.values()))
    Console().print(table)


def measure(folder: Path) -> dict[str, dict[str, float]]:
    """Open a tagger and an index, and ask about photos."""
    recommend.SIZE = SIZE
    save_homes(folder, COUNT)
    checkpoint = folder / "tagger.safetensors"
    save_chance_tagger(checkpoint)
    reader = open_reader(
        ReaderChoice("tagger", str(checkpoint), None, 10**8), workers=os.cpu_count() or 1
    )
    snapshot = open_snapshot(folder)
    listings = list_photos(snapshot.photos.keys, snapshot.photos.is_there)
    homes = Recommender(folder, folder, snapshot, listings)
    homes.recommend(homes.ask_about(name_photo(0)), TOP)
    photos = [encode_front(seed) for seed in range(PHOTOS)]
    path = folder / "sent.jpg"
    times: dict[str, list[tuple[float, float]]] = {step: [] for step in STEPS}
    for number in range(-1, TIMES):
        marks = [(perf_counter(), read_cpu_seconds())]
        path.write_bytes(photos[number % PHOTOS])
        (seen,) = reader.read([path], tell_nobody)
        marks.append((perf_counter(), read_cpu_seconds()))
        found = homes.recommend(homes.ask_about_values(seen.values[0]), TOP)
        marks.append((perf_counter(), read_cpu_seconds()))
        assert len(found) == TOP
        if number >= 0:  # the one before is the first that is passed
            for step, (start, end) in zip(STEPS, ((0, 1), (1, 2), (0, 2)), strict=True):
                wall, cpu = (
                    1e3 * (after - before)
                    for before, after in zip(marks[start], marks[end], strict=True)
                )
                times[step].append((wall, cpu))
    return {step: sum_up(found) for step, found in times.items()}


def encode_front(seed: int) -> bytes:
    """Return the bytes of a photo."""
    data = io.BytesIO()
    pixels = render_front(seed, "ranch", "one", "test", SIZE_PX)
    Image.fromarray(pixels).save(data, "JPEG", quality=90)
    return data.getvalue()


def save_chance_tagger(path: Path) -> None:
    """Write a tagger that learned nothing."""
    trunk = build_trunk(BACKBONE, "none", "average", 0, "eval", 0)
    architecture = TaggerArchitecture(BACKBONE, "average", 0, "eval", TAGS.heads, SIZE)
    record = TaggerRecord(
        architecture=architecture,
        preprocessing=trunk.preprocessing,
        trunk_weights="none",
        trunk_seed=0,
        trunk_fingerprint=fingerprint_frozen(trunk),
        bundled=False,
        row_type="float32",
        passing=Passing(),
        data_name="made",
        data_fingerprint="0" * 64,
        seed=0,
        split={},
        test_metrics={},
        versions={},
        machine="",
        git_commit=None,
        learned_photos=(),
    )
    save_tagger(path, build_tagger(architecture, trunk, 0), record)


if __name__ == "__main__":
    main()
