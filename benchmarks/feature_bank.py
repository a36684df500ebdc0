"""How much faster SameSpace's training is from the bank than with the trunk in every step.

    python benchmarks/feature_bank.py [PHOTOS]

One epoch of SameSpace is 199,552 pairs of 631 photos in 8 edits, 256 px, MobileNetV3-Large, batches
of 64. Its own way passes both photos of every pair through the trunk: 399,104 passes, of which a
slice is measured here and scaled. From the bank it is 5,048 passes, once. PHOTOS is any folder with
631 photos, the rendered rooms where it is left out. Weights are random, with BatchNorm that has
seen photos; pairs are drawn at random, since no time depends on who meets whom.

Two cores, about 40 minutes. Writes benchmarks/results/feature_bank.json.
"""

import json
import multiprocessing
import resource
import sys
import tempfile
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from statistics import median
from time import perf_counter

import numpy as np
import torch
from hydra import compose, initialize_config_dir
from numpy.typing import NDArray
from omegaconf import DictConfig
from torch import Tensor, nn
from torch.nn import functional as F

from seentwice.bank.bank import open_bank
from seentwice.commands.application import find_configs
from seentwice.commands.nets import net_trainer, read_architecture
from seentwice.commands.provenance import describe_machine, git_commit, library_versions
from seentwice.commands.settings import read_source
from seentwice.data.pairs import PairTable
from seentwice.data.samespace import EDITS
from seentwice.data.source import tell_nobody
from seentwice.detectors.describe import describe_views
from seentwice.detectors.trunk import PixelDescriptor, TrunkDescriptor
from seentwice.files import digest_file, write_atomically
from seentwice.models.backbones import build_trunk
from seentwice.models.nets import build_siamese
from seentwice.models.trunk import Trunk
from seentwice.photos import find_photos
from seentwice.records import Photo, View

FOLDER = Path(__file__).resolve().parent
RESULT = FOLDER / "results" / "feature_bank.json"
PHOTOS, PAIRS, BATCH = 631, 199_552, 64
SLICE_STEPS = 34  # of the reference's way, 2,176 pairs; the first two do not count
EPOCHS = {"concat": 2, "l1": 3, "l2": 3}  # measured from the bank
SWEEP_EPOCHS = 156  # of 16 trials of at most 30 epochs under ASHA, in about
MAX_PIXELS = 100_000_000
THREADS = 2


def main() -> None:
    """Measure, print and write."""
    torch.set_num_threads(THREADS)
    views = find_views(Path(sys.argv[1]) if len(sys.argv) > 1 else None)
    trunk = warm_trunk(views)
    result: dict[str, object] = {
        "command": "python benchmarks/feature_bank.py" + (" PHOTOS" if len(sys.argv) > 1 else ""),
        "machine": describe_machine(),
        "versions": library_versions(),
        "git_commit": git_commit(),
        "threads": THREADS,
        "photos": PHOTOS,
        "views": len(views),
        "pairs": PAIRS,
    }
    rows, result["fill_seconds"] = fill(views, trunk, "float32")
    print(f"fill: {result['fill_seconds']:.1f} s", flush=True)
    looks = describe(views, PixelDescriptor(trunk.preprocessing))
    heads = {head: measure_head(head, trunk, rows, looks) for head in EPOCHS}
    result["heads"] = heads
    result["matrix_gigaflops"] = round(matrix_rate() / 1e9, 1)
    result["float16"] = compare_types(rows, trunk)
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as alone:
        result["thirty_epochs_l1"] = alone.submit(train_thirty, rows).result()
    add_ratios(result, heads)
    RESULT.parent.mkdir(exist_ok=True)
    write_atomically(RESULT, json.dumps(result, indent=2) + "\n")
    print(json.dumps(result, indent=2))


def find_views(root: Path | None) -> list[View]:
    """Return the 8 views of 631 photos."""
    if root is None:
        source = read_source(configured("l1", "data=rooms"))
        source.prepare(tell_nobody)
        files = [photo.path for photo in source.read().photos]
    else:
        files = list(find_photos(root)[0])
    if len(files) < PHOTOS:
        raise SystemExit(f"{root}: {len(files)} photos; give a folder with at least {PHOTOS}")
    photos = [Photo(file, str(number), str(number)) for number, file in enumerate(files[:PHOTOS])]
    return [View(photo, edit) for photo in photos for edit in EDITS]


def configured(head: str, *words: str) -> DictConfig:
    """Return the configuration of SameSpace's training: its own net, or another head.

    L1 and L2 have one tower for both sides, of the same size, that gives unit length.
    """
    other = [f"head={head}", "tower=linear", "tower.embedding_size=1280", "tower.shared=true"]
    chosen = ["experiment=samespace", *([] if head == "concat" else other), *words]
    with initialize_config_dir(str(find_configs()), version_base="1.3"):
        return compose("train", chosen)


