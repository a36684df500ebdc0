"""How much faster SameSpace's training is from the bank than with the trunk in every step.

    python benchmarks/feature_bank.py [PHOTOS]

One epoch of SameSpace is 199,552 pairs of 631 photos in 8 edits, 256 px, MobileNetV3-Large, batches
of 64. Its own way passes both photos of every pair through the trunk: 399,104 passes, of which a
slice is measured here and scaled. From the bank it is 5,048 passes, once. PHOTOS is any folder with
631 photos, the rendered rooms where it is left out. Weights are random, with BatchNorm that has
seen photos. Pairs are drawn at random; a shared tower embeds each view of a batch once, so the few
self-pairs of SameSpace's own table would cost it a little less.

An epoch is expected to be 60 times faster with the concatenation head and 150 times with L1 and L2,
30 epochs with the filling 55 times. Two cores, about 35 minutes. Writes
benchmarks/results/feature_bank.json.
"""

import json
import sys
from copy import deepcopy
from pathlib import Path
from statistics import median
from time import perf_counter

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from samespace_training import (
    ALPHA,
    BATCH,
    LEARNING_RATE,
    THREADS,
    configured,
    draw_table,
    train_epochs,
    use_processor,
)
from torch import Tensor, nn
from torch.nn import functional as F

from seentwice.bank.bank import open_bank
from seentwice.commands.nets import read_architecture
from seentwice.commands.provenance import describe_machine, git_commit, library_versions
from seentwice.commands.settings import read_source
from seentwice.data.samespace import EDITS
from seentwice.data.source import tell_nobody
from seentwice.detectors.describe import describe_views
from seentwice.detectors.trunk import PixelDescriptor, TrunkDescriptor
from seentwice.files import digest_file, write_atomically
from seentwice.learn.rmsprop import RMSprop
from seentwice.models.backbones import build_trunk
from seentwice.models.nets import SiameseNet, build_siamese
from seentwice.models.trunk import Trunk
from seentwice.photos import find_photos
from seentwice.records import Photo, View

FOLDER = Path(__file__).resolve().parent
RESULT = FOLDER / "results" / "feature_bank.json"
PHOTOS, PAIRS = 631, 199_552
SLICE_STEPS = 34  # of the reference's way; the first two do not count, which leaves 2,048 pairs
HEADS = ("samespace", "l1", "l2")
FILLS, EPOCHS = 3, 3  # measured of the bank
SWEEP_EPOCHS = 156  # of 16 trials of at most 30 epochs under ASHA, in about
MAX_PIXELS = 100_000_000


def main() -> None:
    """Measure, print and write."""
    use_processor()
    views = find_views(Path(sys.argv[1]) if len(sys.argv) > 1 else None)
    trunk = warm_trunk(views)
    result: dict[str, object] = {
        "command": " ".join(["python benchmarks/feature_bank.py", *sys.argv[1:]]),
        "machine": describe_machine(),
        "versions": library_versions(),
        "git_commit": git_commit(),
        "threads": THREADS,
        "photos": PHOTOS,
        "rendered": len(sys.argv) == 1,
        "mean_megapixels": mean_megapixels(views),
        "views": len(views),
        "pairs": PAIRS,
    }
    rows, seconds = fill(views, trunk)
    result["fill_seconds"] = round(median(seconds), 2)
    print(f"fill: {seconds} s", flush=True)
    looks = describe(views, PixelDescriptor(trunk.preprocessing))
    heads = {head: measure_head(head, trunk, rows, looks) for head in HEADS}
    result["heads"] = heads
    result["matrix_gigaflops"] = round(matrix_rate() / 1e9, 1)
    result["float16"] = compare_types(rows, trunk)
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


def mean_megapixels(views: list[View]) -> float:
    """Return the mean size of the photos, in 10⁶ pixels."""
    sizes = []
    for file in {view.photo.path for view in views}:
        with Image.open(file) as opened:
            sizes.append(opened.width * opened.height / 1e6)
    return round(sum(sizes) / len(sizes), 2)


def fill(views: list[View], trunk: Trunk) -> tuple[NDArray[np.generic], list[float]]:
    """Fill an empty bank: decode, edit, pass the trunk, write; return the rows and the seconds."""
    seconds = []
    for _ in range(FILLS):
        start = perf_counter()
        rows = describe(views, TrunkDescriptor(trunk, "float32"))
        seconds.append(perf_counter() - start)
    return rows, seconds


