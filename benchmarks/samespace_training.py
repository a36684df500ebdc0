"""What the benchmarks of training share: SameSpace's settings and pairs, and timed epochs."""

import tempfile
from pathlib import Path
from time import perf_counter

import numpy as np
import torch
from hydra import compose, initialize_config_dir
from numpy.typing import NDArray
from omegaconf import DictConfig

from seentwice.commands.application import find_configs
from seentwice.commands.nets import net_trainer
from seentwice.data.pairs import PairTable
from seentwice.models.trunk import Trunk
from seentwice.records import Photo, View

BATCH, LEARNING_RATE, ALPHA = 64, 0.002061, 0.926
THREADS = 2


def use_processor() -> None:
    """Compute on `THREADS` processors, and on nothing else: both sides of a ratio must."""
    if torch.cuda.is_available():
        raise SystemExit("measures processors alone: put CUDA_VISIBLE_DEVICES= before the command")
    torch.set_num_threads(THREADS)


def configured(head: str, *words: str) -> DictConfig:
    """Return the configuration of SameSpace's training: its own net, or another head.

    L1 and L2 have one tower for both sides, of the same size, that gives unit length.
    """
    words = ("experiment=samespace", *words)
    if head != "samespace":
        tower = ("tower=linear", "tower.embedding_size=1280", "tower.shared=true")
        words += (f"head={head}", *tower)
    with initialize_config_dir(str(find_configs()), version_base="1.3"):
        return compose("train", list(words))


def draw_table(views: int, pairs: int, seed: int) -> PairTable:
    """Return as many positives as negatives between views at random: no time depends on which."""
    left, right = np.random.default_rng(seed).integers(views, size=(2, pairs))
    shown = tuple(View(Photo(Path(str(n)), str(n), str(n))) for n in range(views))
    return PairTable(shown, left, right, np.arange(pairs) < pairs // 2, np.zeros(pairs, np.int8))


def train_epochs(
    head: str, trunk: Trunk, rows: NDArray[np.generic], pairs: int, epochs: int, *words: str
) -> list[float]:
    """Train as `seentwice train experiment=samespace` does; return the seconds of each epoch.

    Validation on 1,000 pairs and the files to resume from are a part of them.
    """
    lengths = (f"training.epochs={epochs}", f"training.patience={epochs}")
    ends = []
    with tempfile.TemporaryDirectory() as folder:
        train_net = net_trainer(
            configured(head, *lengths, *words),
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
        train_net(draw_table(len(rows), pairs, 0), draw_table(len(rows), 1000, 1), rows)
    return list(np.diff([start, *ends]))
