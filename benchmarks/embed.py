"""How many photos a second become rows, from JPEG to features, and how near they are to plain ones.

    python benchmarks/embed.py [PHOTOS [WEIGHTS]]

PHOTOS are any JPEGs, such as data/raw/houses; the first 320 of a shuffle are used. Without them 96
rooms are rendered and enlarged to 1,280 x 960. WEIGHTS are those of MobileNetV2 as a safetensors
file: how near the rows of a trained trunk are is measured with them.

Two cores, 3 minutes. Plain is what one would write: a batch of 16 is decoded by as many threads as
there are cores and then passes torch in float32, on as many. Expected, MobileNetV3-Large at 224 px:
with torch alone at least 3 times as many photos a second as plain, on photos of 0.5 megapixels. The
trunk is untrained, but its BatchNorm saw photos: without that, its values are too small to be
computed at full speed.

Writes benchmarks/results/embed.json.
"""

import json
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from random import Random
from statistics import median
from time import perf_counter

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from rich.console import Console
from rich.table import Table
from torch import nn

from seentwice.commands.provenance import describe_machine, git_commit, library_versions
from seentwice.data.rooms import write_rooms
from seentwice.detectors.embedding_rows import Decoding, embed_photos
from seentwice.errors import UserError
from seentwice.files import write_atomically
from seentwice.models.backbones import build_trunk
from seentwice.models.engines import BATCH, Engine, Passing, open_engine
from seentwice.models.preprocessing import IMAGENET_224
from seentwice.models.trunk import Trunk
from seentwice.photos import find_photos, read_photo

RESULT = Path(__file__).resolve().parent / "results" / "embed.json"
MOST_PHOTOS, WARM_UP_PHOTOS, RENDERED_ROOMS = 320, 96, 48
RUNS = 5
MAX_PIXELS = 100_000_000
PLAIN = "plain"
WAYS: Mapping[str, tuple[Passing, Decoding]] = {
    "torch float32, full decode": (Passing("torch", "float32"), "full"),
    "torch float32": (Passing("torch", "float32"), "reduced"),
    "torch bfloat16": (Passing("torch", "bfloat16"), "reduced"),
    "torch bfloat16, full decode": (Passing("torch", "bfloat16"), "full"),
    "openvino float32": (Passing("openvino", "float32"), "reduced"),
    "openvino bfloat16": (Passing("openvino", "bfloat16"), "reduced"),
}
Rows = NDArray[np.float32]
Way = Callable[[], Rows]


def main() -> None:
    """Measure, print and write."""
    if len(sys.argv) > 3:
        raise SystemExit("give a folder of photos at most, and weights of MobileNetV2")
    if torch.cuda.is_available():
        raise SystemExit("measures processors alone: put CUDA_VISIBLE_DEVICES= before the command")
    with tempfile.TemporaryDirectory() as temporary:
        root = Path(sys.argv[1]) if len(sys.argv) > 1 else render(Path(temporary))
        files = sorted(find_photos(root)[0])
        Random(0).shuffle(files)
        files = files[:MOST_PHOTOS]
        trunk = replace(
            build_trunk("mobilenet_v3_large", "none", "average", 0, "eval", seed=0),
            preprocessing=IMAGENET_224,
        )
        warm_up(trunk, files[:WARM_UP_PHOTOS])
        ways = list_ways(trunk, files)
        rows = {name: embed() for name, embed in ways.items()}  # and a run that does not count
        speeds = measure(ways, len(files))
        agreement = {"untrained mobilenet_v3_large": compare(rows)}
        if len(sys.argv) > 2:
            trained = build_trunk("mobilenet_v2", sys.argv[2], "average", 0, "eval", seed=0)
            found = {name: embed() for name, embed in list_ways(trained, files).items()}
            agreement["mobilenet_v2 with its weights"] = compare(found)
        megapixels = mean_megapixels(files)
    result = {
        "command": " ".join(["python benchmarks/embed.py", *sys.argv[1:]]),
        "machine": describe_machine(),
        "git_commit": git_commit(),
        "versions": library_versions() | optional_versions(),
        "threads": torch.get_num_threads(),
        "photos": len(files),
        "rendered": len(sys.argv) == 1,
        "mean_megapixels": megapixels,
        "runs": RUNS,
        "photos_per_second": {name: round(median(found), 1) for name, found in speeds.items()},
        "times_plain": {
            name: round(median(np.divide(found, speeds[PLAIN]).tolist()), 2)
            for name, found in speeds.items()
        },
        "cosine_with_plain": agreement,
    }
    RESULT.parent.mkdir(exist_ok=True)
    write_atomically(RESULT, json.dumps(result, indent=2) + "\n")
    print_result(result)


