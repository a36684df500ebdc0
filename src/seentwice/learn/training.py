"""Train a SiameseNet with Lightning: stop early, keep the best epoch, resume from the last."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from pickle import UnpicklingError
from typing import Annotated, Any, Literal

import pytorch_lightning as pl
import torch
from pydantic import Field
from pytorch_lightning.callbacks import EarlyStopping, ModelCheckpoint
from pytorch_lightning.loggers import Logger
from torch.utils.data import DataLoader

from seentwice.data.pairs import PairTable
from seentwice.errors import UserError
from seentwice.learn.batches import (
    BalancedTableBatches,
    CopyBatches,
    GrowingBatches,
    PairBatch,
    PlaceBatches,
)
from seentwice.learn.checkpoint_files import AtomicCheckpointIO
from seentwice.learn.quiet_lightning import EpochReport, OnEpoch, run_quietly
from seentwice.learn.resume_files import BEST, LAST
from seentwice.learn.siamese_task import Schedule, SiameseTask
from seentwice.models.embedding_heads import EMBEDDING_HEADS, BatchSource
from seentwice.models.nets import VIEW_BLOCK
from seentwice.models.trunk import restore_modes

Precision = Literal["32-true", "64-true", "16-mixed", "bf16-mixed"]
Accelerator = Literal["auto", "cpu", "gpu"]
Monitor = Literal["average_precision", "loss"]
_BETTER: Mapping[Monitor, str] = {"average_precision": "max", "loss": "min"}

Watcher = pl.Callback
"""Told of a training by Lightning, before the epoch's files are written."""

Count = Annotated[int, Field(ge=1)]
Members = Annotated[int, Field(ge=2)]  # fewer make no pair
Share = Annotated[float, Field(ge=0, le=1)]


@dataclass(frozen=True, slots=True)
class TrainingSettings:
    """How long to train and on which batches."""

    epochs: Count
    patience: Count  # epochs without a better value of `monitor` before stopping
    monitor: Monitor  # on the validation pairs; chooses the best epoch; see `monitor_of`
    batches: BatchSource
    batch_size: Count  # pairs a batch of the table, photos a batch of copies
    places_per_batch: Members  # for batches of places
    views_per_place: Members
    same_type_share: Share  # of the batches of places: those of one room type
    batches_per_epoch: Count  # of places or copies
    loss: Literal["balanced", "mean"]  # a key of `PAIR_LOSSES`
    # Of the contrastive loss, beside the cross-entropy; 0 is without.
    contrastive_weight: Annotated[float, Field(ge=0, allow_inf_nan=False)]
    temperature: Annotated[float, Field(gt=0, allow_inf_nan=False)]  # of the contrastive loss
    augment: bool  # whether photos that pass the trunk in every step change on their way
    schedule: Schedule  # of the learning rate, from epoch to epoch
    precision: Precision  # Lightning's names
    accelerator: Accelerator


def batches_of(head: str, settings: TrainingSettings) -> BatchSource:
    """Return which batches train a head: those that its loss needs, or else the settings'."""
    return EMBEDDING_HEADS[head].batches if head in EMBEDDING_HEADS else settings.batches


def monitor_of(head: str, settings: TrainingSettings) -> Monitor:
    """Return what chooses a head's best epoch: the settings', or average precision.

    The loss that can be chosen is a cross-entropy, which embedding heads do not train by.
    """
    return "average_precision" if head in EMBEDDING_HEADS else settings.monitor


class PairModule(pl.LightningDataModule):
    """Serves the batches of each epoch; the epoch's number decides what is in them."""

    def __init__(
        self,
        train: PairTable,
        validation: PairTable,
        settings: TrainingSettings,
        seed: int,
    ) -> None:
        super().__init__()
        self.train = train
        self.validation = validation
        self.settings = settings
        self.seed = seed
        self._of_views: PlaceBatches | CopyBatches | None = None

    def train_dataloader(self) -> DataLoader[PairBatch]:
        """Return the batches of the trainer's current epoch."""
        assert self.trainer is not None
        epoch, settings = self.trainer.current_epoch, self.settings
        if settings.batches == "table":
            return DataLoader(
                BalancedTableBatches(self.train, settings.batch_size, self.seed, epoch),
                batch_size=None,
            )
        if self._of_views is None:
            self._of_views = self._make_batches(epoch)
        self._of_views.epoch = epoch
        return DataLoader(self._of_views, batch_size=None)

    def _make_batches(self, epoch: int) -> PlaceBatches | CopyBatches:
        settings = self.settings
        if settings.batches == "copies":
            return CopyBatches(
                self.train, settings.batch_size, settings.batches_per_epoch, self.seed, epoch
            )
        return PlaceBatches(
            self.train,
            settings.places_per_batch,
            settings.views_per_place,
            settings.same_type_share,
            settings.batches_per_epoch,
            self.seed,
            epoch,
        )

    def val_dataloader(self) -> DataLoader[PairBatch]:
        """Return every validation pair."""
        return DataLoader(GrowingBatches(self.validation, VIEW_BLOCK), batch_size=None)


