"""Tell whoever watches a training what every epoch measured, and end it where they say so."""

from collections.abc import Callable, Mapping

import pytorch_lightning as pl

Measured = Callable[[int, Mapping[str, float]], bool]
"""Called with (epochs done, metrics by name) after every epoch; says whether to go on."""


def metric_name(logged: str) -> str:
    """Return the name by which sweeps know a metric, such as validation_loss."""
    return logged.replace("/", "_")


class MeasuredEpochs(pl.Callback):
    """Passes on the metrics of every epoch, before its files are written.

    So an epoch of which nobody was told is trained again where the process ends in between; one
    that was told may be told twice.
    """

    def __init__(self, measured: Measured) -> None:
        self.measured = measured

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Pass on the metrics of the epoch that just ended."""
        metrics = {
            metric_name(name): float(value) for name, value in trainer.callback_metrics.items()
        }
        if not self.measured(trainer.current_epoch + 1, metrics):
            trainer.should_stop = True