def render(folder: Path) -> Path:
    """Make photos as large as a portal's, for who has none."""
    write_rooms(folder, 0, RENDERED_ROOMS, 0, 2, (320, 240), workers=torch.get_num_threads())
    for file in folder.rglob("*.jpg"):
        with Image.open(file) as opened:
            large = opened.resize((1280, 960), Image.Resampling.LANCZOS)
        large.save(file, quality=90)
    return folder


def warm_up(trunk: Trunk, files: Sequence[Path]) -> None:
    """Let BatchNorm take the mean statistics of some batches."""
    for module in trunk.stages.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.reset_running_stats()
            module.momentum = None
    trunk.stages.train()
    with torch.no_grad():
        for start in range(0, len(files), BATCH):
            looks = [look_at(trunk, file) for file in files[start : start + BATCH]]
            trunk.stages(trunk.preprocessing.normalise(torch.from_numpy(np.stack(looks))))
    trunk.stages.eval()


def look_at(trunk: Trunk, file: Path) -> NDArray[np.uint8]:
    """Decode a photo in full."""
    return trunk.preprocessing.look(read_photo(file, MAX_PIXELS))


def list_ways(trunk: Trunk, files: Sequence[Path]) -> Mapping[str, Way]:
    """Return what embeds all files in each way that is installed."""
    ways: dict[str, Way] = {PLAIN: lambda: embed_plainly(trunk, files)}
    for name, (passing, decoding) in WAYS.items():
        try:
            engine = open_engine(trunk.frozen, trunk.preprocessing, passing)
        except UserError as error:
            print(f"{name}: left out: {error}", file=sys.stderr)
        else:
            ways[name] = make_way(engine, files, decoding)
    return ways


def make_way(engine: Engine, files: Sequence[Path], decoding: Decoding) -> Way:
    """Return what embeds all files as the project does."""

    def embed() -> Rows:
        found = embed_photos(
            files, engine, decoding, torch.get_num_threads(), MAX_PIXELS, lambda done, total: None
        )
        rows = []
        for some in found:
            if some.unreadable:
                raise SystemExit(f"{some.unreadable[0].name}: give a folder of whole photos")
            rows.append(some.rows)
        return np.concatenate(rows)

    return embed


@torch.inference_mode()
def embed_plainly(trunk: Trunk, files: Sequence[Path]) -> Rows:
    """Embed all files in float32, one batch after another."""
    rows = []
    with ThreadPoolExecutor(torch.get_num_threads()) as pool:
        for start in range(0, len(files), BATCH):
            looks = list(pool.map(lambda file: look_at(trunk, file), files[start : start + BATCH]))
            photos = trunk.preprocessing.normalise(torch.from_numpy(np.stack(looks)))
            rows.append(trunk.stages(photos).numpy())
    return np.concatenate(rows)


def measure(ways: Mapping[str, Way], photos: int) -> dict[str, list[float]]:
    """Return the photos a second of each run; the ways take turns."""
    speeds: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(RUNS):
        for name, embed in ways.items():
            start = perf_counter()
            embed()
            speeds[name].append(photos / (perf_counter() - start))
    return speeds


def compare(rows: Mapping[str, Rows]) -> dict[str, dict[str, float]]:
    """Return the mean and the least cosine of each way's rows with the plain ones."""
    cosines = {
        name: nn.functional.cosine_similarity(
            torch.from_numpy(found).double(), torch.from_numpy(rows[PLAIN]).double()
        )
        for name, found in rows.items()
    }
    return {
        name: {"mean": round(found.mean().item(), 6), "least": round(found.min().item(), 6)}
        for name, found in cosines.items()
    }


def optional_versions() -> dict[str, str]:
    """Return the versions of Pillow and, where it is installed, OpenVINO."""
    versions = {"pillow": version("pillow")}
    with suppress(PackageNotFoundError):
        versions["openvino"] = version("openvino")
    return versions


def mean_megapixels(files: Sequence[Path]) -> float:
    """Return the mean size of the photos, from their headers."""
    total = 0
    for file in files:
        with Image.open(file) as opened:
            total += opened.width * opened.height
    return round(total / len(files) / 1e6, 2)


def print_result(result: Mapping[str, object]) -> None:
    """Print a row a way."""
    speeds, ratios, cosines = (
        result[key] for key in ("photos_per_second", "times_plain", "cosine_with_plain")
    )
    trunks = list(cosines)
    table = Table("", "photos a second", "times plain", *(f"cosine, {name}" for name in trunks))
    for name, speed in speeds.items():
        near = [
            f"{found['mean']:.4f}, least {found['least']:.4f}"
            for found in (cosines[trunk][name] for trunk in trunks)
        ]
        table.add_row(name, f"{speed:.1f}", f"{ratios[name]:.2f}", *near)
    Console().print(table)


if __name__ == "__main__":
    main()
