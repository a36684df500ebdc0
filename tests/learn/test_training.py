"""An interrupted training goes on as if nothing had happened."""

from pathlib import Path

import numpy as np
import pytest
import torch

from seentwice.data.pairs import PairPolicy, make_pairs
from seentwice.learn.siamese_task import SiameseTask, one_cycle
from seentwice.learn.training import PairModule, TrainingSettings, fit_task
from seentwice.models.augment import augment_looks
from seentwice.models.backbones import build_trunk
from seentwice.models.nets import Architecture, build_siamese
from seentwice.records import Photo, View

EPOCHS = 4


def settings(schedule: str) -> TrainingSettings:
    return TrainingSettings(
        epochs=EPOCHS,
        patience=EPOCHS,
        batches="places",
        batch_size=8,
        places_per_batch=3,
        views_per_place=2,
        same_type_share=0.5,
        batches_per_epoch=2,
        contrastive_weight=1.0,
        temperature=0.2,
        schedule=schedule,
        precision="32-true",
        accelerator="cpu",
    )


def fit(folder: Path, schedule: str, resume: bool, stop_after: int | None = None):
    """Train a compact net on noise; return its task and the learning rate of every epoch."""
    views = tuple(
        View(Photo(Path(f"{p}_{k}"), f"{p}_{k}", f"r/{p}", room_type="ab"[p % 2]))
        for p in range(6)
        for k in range(2)
    )
    hashes = np.arange(len(views)).astype(np.uint64)
    pairs = make_pairs(views, np.arange(len(views)), hashes, PairPolicy(100, 100, 0.5, 2), [0])
    looks = torch.randint(
        256, (len(views), 3, 24, 32), dtype=torch.uint8, generator=torch.Generator().manual_seed(1)
    )
    architecture = Architecture("compact", "gem", True, "linear", 8, "l2", {})
    net = build_siamese(architecture, build_trunk("compact", "none", "gem", seed=0), seed=0)
    chosen = settings(schedule)
    rates: list[float] = []

    def make_optimizer(parameters):
        return torch.optim.AdamW(parameters, lr=0.01)

    task = SiameseTask(
        net,
        make_optimizer,
        augment_looks,
        0,
        chosen.contrastive_weight,
        chosen.temperature,
        chosen.schedule,
    )

    def on_epoch(done: int, total: int, value: float) -> None:
        rates.append(task.optimizers().param_groups[0]["lr"])
        if done == stop_after:
            raise KeyboardInterrupt

    fit_task(task, PairModule(pairs, pairs, looks, chosen, 0), folder, None, resume, on_epoch)
    return task, rates


@pytest.mark.filterwarnings("ignore")
def test_one_cycle_sets_the_rate_of_every_epoch(tmp_path):
    _, rates = fit(tmp_path, "one_cycle", resume=False)
    # Reported once the epoch's own step of the schedule is done: the rate of the next.
    expected = [0.01 * one_cycle((epoch + 0.5) / EPOCHS) for epoch in range(EPOCHS + 1)]
    assert rates == pytest.approx(expected[1:])


@pytest.mark.filterwarnings("ignore")
def test_a_trunk_that_trains_learns_its_batch_statistics(tmp_path):
    task, _ = fit(tmp_path, "constant", resume=False)
    moved = [m for m in task.modules() if isinstance(m, torch.nn.BatchNorm2d)]
    assert moved
    assert all(m.num_batches_tracked > 0 for m in moved)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("schedule", ["constant", "one_cycle"])
def test_a_resumed_training_ends_with_the_same_weights(tmp_path, schedule):
    whole, rates = fit(tmp_path / "whole", schedule, resume=False)
    with pytest.raises(KeyboardInterrupt):
        fit(tmp_path / "parts", schedule, resume=False, stop_after=3)
    resumed, more = fit(tmp_path / "parts", schedule, resume=True)
    assert more == rates[-len(more) :]
    for name, tensor in whole.state_dict().items():
        assert torch.equal(tensor, resumed.state_dict()[name]), name
