"""A training as a trial of Determined 0.38: what it is to try, what it reports, what it keeps.

Determined is imported where a trial is opened, so that nobody else needs it.
"""

import json
import math
import os
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import pytorch_lightning as pl

from seentwice.errors import UserError
from seentwice.learn.measuring import read_metrics
from seentwice.learn.siamese_task import DivergedError

if TYPE_CHECKING:
    from determined import core

METADATA_FILE = "metadata.json"  # Determined's, in every checkpoint
STEPS = "steps_completed"  # the key that it needs there
EPOCHS = "epochs"  # the metric that a searcher counts a trial's training by
WORST_LOSS = 1e9  # stands for a loss that is no number, with which the master fails all trials
WORST_SHARE = 0.0  # for an average precision
KEEP_SECONDS = 600.0  # of training that a crash may cost

Tell = Callable[[str], None]
"""Called with a line for the log."""


def on_cluster() -> bool:
    """Tell whether Determined started this process as a trial."""
    return os.environ.get("DET_TASK_TYPE") == "TRIAL"


class ClusterTrial:
    """The trial that this process is."""

    def __init__(
        self,
        context: "core.Context",
        name: str,
        hyperparameters: Mapping[str, object],
        latest_checkpoint: str | None,
        tell: Tell,
    ) -> None:
        """Take what `open_trial` found.

        Args:
            context: of the Core API, entered.
            name: for people.
            hyperparameters: by the dotted paths of their keys.
            latest_checkpoint: where the trial goes on; None where it begins.
            tell: gets what is to be known of it.
        """
        self.name = name
        self.hyperparameters = hyperparameters
        self.was_preempted = False
        self.has_diverged = False
        self._context = context
        self._latest_checkpoint = latest_checkpoint
        self._tell = tell
        self._steps = 0  # of the optimizer, at the last report or checkpoint

    def restore(self, folder: Path) -> bool:
        """Copy what the trial has kept into a folder; tell whether it has kept anything."""
        if self._latest_checkpoint is None:
            return False
        with self._context.checkpoint.restore_path(self._latest_checkpoint) as kept:
            self._steps = json.loads((kept / METADATA_FILE).read_text())[STEPS]
            ours = shutil.ignore_patterns(METADATA_FILE)
            shutil.copytree(kept, folder, ignore=ours, dirs_exist_ok=True)
        self._tell(f"Goes on from checkpoint {self._latest_checkpoint}")
        return True

    def keep(self, folder: Path) -> None:
        """Store a copy of a folder, but for hidden files, as a checkpoint."""
        with self._context.checkpoint.store_path({STEPS: self._steps}) as (path, name):
            shutil.copytree(folder, path, ignore=shutil.ignore_patterns(".*"), dirs_exist_ok=True)
        self._tell(f"Kept: det checkpoint download {name}")

    def report(
        self, steps: int, epochs: int, share_done: float, metrics: Mapping[str, float]
    ) -> None:
        """Report an epoch.

        Args:
            steps: of the optimizer, since the training began.
            epochs: likewise; they go with the metrics.
            share_done: of the training, 0 to 1.
            metrics: by name; those of the training begin with `train_`.
        """
        self._steps = steps
        finite = {name: self._as_number(name, value) for name, value in metrics.items()}
        trained = {name: value for name, value in finite.items() if name.startswith("train_")}
        measured = {name: value for name, value in finite.items() if name not in trained}
        counted = {EPOCHS: float(epochs)}
        if trained:
            self._context.train.report_training_metrics(steps, trained | counted)
        self._context.train.report_validation_metrics(steps, measured | counted)
        self._context.train.report_progress(share_done)

    def _as_number(self, name: str, value: float) -> float:
        if math.isfinite(value):
            return float(value)
        worst = WORST_LOSS if name.endswith("loss") else WORST_SHARE
        self._tell(f"{name}={value} is reported as {worst:g}: Determined takes no such number")
        return worst

    def report_divergence(self, steps: int, epochs: int) -> None:
        """Report that the epoch under way, the last, has no metrics that are numbers."""
        self.has_diverged = True
        # After those that were reported, whose metrics the master lets nobody change.
        steps = max(steps, self._steps + 1)
        worst = {"validation_loss": math.nan, "validation_average_precision": math.nan}
        self.report(steps, epochs, 1.0, worst)

    def should_stop(self) -> bool:
        """Ask whether the master wants the process to end, to go on later or never."""
        self.was_preempted = self._context.preempt.should_preempt()
        return self.was_preempted

    def refuse(self, reason: str) -> NoReturn:
        """End with hyperparameters that are impossible, so that the master tries others.

        Raises:
            determined.InvalidHP: for `open_trial`, which then exits with 0.
        """
        from determined import InvalidHP

        self._tell(f"Impossible hyperparameters: {reason}")
        raise InvalidHP(reason)


