"""Where the time of a training from the bank goes: the arithmetic, or Python around it.

    python benchmarks/training_profile.py

Trains the L1 and the concatenation head on 51,200 random pairs of 5,048 rows, once as
`seentwice train` does and once as a bare loop on batches that were made beforehand, and lists the
functions that took most time. Two cores, some 10 minutes.

Writes benchmarks/results/training_profile.json.
"""

import cProfile
import json
import pstats
import tempfile
from pathlib import Path
from statistics import median
from time import perf_counter

import numpy as np
import torch
from hydra import compose, initialize_config_dir
from numpy.typing import NDArray
from omegaconf import DictConfig

from seentwice.commands.application import find_configs
from seentwice.commands.nets import net_trainer, read_architecture
from seentwice.commands.provenance import describe_machine, git_commit, library_versions
from seentwice.data.pairs import PairTable
from seentwice.files import write_atomically
from seentwice.learn.batches import BalancedTableBatches
from seentwice.models.backbones import build_trunk
from seentwice.models.losses import balanced_cross_entropy
from seentwice.models.nets import build_siamese
from seentwice.models.trunk import Trunk
from seentwice.records import Photo, View

RESULT = Path(__file__).resolve().parent / "results" / "training_profile.json"
VIEWS, PAIRS, BATCH, EPOCHS = 5_048, 51_200, 64, 3
THREADS, SHOWN = 2, 12


def main() -> None:
    """Measure, print and write."""
    torch.set_num_threads(THREADS)
    trunk = build_trunk("mobilenet_v3_large", "none", "average", 0, "eval", seed=0)
    rows = np.random.default_rng(0).normal(size=(VIEWS, trunk.feature_size)).astype(np.float32)
    heads = {}
    for head in ("l1", "concat"):
        config = configured(head)
        trained = seconds_of_epochs(config, head, trunk, rows)
        bare = bare_loop(config, head, trunk, rows)
        steps = PAIRS // BATCH
        heads[head] = {
            "milliseconds_a_step": round(1000 * trained / steps, 2),
            "milliseconds_a_step_of_a_bare_loop": round(1000 * bare / steps, 2),
            "share_of_the_loop": round(1 - bare / trained, 3),
            "longest": longest_functions(config, head, trunk, rows),
        }
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
    print(json.dumps(result, indent=2))


def configured(head: str) -> DictConfig:
    """Return the configuration of SameSpace's training with one head."""
    words = [f"training.epochs={EPOCHS}", f"training.patience={EPOCHS}"]
    if head != "concat":  # one tower for both sides, of the same size, that gives unit length
        words += [f"head={head}", "tower=linear", "tower.embedding_size=1280", "tower.shared=true"]
    with initialize_config_dir(str(find_configs()), version_base="1.3"):
        return compose("train", ["experiment=samespace", *words])


def draw_table(pairs: int, seed: int) -> PairTable:
    """Return as many positives as negatives between views at random."""
    left, right = np.random.default_rng(seed).integers(VIEWS, size=(2, pairs))
    views = tuple(View(Photo(Path(str(n)), str(n), str(n))) for n in range(VIEWS))
    return PairTable(views, left, right, np.arange(pairs) < pairs // 2, np.zeros(pairs, np.int8))


def seconds_of_epochs(
    config: DictConfig, head: str, trunk: Trunk, rows: NDArray[np.float32]
) -> float:
    """Train as `seentwice train` does; return the median of the epochs' seconds."""
    ends: list[float] = []
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
        train_net(draw_table(PAIRS, 0), draw_table(500, 1), rows)
    return float(median(np.diff(ends)))


def bare_loop(config: DictConfig, head: str, trunk: Trunk, rows: NDArray[np.float32]) -> float:
    """Return the median seconds of an epoch of forward, backward and step alone."""
    net = build_siamese(read_architecture(config, head, trunk), trunk, seed=0).train()
    optimizer = torch.optim.RMSprop(net.parameters(), lr=0.002061, alpha=0.926)
    inputs = torch.from_numpy(rows)
    batches = list(BalancedTableBatches(draw_table(PAIRS, 0), BATCH, 0, 0))
    seconds = []
    for _ in range(EPOCHS):
        start = perf_counter()
        for batch in batches:
            optimizer.zero_grad()
            logits = net(inputs[batch.views], batch.left, batch.right)
            balanced_cross_entropy(logits, batch.label).backward()
            optimizer.step()
        seconds.append(perf_counter() - start)
    return median(seconds)


def longest_functions(
    config: DictConfig, head: str, trunk: Trunk, rows: NDArray[np.float32]
) -> list[str]:
    """Return the functions that took most time of their own, and their share of it."""
    profile = cProfile.Profile()
    profile.enable()
    seconds_of_epochs(config, head, trunk, rows)
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
