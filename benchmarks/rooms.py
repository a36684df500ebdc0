"""How fast rooms render, and how little hashes and colours tell them apart.

    python benchmarks/rooms.py

Two cores, about 3 minutes the first time; the rooms stay in data/raw. Expected: more than 10 photos
a second on one core; ROC AUC at most 0.65 for every hash and 0.75 for the histogram, between photos
of one test room and photos of other test rooms of its type.

Writes benchmarks/results/rooms.json.
"""

import json
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from statistics import median
from time import perf_counter, process_time

import numpy as np
from hydra.utils import instantiate
from numpy.typing import NDArray
from omegaconf import OmegaConf
from rich.console import Console
from rich.table import Table
from sklearn.metrics import roc_auc_score

from seentwice.bank.bank import open_bank
from seentwice.commands.provenance import describe_machine, library_versions
from seentwice.data.pairs import PairTable, list_pairs
from seentwice.data.rooms import RoomsSource
from seentwice.data.source import PhotoSet
from seentwice.detectors.describe import describe_views
from seentwice.detectors.hashes import HashDescriptor, hash_similarity
from seentwice.detectors.histogram import HistogramDescriptor, histogram_similarity
from seentwice.files import digest_file, write_atomically
from seentwice.hashing import HASHES
from seentwice.records import View

FOLDER = Path(__file__).resolve().parent
CONFIG = FOLDER.parent / "configs" / "data" / "rooms.yaml"
DATA = FOLDER.parent / "data" / "raw"
RESULT = FOLDER / "results" / "rooms.json"
SEEDS = (0, 1, 2)
SPEED_RUNS = 5
SPEED_PLACES = 10
MAX_PIXELS = 100_000_000


def main() -> None:
    """Measure, print and write."""
    source: RoomsSource = instantiate(OmegaConf.load(CONFIG))
    speeds = [measure_speed(source, run) for run in range(SPEED_RUNS)]
    wall, cpu = (median(column) for column in zip(*speeds, strict=True))
    areas = {seed: measure_areas(source, seed) for seed in SEEDS}
    result = {
        "command": "python benchmarks/rooms.py",
        "machine": describe_machine(),
        "versions": library_versions(),
        "size_px": [source.width_px, source.height_px],
        "photos_per_second": {
            "per_core_wall": round(wall, 2),
            "per_core_cpu": round(cpu, 2),
            "runs": SPEED_RUNS,
            "photos_per_run": SPEED_PLACES * source.views_per_place,
        },
        "test_places": source.test_places,
        "roc_auc_same_type": {str(seed): dict(found) for seed, found in areas.items()},
    }
    RESULT.parent.mkdir(exist_ok=True)
    write_atomically(RESULT, json.dumps(result, indent=2) + "\n")
    print_result(wall, cpu, areas)


def measure_speed(source: RoomsSource, run: int) -> tuple[float, float]:
    """Return photos a second by the clock, and by the processor's own time, in one process."""
    with tempfile.TemporaryDirectory() as folder:
        few = replace(
            source,
            root=Path(folder) / "rooms",
            seed=100 + run,
            train_places=SPEED_PLACES,
            test_places=0,
            workers=1,
        )
        wall, cpu = perf_counter(), process_time()
        few.prepare(lambda done, total: None)
        photos = SPEED_PLACES * source.views_per_place
        return photos / (perf_counter() - wall), photos / (process_time() - cpu)


def measure_areas(source: RoomsSource, seed: int) -> Mapping[str, float]:
    """Return the ROC AUC of each baseline on the test rooms of the demo, or of another seed."""
    drawn = replace(source, root=DATA / f"rooms_seed{seed}", seed=seed)
    drawn.prepare(lambda done, total: None)
    photo_set = drawn.read()
    tested = tuple(photo for photo in photo_set.photos if photo.split == "test")
    return areas_of(replace(photo_set, photos=tested))


def areas_of(photo_set: PhotoSet) -> Mapping[str, float]:
    """Return the ROC AUC of the four hashes and the histogram on pairs of one room type."""
    views = tuple(View(photo) for photo in photo_set.photos)
    described = describe_views(
        views,
        [digest_file(view.photo.path) for view in views],
        [HashDescriptor(), HistogramDescriptor()],
        open_bank(None, 1),
        "rooms",
        1,
        MAX_PIXELS,
        lambda done, total: None,
    )
    pairs = list_pairs(views)
    pairs = pairs.take(same_type(pairs))
    similarities = {name: hash_similarity(name) for name in HASHES}
    similarities["histogram"] = histogram_similarity
    return {
        name: round(float(roc_auc_score(pairs.label, similarity(pairs, described.rows))), 4)
        for name, similarity in similarities.items()
    }


def same_type(pairs: PairTable) -> NDArray[np.bool_]:
    """Say of each pair (n,) whether its two photos show one type of room."""
    room_type = np.array([str(view.photo.room_type) for view in pairs.views])
    alike: NDArray[np.bool_] = room_type[pairs.left] == room_type[pairs.right]
    return alike


def print_result(wall: float, cpu: float, areas: Mapping[int, Mapping[str, float]]) -> None:
    """Print the photos a second, and a row a detector, a column a seed."""
    console = Console()
    console.print(f"{wall:.1f} photos a second on one core ({cpu:.1f} a second of its own time)")
    table = Table("ROC AUC, same room type", *(f"seed {seed}" for seed in areas))
    for name in next(iter(areas.values())):
        table.add_row(name, *(f"{found[name]:.3f}" for found in areas.values()))
    console.print(table)


if __name__ == "__main__":
    main()
