"""The LightningModule of a SiameseNet: wiring only."""

from collections.abc import Callable, Iterable

import pytorch_lightning as pl
import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from seentwice.learn.batches import PairBatch
from seentwice.metrics import average_precision
from seentwice.models.losses import balanced_cross_entropy
from seentwice.models.nets import SiameseNet

MakeOptimizer = Callable[[Iterable[nn.Parameter]], Optimizer]
Augment = Callable[[Tensor], Tensor]


class SiameseTask(pl.LightningModule):
    """Trains a net on batches of pairs with class-balanced cross-entropy."""

    def __init__(
        self,
        net: SiameseNet,
        make_optimizer: MakeOptimizer,
        augment: Augment,
        seed: int,
    ) -> None:
        super().__init__()
        self.net = net
        self.make_optimizer = make_optimizer
        self.augment = augment
        self.seed = seed
        self._validation: list[tuple[Tensor, Tensor]] = []

    def on_train_epoch_start(self) -> None:
        """Seed dropout and augmentation by epoch, so a resumed run repeats nothing else."""
        torch.manual_seed(self.seed * 100_003 + self.current_epoch)

    def training_step(self, batch: PairBatch, batch_idx: int) -> Tensor:
        """Return the loss of a batch."""
        logits = self.net(self.augment(batch.inputs), batch.left, batch.right)
        loss = balanced_cross_entropy(logits, batch.label)
        self.log("train/loss", loss, on_step=False, on_epoch=True, batch_size=len(batch.label))
        return loss

    def validation_step(self, batch: PairBatch, batch_idx: int) -> None:
        """Keep the scores of a batch."""
        logits = self.net(batch.inputs, batch.left, batch.right)
        self._validation.append((logits.cpu(), batch.label.cpu()))

    def on_validation_epoch_end(self) -> None:
        """Log the metrics over all validation pairs, not their mean over batches."""
        logits, label = (torch.cat(parts) for parts in zip(*self._validation, strict=True))
        self._validation.clear()
        self.log("validation/loss", balanced_cross_entropy(logits, label))
        self.log(
            "validation/average_precision",
            average_precision(label.numpy(), logits.double().sigmoid().numpy()),
        )

    def configure_optimizers(self) -> Optimizer:
        """Return the optimizer over what trains."""
        return self.make_optimizer(self.net.parameters())
