"""What every training asks of Lightning: silence, speed, and an answer to Ctrl-C."""

import logging
import signal
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytorch_lightning as pl
import torch
import torch.utils.deterministic
from lightning_fabric.utilities.exceptions import MisconfigurationException

from seentwice.errors import UserError

OnEpoch = Callable[[int, int], None]
"""Called with (epochs done, epochs in all)."""


class EpochReport(pl.Callback):
    """Tells the caller of every epoch."""

    def __init__(self, on_epoch: OnEpoch) -> None:
        self.on_epoch = on_epoch

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Report the epoch that just ended."""
        assert trainer.max_epochs is not None
        self.on_epoch(trainer.current_epoch + 1, trainer.max_epochs)


@contextmanager
def run_quietly() -> Iterator[None]:
    """Let Lightning train in the block.

    Raises:
        KeyboardInterrupt: after Ctrl-C.
        UserError: there is no such accelerator.
    """
    answer_to_ctrl_c = signal.getsignal(signal.SIGINT)
    try:
        with _quiet_lightning(), _unfilled_memory():
            yield
    except SystemExit as stop:
        # Lightning answers Ctrl-C by exiting and leaves SIGINT ignored; callers want to tidy up.
        signal.signal(signal.SIGINT, answer_to_ctrl_c)
        raise KeyboardInterrupt from stop
    except MisconfigurationException as error:
        raise UserError(f"training: {' '.join(str(error).split())}") from error


@contextmanager
def _unfilled_memory() -> Iterator[None]:
    """Keep torch from filling new memory with NaN, as it does where it is to be deterministic.

    That guards against code that reads what it has not written, and takes its time in every step
    of a wide head.
    """
    before = torch.utils.deterministic.fill_uninitialized_memory  # type: ignore[attr-defined]
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
    try:
        yield
    finally:
        torch.utils.deterministic.fill_uninitialized_memory = before  # type: ignore[attr-defined]


@contextmanager
def _quiet_lightning() -> Iterator[None]:
    """Silence what Lightning says of hardware, of this project's choices and of its own debts."""
    logger = logging.getLogger("pytorch_lightning")
    level = logger.level
    logger.setLevel(logging.ERROR)
    with warnings.catch_warnings():
        for message in (
            ".*does not have many workers.*",
            ".*in eval mode at the start of training.*",  # frozen stages
            ".*Checkpoint directory .* exists and is not empty.*",
            ".*isinstance.treespec, LeafSpec.. is deprecated.*",
        ):
            warnings.filterwarnings("ignore", message=message)
        try:
            yield
        finally:
            logger.setLevel(level)