def fit_task(
    task: SiameseTask,
    module: PairModule,
    folder: Path,
    loggers: Sequence[Logger],
    resume: bool,
    on_epoch: OnEpoch,
    watchers: Sequence[Watcher] = (),
    stop_after: int | None = None,
) -> None:
    """Train the task's net in place and leave it with the weights of its best epoch.

    Args:
        task: holds the net.
        module: holds the pairs.
        folder: for `last.ckpt` and `best.ckpt`; internal files, not the checkpoint to share.
        loggers: get metrics per epoch.
        resume: go on after the epoch in `last.ckpt` where there is one; a training that had ended
            there, after its last epoch or early, is not trained any further.
        on_epoch: told of every epoch.
        watchers: likewise, in this order; they may end the training after an epoch.
        stop_after: epochs after which a watcher had ended the training that is resumed.

    Raises:
        KeyboardInterrupt: passed on; the epochs finished so far can be resumed.
        UserError: the training diverged, or there is no such accelerator.
    """
    last = folder / LAST
    goes_on = resume and last.is_file()
    if not (goes_on and _has_ended(last, module.settings, stop_after)):
        reports = [EpochReport(on_epoch), *watchers]
        _train(task, module, folder, loggers, last if goes_on else None, reports)
    state = _load_state(folder / BEST)
    task.load_state_dict(state["state_dict"])
    task.cpu()


def check_resumable(folder: Path) -> None:
    """Read the files that a training goes on with, where there are any; see `fit_task`.

    Raises:
        UserError: one of them is not whole.
    """
    if (folder / LAST).is_file():
        for name in (LAST, BEST):
            _load_state(folder / name)


def _load_state(path: Path) -> dict[str, Any]:
    """Read one of Lightning's files.

    Raises:
        UserError: it is not whole, as after a crash while it was written.
    """
    try:
        state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    except (RuntimeError, EOFError, UnpicklingError, FileNotFoundError) as error:
        # Without torch's own words, which advise to trust the file.
        raise UserError(
            f"{path}: not whole; delete {LAST} and {BEST} there, and the training starts again "
            "from its first epoch"
        ) from error
    return state


def _has_ended(last: Path, settings: TrainingSettings, stop_after: int | None) -> bool:
    """Tell whether the training that wrote `last.ckpt` had nothing more to do.

    Lightning itself forgets that it had stopped early, and would train for one more epoch.
    """
    state = _load_state(last)
    waited = state["callbacks"][_early_stopping(settings).state_key]["wait_count"]
    epochs = settings.epochs if stop_after is None else min(settings.epochs, stop_after)
    return bool(state["epoch"] + 1 >= epochs or waited >= settings.patience)


def _early_stopping(settings: TrainingSettings) -> EarlyStopping:
    monitor = settings.monitor
    return EarlyStopping(f"validation/{monitor}", mode=_BETTER[monitor], patience=settings.patience)


def _train(
    task: SiameseTask,
    module: PairModule,
    folder: Path,
    loggers: Sequence[Logger],
    last: Path | None,
    reports: Sequence[pl.Callback],
) -> None:
    monitor = module.settings.monitor
    best = ModelCheckpoint(
        folder,
        filename=Path(BEST).stem,
        monitor=f"validation/{monitor}",
        mode=_BETTER[monitor],
        enable_version_counter=False,
    )
    # Not `save_last`, which leaves the epochs out that are not better than those before. After
    # `best`, whose state it holds.
    newest = ModelCheckpoint(folder, filename=Path(LAST).stem, enable_version_counter=False)
    # Nets may have scored before, and Lightning leaves every module in the mode it finds.
    task.train()
    restore_modes(task.net.trunk)
    with run_quietly():
        _make_trainer(module.settings, loggers, [best, newest, *reports]).fit(
            task,
            datamodule=module,
            ckpt_path=last,
            weights_only=True,
        )


def _make_trainer(
    settings: TrainingSettings, loggers: Sequence[Logger], callbacks: list[pl.Callback]
) -> pl.Trainer:
    return pl.Trainer(
        max_epochs=settings.epochs,
        accelerator=settings.accelerator,
        devices=1,
        precision=settings.precision,
        # Without it, gathering a view into several pairs adds its gradients in any order.
        deterministic=True,
        logger=[*loggers] or False,
        callbacks=[*callbacks, _early_stopping(settings)],
        plugins=[AtomicCheckpointIO()],
        reload_dataloaders_every_n_epochs=1,
        num_sanity_val_steps=0,
        enable_progress_bar=False,
        enable_model_summary=False,
        log_every_n_steps=1,
    )
