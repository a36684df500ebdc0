"""Each way to train embeddings tells new places apart, resumes exactly and repeats."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from seentwice.data.pairs import list_pairs
from seentwice.learn.siamese_task import SiameseTask
from seentwice.learn.training import PairModule, TrainingSettings, batches_of, fit_task
from seentwice.metrics import average_precision
from seentwice.models.backbones import build_trunk
from seentwice.models.embedding_heads import EMBEDDING_HEADS
from seentwice.models.nets import Architecture, build_siamese, pair_logits
from seentwice.records import Photo, View

PLACES, SIGNAL, NOISE = 24, 8, 8  # numbers of each
HEADS = [
    ("triplet", {}),
    ("contrastive", {}),
    # Of 8 dimensions the term leaves little for the places.
    ("infonce", {"entropy_weight": 1.0}),
    ("triplet", {"mining": "batch_hard"}),
    ("triplet", {"mining": "all"}),
]


def settings(head: str, epochs: int) -> TrainingSettings:
    own = TrainingSettings(
        epochs=epochs,
        patience=epochs,
        batches="table",
        batch_size=16,
        places_per_batch=8,
        views_per_place=4,
        same_type_share=0.0,
        batches_per_epoch=10,
        monitor="average_precision",
        loss="balanced",
        augment=False,
        contrastive_weight=0.0,
        temperature=0.2,
        schedule="constant",
        precision="32-true",
        accelerator="cpu",
    )
    return replace(own, batches=batches_of(head, own))


def split(name: str):
    """Two photos of each place with one copy each: what tells places apart drowns in noise."""
    generator = torch.Generator().manual_seed(len(name))
    views = tuple(
        View(Photo(Path(f"{name}{p}_{k}"), f"{name}{p}_{k}", f"{name}{p}"), edit)
        for p in range(PLACES)
        for k in range(2)
        for edit in ("", "hflip")
    )
    signal = torch.randn(PLACES, SIGNAL, generator=generator).repeat_interleave(4, dim=0)
    rows = torch.cat([signal, 2 * torch.randn(len(views), NOISE, generator=generator)], dim=1)
    return views, rows


def fit(folder: Path, head: str, head_settings: dict, epochs=6, resume=False, stop_after=None):
    """Train a linear tower; return its net, the losses of the epochs, and (before, after)."""
    (train_views, train_rows), (views, rows) = split("train"), split("validation")
    every = (*train_views, *views)
    train = list_pairs(train_views)
    train = type(train)(every, train.left, train.right, train.label, train.kind)
    pairs = list_pairs(views)
    shift = len(train_views)
    validation = type(pairs)(
        every, pairs.left + shift, pairs.right + shift, pairs.label, pairs.kind
    )
    inputs = torch.cat([train_rows, rows])
    architecture = Architecture("compact", "gem", 0, "eval", "linear", 8, head, head_settings)
    trunk = build_trunk("compact", "none", "gem", 0, "eval", seed=0)
    trunk = replace(trunk, feature_size=SIGNAL + NOISE)
    net = build_siamese(architecture, trunk, seed=0)
    chosen = settings(head, epochs)
    losses: list[float] = []

    def measure() -> float:
        sides = torch.from_numpy(validation.left), torch.from_numpy(validation.right)
        return average_precision(
            validation.label, pair_logits(net, inputs, *sides).double().numpy()
        )

    task = SiameseTask(
        net,
        inputs,
        lambda p: torch.optim.AdamW(p, lr=0.02),
        torch.nn.Identity(),
        0,
        0.0,
        0.2,
        "constant",
    )

    def on_epoch(done: int, total: int) -> None:
        losses.append(task.trainer.callback_metrics["train/loss"].item())
        if done == stop_after:
            raise KeyboardInterrupt

    before = measure()
    net.train()
    fit_task(task, PairModule(train, validation, chosen, 0), folder, (), resume, on_epoch)
    return net, losses, (before, measure())


def test_every_objective_is_tested() -> None:
    assert {head for head, _ in HEADS} == set(EMBEDDING_HEADS)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("head", "head_settings"), HEADS)
def test_places_that_were_never_seen_are_told_apart(tmp_path, head, head_settings):
    _, losses, (before, after) = fit(tmp_path, head, head_settings)
    assert losses[-1] < 0.9 * losses[0]
    assert before < 0.1
    assert after > 0.6


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("head", sorted(EMBEDDING_HEADS))
def test_a_resumed_training_ends_with_the_same_weights(tmp_path, head):
    whole, losses, _ = fit(tmp_path / "whole", head, {}, epochs=3)
    with pytest.raises(KeyboardInterrupt):
        fit(tmp_path / "parts", head, {}, epochs=3, stop_after=2)
    resumed, more, _ = fit(tmp_path / "parts", head, {}, epochs=3, resume=True)
    assert more == losses[-len(more) :]
    for name, tensor in whole.state_dict().items():
        assert torch.equal(tensor, resumed.state_dict()[name]), name
