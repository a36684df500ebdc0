"""Train a PhotoTagger with Lightning: stop early, keep the best epoch."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytorch_lightning as pl
import torch
from numpy.typing import NDArray
from pytorch_lightning.callbacks import EarlyStopping, ModelCheckpoint
from pytorch_lightning.loggers import Logger
from torch import Tensor
from torch.utils.data import DataLoader, IterableDataset

from seentwice.learn.checkpoint_files import AtomicCheckpointIO
from seentwice.learn.quiet_lightning import EpochReport, OnEpoch, run_quietly
from seentwice.learn.resume_files import BEST, remove_resume_files
from seentwice.learn.siamese_task import Schedule
from seentwice.learn.tagger_task import TaggerTask
from seentwice.learn.training import Accelerator, Count, Precision
from seentwice.models.nets import VIEW_BLOCK
from seentwice.models.trunk import restore_modes

_MONITOR = "validation/loss"


@dataclass(frozen=True, slots=True)
class TaggerTraining:
    """How long a tagger trains, and on which batches."""

    epochs: Count
    patience: Count  # epochs without a lower loss of the validation photos before stopping
    batch_size: Count  # photos
    class_weights: bool  # whether every label of a head counts alike, however few its photos
    augment: bool  # whether photos that pass the trunk in every step change on their way
    schedule: Schedule  # of the learning rate, from epoch to epoch
    precision: Precision  # Lightning's names
    accelerator: Accelerator


class PhotoBatches(IterableDataset[Tensor]):
    """One epoch over photos, each once, in an order that the seed and the epoch decide."""

    def __init__(self, photos: NDArray[np.int64], batch_size: int, seed: int, epoch: int) -> None:
        super().__init__()
        generator = np.random.default_rng([seed, epoch])
        self.order = generator.permutation(photos)
        self.batch_size = batch_size

    def __iter__(self) -> Iterator[Tensor]:
        for start in range(0, len(self.order), self.batch_size):
            yield torch.from_numpy(self.order[start : start + self.batch_size])


class PhotoModule(pl.LightningDataModule):
    """Serves the photos of each epoch, and those that validate."""

    def __init__(
        self,
        train: NDArray[np.int64],
        validation: NDArray[np.int64],
        batch_size: int,
        seed: int,
    ) -> None:
        super().__init__()
        self.train = train
        self.validation = validation
        self.batch_size = batch_size
        self.seed = seed

    def train_dataloader(self) -> DataLoader[Tensor]:
        """Return the batches of the trainer's current epoch."""
        assert self.trainer is not None
        epoch = self.trainer.current_epoch
        return DataLoader(
            PhotoBatches(self.train, self.batch_size, self.seed, epoch), batch_size=None
        )

    def val_dataloader(self) -> DataLoader[Tensor]:
        """Return every validation photo."""
        return DataLoader(PhotoBatches(self.validation, VIEW_BLOCK, self.seed, 0), batch_size=None)


def fit_tagger(
    task: TaggerTask,
    module: PhotoModule,
    settings: TaggerTraining,
    folder: Path,
    loggers: Sequence[Logger],
    on_epoch: OnEpoch,
) -> None:
    """Train the task's tagger in place and leave it with the weights of its best epoch.

    Args:
        task: holds the tagger.
        module: holds the photos.
        settings: of the training.
        folder: for the best epoch's weights while it trains.
        loggers: get metrics per epoch.
        on_epoch: told of every epoch.

    Raises:
        KeyboardInterrupt: passed on.
        UserError: the training diverged, or there is no such accelerator.
    """
    best = ModelCheckpoint(
        folder,
        filename=Path(BEST).stem,
        monitor=_MONITOR,
        save_weights_only=True,
        enable_version_counter=False,
    )
    # Lightning leaves every module in the mode it finds.
    task.train()
    restore_modes(task.tagger.trunk)
    try:
        with run_quietly():
            _make_trainer(settings, loggers, [best, EpochReport(on_epoch)]).fit(
                task, datamodule=module
            )
        state = torch.load(folder / BEST, map_location="cpu", weights_only=True)
    finally:
        remove_resume_files(folder)
    task.load_state_dict(state["state_dict"])
    task.cpu()
    task.tagger.eval()


def _make_trainer(
    settings: TaggerTraining, loggers: Sequence[Logger], callbacks: list[pl.Callback]
) -> pl.Trainer:
    return pl.Trainer(
        max_epochs=settings.epochs,
        accelerator=settings.accelerator,
        devices=1,
        precision=settings.precision,
        deterministic=True,
        logger=[*loggers] or False,
        callbacks=[*callbacks, EarlyStopping(_MONITOR, patience=settings.patience)],
        plugins=[AtomicCheckpointIO()],
        reload_dataloaders_every_n_epochs=1,
        num_sanity_val_steps=0,
        enable_progress_bar=False,
        enable_model_summary=False,
        log_every_n_steps=1,
    )