def warm_trunk(views: list[View]) -> Trunk:
    """Build the trunk; a fresh one gives near-zero features, which are slow and misleading."""
    trunk = build_trunk("mobilenet_v3_large", "none", "average", 0, "eval", seed=0)
    looks = torch.from_numpy(describe(views[:256:2], PixelDescriptor(trunk.preprocessing)))
    trunk.stages.train()
    with torch.no_grad():
        for _ in range(3):
            for block in looks.split(32):
                trunk.stages(trunk.preprocessing.normalise(block))
    trunk.stages.eval()
    return trunk


def describe(
    views: list[View], descriptor: PixelDescriptor | TrunkDescriptor
) -> NDArray[np.generic]:
    """Return the rows of views, kept nowhere."""
    described = describe_views(
        views,
        [digest_file(view.photo.path) for view in views],
        [descriptor],
        open_bank(None, 10),
        "benchmark",
        THREADS,
        MAX_PIXELS,
        tell_nobody,
    )
    return described.rows[descriptor.name]


def fill(views: list[View], trunk: Trunk, dtype: str) -> tuple[NDArray[np.generic], float]:
    """Fill an empty bank: decode, edit, pass the trunk, write; return the rows and the seconds."""
    start = perf_counter()
    rows = describe(views, TrunkDescriptor(trunk, dtype))
    return rows, round(perf_counter() - start, 2)