def measure_head(
    head: str, trunk: Trunk, rows: NDArray[np.generic], looks: NDArray[np.generic]
) -> dict[str, float]:
    """Return the seconds of an epoch from the bank, and of the reference's way, scaled."""
    banked = median(train_epochs(head, trunk, rows, PAIRS, EPOCHS))
    print(f"{head}: an epoch from the bank {banked:.1f} s", flush=True)
    half = median(train_epochs(head, trunk, rows, PAIRS, EPOCHS, "training.precision=bf16-mixed"))
    print(f"{head}: in bfloat16 {half:.1f} s", flush=True)
    reference = {
        name: median(reference_steps(head, trunk, torch.from_numpy(looks), fast)) * PAIRS / BATCH
        for name, fast in (("float32", False), ("bfloat16, channels last", True))
    }
    print(f"{head}: an epoch as the reference does it {reference}", flush=True)
    architecture = read_architecture(configured(head), head, trunk)
    net = build_siamese(architecture, trunk, seed=0)
    multiply_adds = PAIRS * multiply_adds_of(net)
    return {
        "bank_epoch_seconds": round(banked, 2),
        "bank_bfloat16_epoch_seconds": round(half, 2),
        "reference_epoch_seconds": round(reference["float32"], 1),
        "fast_reference_epoch_seconds": round(reference["bfloat16, channels last"], 1),
        "slice_pairs": (SLICE_STEPS - 2) * BATCH,
        "epoch_multiply_adds": multiply_adds,
    }


def reference_steps(head: str, trunk: Trunk, looks: Tensor, fast: bool) -> list[float]:
    """Take steps that pass both photos of every pair through the trunk; seconds of each.

    The pixels are in memory, where the reference decodes them anew.

    Args:
        head: of the net.
        trunk: frozen.
        looks: (v, 3, h, w) uint8.
        fast: the trunk in bfloat16, channels last, and the net under autocast.
    """
    config = configured(head)
    net = build_siamese(read_architecture(config, head, trunk), trunk, seed=0).train()
    stages = deepcopy(trunk.stages)
    kind = torch.bfloat16 if fast else torch.float32
    layout = torch.channels_last if fast else torch.contiguous_format
    stages.to(kind, memory_format=layout)
    optimizer = torch.optim.RMSprop(
        [parameter for parameter in net.parameters() if parameter.requires_grad],
        lr=LEARNING_RATE,
        alpha=ALPHA,
    )
    generator = torch.Generator().manual_seed(0)
    label = (torch.arange(BATCH) % 2).float()
    seconds = []
    for _ in range(SLICE_STEPS):
        start = perf_counter()
        sides = torch.randint(len(looks), (2, BATCH), generator=generator)
        optimizer.zero_grad()
        with torch.no_grad():
            photos = [trunk.preprocessing.normalise(looks[side]) for side in sides]
            features = [stages(photo.to(kind, memory_format=layout)) for photo in photos]
        with torch.autocast("cpu", torch.bfloat16, enabled=fast):
            logits = net(torch.cat(features), torch.arange(BATCH), torch.arange(BATCH, 2 * BATCH))
        loss = F.binary_cross_entropy_with_logits(logits.float(), label)
        loss.backward()
        optimizer.step()
        seconds.append(perf_counter() - start)
    return seconds[2:]


def multiply_adds_of(net: SiameseNet) -> int:
    """Return the multiply-adds of one pair's step.

    Forward, and backward to the weights and to the inputs. Both photos pass a tower, and its
    inputs, the bank's rows, need no gradient.
    """
    in_towers = {part for tower in net.towers for part in tower.modules()}
    passes_of_tower = 2 * 2 // len(net.towers)
    return sum(
        part.weight.numel() * (passes_of_tower if part in in_towers else 3)
        for part in net.modules()
        if isinstance(part, nn.Linear)
    )


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
    optimizer = RMSprop(net.parameters(), lr=LEARNING_RATE, alpha=ALPHA)
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


def add_ratios(result: dict[str, object], heads: dict[str, dict[str, float]]) -> None:
    """Add how many times faster, for an epoch, for 30 with the fill, and for a whole sweep."""
    fill_seconds, rate = float(result["fill_seconds"]), float(result["matrix_gigaflops"]) * 1e9
    for head in heads.values():
        banked, half = head["bank_epoch_seconds"], head["bank_bfloat16_epoch_seconds"]
        slow, fast = head["reference_epoch_seconds"], head["fast_reference_epoch_seconds"]
        for name, bank, reference in (
            ("to_reference", banked, slow),
            ("to_fast_reference", banked, fast),
            ("bfloat16_to_fast_reference", half, fast),
        ):
            head[f"epoch_ratio_{name}"] = round(reference / bank, 1)
            head[f"thirty_epochs_ratio_{name}"] = round(
                30 * reference / (fill_seconds + 30 * bank), 1
            )
        head["floor_seconds"] = round(2 * head["epoch_multiply_adds"] / rate, 1)
        head["share_of_floor"] = round(head["floor_seconds"] / banked, 2)
        head["sweep_hours_computed"] = round((fill_seconds + SWEEP_EPOCHS * banked) / 3600, 2)
        head["sweep_hours_reference_computed"] = round(SWEEP_EPOCHS * slow / 3600, 1)


if __name__ == "__main__":
    main()
