"""An interrupted training goes on as if nothing had happened."""

import math
import signal
from dataclasses import asdict, replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from pydantic import TypeAdapter, ValidationError
from torch import nn

from seentwice.data.pairs import list_pairs
from seentwice.errors import UserError
from seentwice.learn import siamese_task, training
from seentwice.learn.siamese_task import SiameseTask, one_cycle
from seentwice.learn.training import Monitor, PairModule, TrainingSettings, fit_task
from seentwice.models.augment import augment_looks
from seentwice.models.backbones import build_trunk
from seentwice.models.losses import PairLoss, balanced_cross_entropy
from seentwice.models.nets import Architecture, SiameseNet, build_siamese, pair_logits
from seentwice.models.pooling import AveragePooling
from seentwice.models.preprocessing import Preprocessing
from seentwice.models.trunk import Trunk, find_cut, freeze
from seentwice.records import Photo, View

EPOCHS = 4


def settings(
    schedule: str, patience: int = EPOCHS, monitor: Monitor = "average_precision"
) -> TrainingSettings:
    return TrainingSettings(
        epochs=EPOCHS,
        patience=patience,
        monitor=monitor,
        batches="places",
        batch_size=8,
        places_per_batch=3,
        views_per_place=2,
        same_type_share=0.5,
        batches_per_epoch=2,
        loss="balanced",
        contrastive_weight=1.0,
        temperature=0.2,
        augment=True,
        schedule=schedule,
        precision="32-true",
        accelerator="cpu",
    )


def fit(
    folder: Path,
    schedule: str,
    resume: bool,
    stop_after: int | None = None,
    patience: int = EPOCHS,
    lr: float = 0.01,
    monitor: Monitor = "average_precision",
    pair_loss: PairLoss = balanced_cross_entropy,
    trunk: Trunk | None = None,
):
    """Train a net, compact or of a trunk, on noise; return its task and every epoch's rate."""
    views = tuple(
        View(Photo(Path(f"{p}_{k}"), f"{p}_{k}", f"r/{p}", room_type="ab"[p % 2]))
        for p in range(6)
        for k in range(2)
    )
    pairs = list_pairs(views)
    looks = torch.randint(
        256, (len(views), 3, 24, 32), dtype=torch.uint8, generator=torch.Generator().manual_seed(1)
    )
    architecture = Architecture("compact", "gem", "all", "eval", "linear", 8, "l2", {})
    trunk = trunk or build_trunk("compact", "none", "gem", "all", "eval", seed=0)
    net = build_siamese(architecture, trunk, seed=0)
    chosen = settings(schedule, patience, monitor)
    rates: list[float] = []

    def make_optimizer(parameters):
        return torch.optim.AdamW(parameters, lr=lr)

    task = SiameseTask(
        net,
        looks,
        make_optimizer,
        augment_looks,
        0,
        chosen.contrastive_weight,
        chosen.temperature,
        chosen.schedule,
        pair_loss,
    )

    def on_epoch(done: int, total: int) -> None:
        rates.append(task.optimizers().param_groups[0]["lr"])
        if done == stop_after:
            raise KeyboardInterrupt

    fit_task(task, PairModule(pairs, pairs, chosen, 0), folder, (), resume, on_epoch)
    return task, rates