@contextmanager
def open_trial(tell: Tell) -> Iterator[ClusterTrial]:
    """Open the trial that this process is; see `on_cluster`.

    Raises:
        UserError: Determined's client is not installed, did not start this process, or gave the
            trial more than one GPU.
        SystemExit: with 0, where the hyperparameters were refused.
    """
    try:
        from determined import core, get_cluster_info
    except ImportError as error:
        raise UserError(
            "DET_TASK_TYPE=TRIAL: trials need Determined's client; pip install "
            "'seentwice[determined]'"
        ) from error
    info = get_cluster_info()
    if info is None:
        raise UserError(
            "DET_TASK_TYPE=TRIAL: not started by Determined, whose files are missing; unset it to "
            "train without a cluster"
        )
    if len(info.slot_ids) > 1 or len(info.container_addrs) > 1:
        raise UserError(
            f"resources.slots_per_trial={len(info.slot_ids)}: a trial trains on one GPU; set it to "
            "1, and more trials run side by side"
        )
    with core.init(tensorboard_mode=core.TensorboardMode.MANUAL) as context:
        yield ClusterTrial(
            context,
            f"experiment {info.trial.experiment_id}, trial {info.trial.trial_id}",
            flatten_hyperparameters(info.trial.hparams),
            info.latest_checkpoint,
            tell,
        )


def flatten_hyperparameters(nested: Mapping[str, object]) -> dict[str, object]:
    """Return values by the dotted paths of their keys."""
    flat: dict[str, object] = {}
    for name, value in nested.items():
        if isinstance(value, Mapping):
            inner = flatten_hyperparameters(value)
            flat |= {f"{name}.{key}": held for key, held in inner.items()}
        else:
            flat[name] = value
    return flat


class ClusterReports(pl.Callback):
    """Reports every epoch of a training, keeps its files, and ends it where the master says so.

    Files are kept where the training ends before its time, and every ten minutes; not every epoch,
    since a checkpoint of SameSpace's net takes 170 MB and an epoch on a GPU seconds.
    """

    def __init__(
        self, trial: ClusterTrial, folder: Path, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Take the trial and the folder that the training writes its files to.

        Args:
            trial: that the training is.
            folder: is kept whole.
            clock: tells seconds.
        """
        self._trial = trial
        self._folder = folder
        self._clock = clock
        self._kept_at = clock()
        self._has_news = False  # an epoch that is not kept

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Report the epoch, whose files are not written yet."""
        assert trainer.max_epochs is not None
        epochs = trainer.current_epoch + 1
        share_done = epochs / trainer.max_epochs
        self._trial.report(trainer.global_step, epochs, share_done, read_metrics(trainer))
        self._has_news = True

    def on_train_epoch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Keep the files of the epoch before, which are whole now.

        Raises:
            KeyboardInterrupt: the master wants the process to end.
        """
        if not self._has_news:
            return
        stops = self._trial.should_stop()
        if stops or self._clock() - self._kept_at >= KEEP_SECONDS:
            self._trial.keep(self._folder)
            self._kept_at, self._has_news = self._clock(), False
        if stops:
            raise KeyboardInterrupt

    def on_exception(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, exception: BaseException
    ) -> None:
        """Report that the training diverged, if that is what ended it."""
        if isinstance(exception, DivergedError):
            self._trial.report_divergence(trainer.global_step, trainer.current_epoch + 1)
