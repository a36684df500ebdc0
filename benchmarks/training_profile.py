"""Where the time of a training from the bank goes, and what would make it shorter.

    python benchmarks/training_profile.py

Trains the L1 and the concatenation head on 83,200 random pairs of 5,048 rows: once as `seentwice
train` does, with its validation and the files to resume from, once as a bare loop on batches that
were made beforehand, of which each part is timed, and so with torch's own optimizer, with parts
compiled, and in bfloat16: the first 200 steps, and the last 200, when many units have died. Then
lists the functions that took most time. Two cores, some 10 minutes.

Writes benchmarks/results/training_profile.json.
"""

import cProfile
import json
import pstats
from collections.abc import Callable
from pathlib import Path
from statistics import median
from time import perf_counter

import numpy as np
import torch
from numpy.typing import NDArray
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

from seentwice.commands.nets import read_architecture
from seentwice.commands.provenance import describe_machine, git_commit, library_versions
from seentwice.files import write_atomically
from seentwice.learn.batches import BalancedTableBatches, PairBatch
from seentwice.learn.rmsprop import RMSprop
from seentwice.models.backbones import build_trunk
from seentwice.models.losses import PAIR_LOSSES
from seentwice.models.nets import build_siamese
from seentwice.models.trunk import Trunk

RESULT = Path(__file__).resolve().parent / "results" / "training_profile.json"
VIEWS, PAIRS, EPOCHS = 5_048, 83_200, 2
TIMED, SHOWN = 200, 12
WAYS = ("as trained", "torch's RMSprop", "compiled optimizer", "compiled net", "bfloat16")


def main() -> None:
    """Measure, print and write."""
    use_processor()
    trunk = build_trunk("mobilenet_v3_large", "none", "average", 0, "eval", seed=0)
    rows = np.random.default_rng(0).normal(size=(VIEWS, trunk.feature_size)).astype(np.float32)
    heads = {}
    for head in ("l1", "concat"):
        trained = 1000 * median(train_epochs(head, trunk, rows, PAIRS, EPOCHS)) / (PAIRS // BATCH)
        heads[head] = {
            "milliseconds_of_an_epoch_a_step": round(trained, 2),
            "milliseconds_of_a_bare_loop": {
                way: time_parts(head, trunk, rows, way) for way in WAYS
            },
            "longest": longest_functions(head, trunk, rows),
        }
        print(head, json.dumps(heads[head], indent=2), flush=True)
    result = {
        "command": "python benchmarks/training_profile.py",
        "machine": describe_machine(),
        "versions": library_versions(),
        "git_commit": git_commit(),
        "threads": THREADS,
        "pairs": PAIRS,
        "batch": BATCH,
        "heads": heads,
    }
    RESULT.parent.mkdir(exist_ok=True)
    write_atomically(RESULT, json.dumps(result, indent=2) + "\n")


def time_parts(head: str, trunk: Trunk, rows: NDArray[np.float32], way: str) -> dict[str, object]:
    """Return the median milliseconds of a step's parts, in one of `WAYS`, at first and at last."""
    net = build_siamese(read_architecture(configured(head), head, trunk), trunk, seed=0).train()
    kind = torch.optim.RMSprop if way == "torch's RMSprop" else RMSprop
    optimizer = kind(net.parameters(), lr=LEARNING_RATE, alpha=ALPHA)
    take_step: Callable[[], object] = optimizer.step
    if way == "compiled optimizer":
        take_step = torch.compile(torch.optim.RMSprop.step.__get__(optimizer))
    score = torch.compile(net, dynamic=True) if way == "compiled net" else net
    inputs = torch.from_numpy(rows)

    def loss_of(batch: PairBatch) -> torch.Tensor:
        with torch.autocast("cpu", torch.bfloat16, enabled=way == "bfloat16"):
            logits = score(inputs[batch.views], batch.left, batch.right)
        return PAIR_LOSSES["mean"](logits.float(), batch.label)

    batches = list(BalancedTableBatches(draw_table(VIEWS, PAIRS, 0), BATCH, 0, 0))
    parts: list[list[float]] = []
    for batch in batches:
        times = [perf_counter()]
        optimizer.zero_grad()
        loss = loss_of(batch)
        times.append(perf_counter())
        loss.backward()
        times.append(perf_counter())
        take_step()
        times.append(perf_counter())
        parts.append([1000 * part for part in np.diff(times)])
    result: dict[str, object] = {"seconds_of_the_first_step": round(sum(parts[0]) / 1000, 1)}
    for name, some in (("first", parts[:TIMED]), ("last", parts[-TIMED:])):
        forward, backward, step = (round(median(part), 2) for part in zip(*some, strict=True))
        result[f"{name} {TIMED} steps"] = {
            "forward": forward,
            "backward": backward,
            "optimizer": step,
            "sum": round(forward + backward + step, 2),
        }
    return result


def longest_functions(head: str, trunk: Trunk, rows: NDArray[np.float32]) -> list[str]:
    """Return the functions that took most time of their own, and their share of it."""
    profile = cProfile.Profile()
    profile.enable()
    train_epochs(head, trunk, rows, PAIRS, 1)
    profile.disable()
    stats = pstats.Stats(profile)
    own = {name: values[2] for name, values in stats.stats.items()}  # type: ignore[attr-defined]
    longest = sorted(own, key=lambda name: -own[name])[:SHOWN]
    total = sum(own.values())
    return [
        f"{own[name] / total:6.1%}  {Path(name[0]).name}:{name[2]}".replace("~:", "")
        for name in longest
    ]


if __name__ == "__main__":
    main()
