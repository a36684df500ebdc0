"""The LightningModule of a PhotoTagger: wiring only."""

from collections.abc import Sequence

import pytorch_lightning as pl
import torch
from pytorch_lightning.utilities.types import OptimizerLRScheduler
from torch import Tensor
from torch.optim.lr_scheduler import LambdaLR

from seentwice.learn.siamese_task import (
    Augment,
    DivergedError,
    MakeOptimizer,
    Schedule,
    one_cycle,
)
from seentwice.models.photo_tagger import PhotoTagger
from seentwice.models.tag_losses import tag_loss


class TaggerTask(pl.LightningModule):
    """Trains the heads of a tagger, and the blocks of its trunk that are a part of it.

    Batches are numbers of photos, (b,).
    """

    def __init__(
        self,
        tagger: PhotoTagger,
        rows: Tensor,
        labels: Tensor,
        weights: Sequence[Tensor],
        make_optimizer: MakeOptimizer,
        augment: Augment,
        seed: int,
        schedule: Schedule,
    ) -> None:
        """Take what is trained, and how.

        Args:
            tagger: trained in place.
            rows: (p, ...) its inputs, one a photo.
            labels: (p, h) number of a label of each head, -1 where it is not known.
            weights: of each head's labels, in the loss of training photos.
            make_optimizer: from parameters to their optimizer.
            augment: changes copies of inputs on their way into the tagger.
            seed: of augmentation.
            schedule: of the learning rate.
        """
        super().__init__()
        self.tagger = tagger
        self.rows = rows
        self.labels = labels
        self.weights = weights
        self.make_optimizer = make_optimizer
        self.augment = augment
        self.seed = seed
        self.schedule = schedule
        self._logits: list[tuple[Tensor, ...]] = []
        self._seen: list[Tensor] = []

    def on_train_batch_start(self, batch: Tensor, batch_idx: int) -> None:
        """Seed augmentation by epoch, see `SiameseTask`."""
        if batch_idx == 0:
            torch.manual_seed(self.seed * 100_003 + self.current_epoch)

    def training_step(self, batch: Tensor, batch_idx: int) -> Tensor:
        """Return the loss of a batch.

        Raises:
            DivergedError: the loss is no number any more.
        """
        logits = self.tagger(self.tagger.features(self.augment(self._rows_of(batch))))
        loss = self._loss(logits, batch)
        self._check_finite(loss.detach())
        self.log("train/loss", loss, on_step=False, on_epoch=True, batch_size=len(batch))
        return loss

    def validation_step(self, batch: Tensor, batch_idx: int) -> None:
        """Keep the logits: the loss of all photos is no mean of those of batches."""
        logits = self.tagger(self.tagger.features(self._rows_of(batch)))
        self._logits.append(tuple(one.cpu() for one in logits))
        self._seen.append(batch.cpu())

    def on_validation_epoch_end(self) -> None:
        """Log the loss over all validation photos, each of which weighs the same.

        Weights of labels would let the one photo of a rare label choose the epoch.

        Raises:
            DivergedError: it is no number any more.
        """
        logits = [torch.cat(parts) for parts in zip(*self._logits, strict=True)]
        plain = [torch.ones_like(weight, device="cpu") for weight in self.weights]
        loss = tag_loss(logits, self.labels[torch.cat(self._seen)], plain)
        self._logits.clear()
        self._seen.clear()
        self._check_finite(loss)
        self.log("validation/loss", loss)

    def _rows_of(self, photos: Tensor) -> Tensor:
        return self.rows[photos.cpu()].to(self.device)

    def _loss(self, logits: Sequence[Tensor], photos: Tensor) -> Tensor:
        label = self.labels[photos.cpu()].to(self.device)
        return tag_loss(logits, label, [weight.to(self.device) for weight in self.weights])

    def _check_finite(self, loss: Tensor) -> None:
        if not loss.isfinite():
            raise DivergedError(
                f"training diverged at epoch {self.current_epoch + 1}: lower optimizer.lr"
            )

    def configure_optimizers(self) -> OptimizerLRScheduler:
        """Return the optimizer over what trains, with its schedule where there is one."""
        optimizer = self.make_optimizer(
            [parameter for parameter in self.tagger.parameters() if parameter.requires_grad]
        )
        if self.schedule == "constant":
            return optimizer
        epochs = self.trainer.max_epochs
        assert epochs is not None
        # The rate of an epoch is that of its middle: at its ends the cycle's rate is 0.
        scheduler = LambdaLR(optimizer, lambda epoch: one_cycle((epoch + 0.5) / epochs))
        return [optimizer], [scheduler]