def draw_table(views: int, pairs: int, seed: int) -> PairTable:
    """Return as many positives as negatives between views at random."""
    left, right = np.random.default_rng(seed).integers(views, size=(2, pairs))
    shown = tuple(View(Photo(Path(str(n)), str(n), str(n))) for n in range(views))
    return PairTable(shown, left, right, np.arange(pairs) < pairs // 2, np.zeros(pairs, np.int8))


def measure_head(
    head: str, trunk: Trunk, rows: NDArray[np.generic], looks: NDArray[np.generic]
) -> dict[str, float]:
    """Return the seconds of an epoch from the bank, and of the reference's way, scaled."""
    banked = median(train_epochs(head, trunk, rows, EPOCHS[head]))
    print(f"{head}: an epoch from the bank {banked:.1f} s", flush=True)
    reference = {
        name: median(reference_steps(head, trunk, torch.from_numpy(looks), fast)) * PAIRS / BATCH
        for name, fast in (("float32", False), ("bfloat16, channels last", True))
    }
    print(f"{head}: an epoch as the reference does it {reference}", flush=True)
    architecture = read_architecture(configured(head), head, trunk)
    net = build_siamese(architecture, trunk, seed=0)
    multiply_adds = 3 * PAIRS * multiply_adds_of(net)
    return {
        "bank_epoch_seconds": round(banked, 2),
        "reference_epoch_seconds": round(reference["float32"], 1),
        "fast_reference_epoch_seconds": round(reference["bfloat16, channels last"], 1),
        "slice_pairs": SLICE_STEPS * BATCH,
        "epoch_multiply_adds": multiply_adds,
    }


def train_epochs(head: str, trunk: Trunk, rows: NDArray[np.generic], epochs: int) -> list[float]:
    """Train as `seentwice train experiment=samespace` does; return the seconds of each epoch."""
    config = configured(head, f"training.epochs={epochs}", f"training.patience={epochs}")
    ends = []
    with tempfile.TemporaryDirectory() as folder:
        train_net = net_trainer(
            config,
            head,
            trunk,
            Path(folder),
            None,
            None,
            None,
            False,
            lambda done, total: ends.append(perf_counter()),
        )
        start = perf_counter()
        train_net(draw_table(len(rows), PAIRS, 0), draw_table(len(rows), 1000, 1), rows)
    return list(np.diff([start, *ends]))


def reference_steps(head: str, trunk: Trunk, looks: Tensor, fast: bool) -> list[float]:
    """Take steps that pass both photos of every pair through the trunk; seconds of each.

    The pixels are in memory, where the reference decodes them anew.
    """
    config = configured(head)
    net = build_siamese(read_architecture(config, head, trunk), trunk, seed=0).train()
    stages = trunk.stages
    if fast:
        stages = stages.to(memory_format=torch.channels_last)
    optimizer = torch.optim.RMSprop(
        [parameter for parameter in net.parameters() if parameter.requires_grad],
        lr=0.002061,
        alpha=0.926,
    )
    generator = torch.Generator().manual_seed(0)
    label = (torch.arange(BATCH) % 2).float()
    seconds = []
    for _ in range(SLICE_STEPS):
        start = perf_counter()
        sides = torch.randint(len(looks), (2, BATCH), generator=generator)
        optimizer.zero_grad()
        with torch.autocast("cpu", torch.bfloat16, enabled=fast):
            with torch.no_grad():
                features = torch.cat([forward(stages, trunk, looks[side], fast) for side in sides])
            logits = net(features, torch.arange(BATCH), torch.arange(BATCH, 2 * BATCH))
            loss = F.binary_cross_entropy_with_logits(logits.float(), label)
        loss.backward()
        optimizer.step()
        seconds.append(perf_counter() - start)
    trunk.stages.to(memory_format=torch.contiguous_format)
    return seconds[2:]


def forward(stages: nn.Sequential, trunk: Trunk, looks: Tensor, fast: bool) -> Tensor:
    """Pass uint8 looks (b, 3, h, w) through the trunk: (b, d)."""
    photos = trunk.preprocessing.normalise(looks)
    if fast:
        photos = photos.contiguous(memory_format=torch.channels_last)
    features: Tensor = stages(photos)
    return features


def multiply_adds_of(net: nn.Module) -> int:
    """Return the multiply-adds of one pair forward: each linear layer of a tower counts twice."""
    total = 0
    for name, module in net.named_modules():
        if isinstance(module, nn.Linear):
            total += module.weight.numel() * (2 if name.startswith("tower") else 1)
    return total


def matrix_rate() -> float:
    """Return the operations a second of a large float32 product, two a multiply-add."""
    size = 2048
    left, right = torch.randn(size, size), torch.randn(size, size)
    seconds = []
    for _ in range(8):
        start = perf_counter()
        left @ right
        seconds.append(perf_counter() - start)
    return 2 * size**3 / median(seconds[2:])


def compare_types(rows: NDArray[np.generic], trunk: Trunk) -> dict[str, float]:
    """Return how far rows of half the bytes are from the others, and the losses on them."""
    wide = torch.from_numpy(np.asarray(rows, np.float32))
    half = wide.half().float()
    losses = {
        name: first_losses(kept, trunk) for name, kept in (("float32", wide), ("float16", half))
    }
    off = np.abs(np.array(losses["float16"]) / np.array(losses["float32"]) - 1)
    return {
        "largest_deviation": float((half - wide).abs().max()),
        "largest_deviation_to_norm": float(((half - wide).norm(dim=1) / wide.norm(dim=1)).max()),
        "largest_relative_loss_deviation_in_200_steps": float(off.max()),
    }


def first_losses(rows: Tensor, trunk: Trunk) -> list[float]:
    """Return the losses of 200 steps of the L1 head."""
    config = configured("l1")
    net = build_siamese(read_architecture(config, "l1", trunk), trunk, seed=0).eval()
    optimizer = torch.optim.RMSprop(net.parameters(), lr=0.002061, alpha=0.926)
    table = draw_table(len(rows), 200 * BATCH, 2)
    order = np.random.default_rng(0).permutation(len(table)).reshape(200, BATCH)
    losses = []
    for chosen in order:
        optimizer.zero_grad()
        left, right = (torch.from_numpy(side[chosen]) for side in (table.left, table.right))
        label = torch.from_numpy(table.label[chosen]).float()
        loss = F.binary_cross_entropy_with_logits(net(rows, left, right), label)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


def train_thirty(rows: NDArray[np.generic]) -> dict[str, float]:
    """Train 30 epochs from the bank in a process of its own; its seconds and peak memory."""
    torch.set_num_threads(THREADS)
    trunk = build_trunk("mobilenet_v3_large", "none", "average", 0, "eval", seed=0)
    start = perf_counter()
    train_epochs("l1", trunk, rows, 30)
    peak_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {
        "seconds": round(perf_counter() - start, 1),
        "peak_gigabytes": round(peak_kb * 1024 / 1e9, 2),
    }


def add_ratios(result: dict[str, object], heads: dict[str, dict[str, float]]) -> None:
    """Add how many times faster, for an epoch, for 30 with the fill, and for a whole sweep."""
    fill_seconds, rate = float(result["fill_seconds"]), float(result["matrix_gigaflops"]) * 1e9
    for head in heads.values():
        banked = head["bank_epoch_seconds"]
        for name in ("", "fast_"):
            slow = head[f"{name}reference_epoch_seconds"]
            head[f"epochs_ratio_to_{name}reference"] = round(slow / banked, 1)
            thirty = 30 * slow / (fill_seconds + 30 * banked)
            head[f"thirty_epochs_ratio_to_{name}reference"] = round(thirty, 1)
        head["floor_seconds"] = round(2 * head["epoch_multiply_adds"] / rate, 1)
        head["share_of_floor"] = round(head["floor_seconds"] / banked, 2)
        head["sweep_hours_computed"] = round((fill_seconds + SWEEP_EPOCHS * banked) / 3600, 2)
        head["sweep_hours_reference_computed"] = round(
            SWEEP_EPOCHS * head["reference_epoch_seconds"] / 3600, 1
        )


if __name__ == "__main__":
    main()