@pytest.mark.parametrize("batches", ["table", "places", "copies"])
def test_each_epoch_has_batches_of_its_own(batches):
    views = tuple(
        View(Photo(Path(f"{p}_{k}"), f"{p}_{k}", f"r/{p}"), edit)
        for p in range(6)
        for k in range(2)
        for edit in ("", "hflip")
    )
    pairs = list_pairs(views)
    module = PairModule(pairs, pairs, replace(settings("constant"), batches=batches), 0)
    epochs = []
    for epoch in (0, 1, 0):
        module.trainer = SimpleNamespace(current_epoch=epoch)
        epochs.append([batch.views.tolist() for batch in module.train_dataloader()])
    assert epochs[0] == epochs[2] != epochs[1]


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
@pytest.mark.parametrize("trained_blocks", [0, 1])
def test_of_frozen_blocks_batchnorm_alone_is_in_training_mode(tmp_path, trained_blocks):
    stages = nn.Sequential(
        nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Dropout(0.5)),
        nn.Sequential(nn.Conv2d(4, 6, 3), nn.BatchNorm2d(6), nn.Dropout(0.5)),
        AveragePooling(),
    )
    freeze(stages, trained_blocks, "train")
    preprocessing = Preprocessing(24, 32, (0.5, 0.5, 0.5), (0.25, 0.25, 0.25))
    trunk = Trunk("small", "average", "none", stages, find_cut(stages), 6, preprocessing)
    stages.eval()  # it has scored since
    modes = []

    def pair_loss(logits: torch.Tensor, label: torch.Tensor) -> torch.Tensor:
        if logits.requires_grad:
            modes.append([[module.training for module in block] for block in stages[:2]])
        return balanced_cross_entropy(logits, label)

    fit(tmp_path, "constant", resume=False, pair_loss=pair_loss, trunk=trunk)
    frozen, trains = [False, True, False], [True, True, True]
    assert len(modes) == EPOCHS * 2
    assert all(seen == [frozen, trains if trained_blocks else frozen] for seen in modes)


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


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("answer", [signal.default_int_handler, signal.SIG_IGN])
def test_an_interrupted_training_leaves_the_answer_to_ctrl_c_as_it_was(tmp_path, answer):
    """A sweep's worker answers SIGTERM so, and takes no notice of SIGINT."""
    before = signal.signal(signal.SIGINT, answer)
    try:
        with pytest.raises(KeyboardInterrupt):
            fit(tmp_path, "constant", resume=False, stop_after=1)
        assert signal.getsignal(signal.SIGINT) == answer
    finally:
        signal.signal(signal.SIGINT, before)


def test_a_training_whose_folder_was_moved_knows_its_best_epoch(tmp_path, monkeypatch):
    precisions = iter([0.9, 0.1, 0.2, 0.3, 0.4])
    monkeypatch.setattr(siamese_task, "average_precision", lambda *_: next(precisions))
    with pytest.raises(KeyboardInterrupt):
        fit(tmp_path / "there", "constant", resume=False, stop_after=3)
    (tmp_path / "there").rename(tmp_path / "here")
    fit(tmp_path / "here", "constant", resume=True)
    assert torch.load(tmp_path / "here" / "best.ckpt", weights_only=True)["epoch"] == 0
    assert not (tmp_path / "there").exists()


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("patience", "epochs"), [(EPOCHS, EPOCHS), (1, 2)])
def test_a_training_that_had_ended_is_not_trained_any_further(
    tmp_path, monkeypatch, patience, epochs
):
    # Worse from epoch to epoch: a patience of 1 ends it after the second.
    values = iter(range(100, 0, -1))
    monkeypatch.setattr(siamese_task, "average_precision", lambda *_: next(values) / 100)
    whole, rates = fit(tmp_path, "constant", resume=False, patience=patience)
    assert len(rates) == epochs
    before = {file.name: file.read_bytes() for file in tmp_path.iterdir()}
    resumed, more = fit(tmp_path, "constant", resume=True, patience=patience)
    assert more == []
    assert {file.name: file.read_bytes() for file in tmp_path.iterdir()} == before
    for name, tensor in whole.state_dict().items():
        assert torch.equal(tensor, resumed.state_dict()[name]), name


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("monitor", "best"), [("loss", 2), ("average_precision", 4)])
def test_the_epoch_that_the_monitor_finds_best_is_kept(tmp_path, monkeypatch, monitor, best):
    """The loss is lowest after epoch 2, the average precision highest after epoch 4."""
    losses, precisions = iter([0.5, 0.2, 0.4, 0.3]), iter([0.1, 0.2, 0.3, 0.4])
    monkeypatch.setattr(siamese_task, "average_precision", lambda *_: next(precisions))

    def measure(logits: torch.Tensor, label: torch.Tensor) -> torch.Tensor:
        if logits.requires_grad:
            return balanced_cross_entropy(logits, label)
        return torch.tensor(next(losses))

    fit(tmp_path, "constant", resume=False, monitor=monitor, pair_loss=measure)
    state = torch.load(tmp_path / "best.ckpt", weights_only=True)
    assert state["epoch"] + 1 == best


