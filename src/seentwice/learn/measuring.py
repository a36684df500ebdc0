"""Tell whoever watches a training what every epoch measured, and end it where they say so."""

from collections.abc import Callable, Mapping

import pytorch_lightning as pl

Measured = Callable[[int, Mapping[str, float]], bool]
"""Called with (epochs done, metrics by name) after every epoch; says whether to go on."""


def read_metrics(trainer: pl.Trainer) -> dict[str, float]:
    """Return what was measured last, by the names that sweeps know, such as validation_loss."""
    return {
        name.replace("/", "_"): float(value) for name, value in trainer.callback_metrics.items()
    }


class MeasuredEpochs(pl.Callback):
    """Passes on the metrics of every epoch, before its files are written.

    So an epoch of which nobody was told is trained again where the process ends in between; one
    that was told may be told twice.
    """

    def __init__(self, measured: Measured) -> None:
        self.measured = measured

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Pass on the metrics of the epoch that just ended."""
        if not self.measured(trainer.current_epoch + 1, read_metrics(trainer)):
            trainer.should_stop = True