@pytest.mark.filterwarnings("ignore")
def test_new_memory_is_filled_outside_the_training_alone(tmp_path):
    filled = []

    def pair_loss(logits, label):
        filled.append(torch.utils.deterministic.fill_uninitialized_memory)
        return balanced_cross_entropy(logits, label)

    fit(tmp_path, "constant", resume=False, pair_loss=pair_loss)
    assert set(filled) == {False}
    assert torch.utils.deterministic.fill_uninitialized_memory


@pytest.mark.filterwarnings("ignore")
def test_a_training_that_diverges_says_what_to_lower(tmp_path):
    with pytest.raises(UserError, match=r"training diverged at epoch \d: lower optimizer\.lr"):
        fit(tmp_path, "constant", resume=False, lr=1e30)


@pytest.mark.filterwarnings("ignore")
def test_a_loss_that_no_step_checked_is_told_after_its_epoch(tmp_path, monkeypatch):
    """As on a graphics card; here the weights stay finite, and with them the logits."""
    check = SiameseTask._check_finite
    monkeypatch.setattr(
        SiameseTask,
        "_check_finite",
        lambda task, values: None if task.training else check(task, values),
    )
    added = iter([0.0, 0.0, math.inf, 0.0])

    def pair_loss(logits: torch.Tensor, label: torch.Tensor) -> torch.Tensor:
        loss = balanced_cross_entropy(logits, label)
        return loss + next(added) if logits.requires_grad else loss

    with pytest.raises(UserError, match="training diverged at epoch 2"):
        fit(tmp_path, "constant", resume=False, pair_loss=pair_loss)


@pytest.mark.filterwarnings("ignore")
def test_validation_embeds_each_view_once_and_measures_every_pair(tmp_path, monkeypatch):
    monkeypatch.setattr(training, "VIEW_BLOCK", 5)
    seen, measured = [], []
    embed, measure = SiameseNet.embed, siamese_task.average_precision

    def watched(net, inputs):
        if not net.training:
            seen.append(len(inputs))
        return embed(net, inputs)

    def kept(label, score):
        measured.append((label, score))
        return measure(label, score)

    monkeypatch.setattr(SiameseNet, "embed", watched)
    monkeypatch.setattr(siamese_task, "average_precision", kept)
    task, _ = fit(tmp_path, "constant", resume=False)
    assert seen == [5, 5, 2] * EPOCHS
    assert all(len(label) == len(score) == 66 for label, score in measured)
    _, best = max(measured, key=lambda found: measure(*found))
    left, right = torch.triu_indices(12, 12, offset=1)
    expected = pair_logits(task.net, task.rows, left, right).sigmoid()
    np.testing.assert_allclose(np.sort(best), np.sort(expected), rtol=1e-4)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("epochs", 0, "greater than or equal to 1"),
        ("epochs", -1, "greater than or equal to 1"),
        ("patience", 0, "greater than or equal to 1"),
        ("batch_size", 0, "greater than or equal to 1"),
        ("batches_per_epoch", 0, "greater than or equal to 1"),
        ("places_per_batch", 1, "greater than or equal to 2"),
        ("views_per_place", 1, "greater than or equal to 2"),
        ("same_type_share", 1.5, "less than or equal to 1"),
        ("contrastive_weight", -1, "greater than or equal to 0"),
        ("contrastive_weight", math.inf, "finite"),
        ("temperature", 0, "greater than 0"),
    ],
)
def test_a_setting_out_of_its_range_is_refused(name, value, message):
    values = asdict(settings("constant"))
    assert TypeAdapter(TrainingSettings).validate_python(values) == settings("constant")
    with pytest.raises(ValidationError, match=f"{name}\n.*{message}"):
        TypeAdapter(TrainingSettings).validate_python(values | {name: value})
