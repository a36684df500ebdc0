"""The LightningModule of a SiameseNet: wiring only."""

import math
from collections.abc import Callable, Iterable
from typing import Literal

import pytorch_lightning as pl
import torch
from pytorch_lightning.utilities.types import OptimizerLRScheduler
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR

from seentwice.errors import UserError
from seentwice.learn.batches import PairBatch
from seentwice.metrics import average_precision
from seentwice.models.embedding_heads import EmbeddingHead
from seentwice.models.losses import PairLoss, balanced_cross_entropy, supervised_contrastive
from seentwice.models.nets import SiameseNet, apply_head

MakeOptimizer = Callable[[Iterable[nn.Parameter]], Optimizer]
Augment = Callable[[Tensor], Tensor]

Schedule = Literal["constant", "one_cycle"]
WARM_UP_SHARE = 0.2  # of the epochs of one cycle


class DivergedError(UserError):
    """A loss or a logit of the training is no number any more."""


def one_cycle(progress: float) -> float:
    """Return the share of the peak learning rate, 0 to 1, after a share of the training.

    Half a cosine up to 1 at `WARM_UP_SHARE`, and half a cosine down to 0 at the end (Smith & Topin
    2018, arXiv:1708.07120, in its form with two phases).
    """
    if progress < WARM_UP_SHARE:
        return 0.5 - 0.5 * math.cos(math.pi * progress / WARM_UP_SHARE)
    return 0.5 + 0.5 * math.cos(math.pi * (progress - WARM_UP_SHARE) / (1 - WARM_UP_SHARE))


class SiameseTask(pl.LightningModule):
    """Trains a net on batches of pairs.

    The loss is a cross-entropy of the head's logits, plus `contrastive_weight` times the
    supervised contrastive loss of the embeddings; an `EmbeddingHead` brings a loss of its own. The
    schedule changes the optimizer's learning rate from epoch to epoch, so a resumed run goes on
    with the rate it would have had.
    """

    def __init__(
        self,
        net: SiameseNet,
        rows: Tensor,
        make_optimizer: MakeOptimizer,
        augment: Augment,
        seed: int,
        contrastive_weight: float,
        temperature: float,
        schedule: Schedule,
        pair_loss: PairLoss = balanced_cross_entropy,
    ) -> None:
        """Take what is trained, and how.

        Args:
            net: trained in place.
            rows: (v, ...) the net's inputs, one a view; moved to the device where they fit.
            make_optimizer: from parameters to their optimizer.
            augment: changes copies of inputs on their way into the net.
            seed: of dropout and augmentation.
            contrastive_weight: of the contrastive loss, beside the cross-entropy.
            temperature: of the contrastive loss.
            schedule: of the learning rate.
            pair_loss: the cross-entropy.
        """
        super().__init__()
        self.net = net
        self.rows = rows
        self.make_optimizer = make_optimizer
        self.augment = augment
        self.seed = seed
        self.contrastive_weight = contrastive_weight
        self.temperature = temperature
        self.schedule = schedule
        self.pair_loss = pair_loss
        self._loss_sum: Tensor | float = 0.0  # of the epoch
        self._embeddings = torch.empty(0, 0)  # of the validation views so far, and room for more
        self._embedded = 0  # rows of these that hold one
        self._logits: list[Tensor] = []
        self._labels: list[Tensor] = []

    def on_fit_start(self) -> None:
        """Keep the rows in the device's own memory where they take half of it at most."""
        if self.device.type == "cuda":
            free, _ = torch.cuda.mem_get_info(self.device)
            if self.rows.nbytes <= free // 2:
                self.rows = self.rows.to(self.device)

    def on_train_batch_start(self, batch: PairBatch, batch_idx: int) -> None:
        """Seed dropout and augmentation by epoch, so a resumed run repeats nothing else.

        At the first batch, not at the epoch's start: in between, Lightning draws from the same
        generator, once more in a resumed run.
        """
        if batch_idx == 0:
            torch.manual_seed(self.seed * 100_003 + self.current_epoch)

    def training_step(self, batch: PairBatch, batch_idx: int) -> Tensor:
        """Return the loss of a batch.

        Raises:
            DivergedError: the loss is no number any more.
        """
        embeddings = self.net.embed(self.augment(self._rows_of(batch.views)))
        if isinstance(self.net.head, EmbeddingHead):
            loss = self.net.head.loss(embeddings, batch.left, batch.right, batch.label)
        else:
            loss = self._loss_of_pairs(embeddings, batch)
        loss_sum = self._loss_sum = self._loss_sum + loss.detach()
        if loss_sum.device.type == "cpu":  # a graphics card would be waited for in every step
            self._check_finite(loss_sum)
        self.log("train/loss", loss, on_step=False, on_epoch=True, batch_size=len(batch.label))
        return loss

    def _loss_of_pairs(self, embeddings: Tensor, batch: PairBatch) -> Tensor:
        logits = self.net.head(embeddings[batch.left], embeddings[batch.right])
        loss = self.pair_loss(logits, batch.label)
        if not self.contrastive_weight:
            return loss
        return loss + self.contrastive_weight * supervised_contrastive(
            embeddings, batch.left, batch.right, batch.label, self.temperature
        )

    def validation_step(self, batch: PairBatch, batch_idx: int) -> None:
        """Keep the embeddings of the views of a `GrowingBatches` batch, and its pairs' logits."""
        self._keep(self.net.embed(self._rows_of(batch.views)))
        embeddings = self._embeddings[: self._embedded]
        self._logits.append(apply_head(self.net.head, embeddings, batch.left, batch.right).cpu())
        self._labels.append(batch.label.cpu())

    def _keep(self, embeddings: Tensor) -> None:
        """Write embeddings (b, e) after those that are kept; the room at least doubles."""
        before, self._embedded = self._embedded, self._embedded + len(embeddings)
        if self._embedded > len(self._embeddings):
            room = embeddings.new_empty(max(self._embedded, 2 * before), embeddings.shape[1])
            if before:
                room[:before] = self._embeddings[:before]
            self._embeddings = room
        self._embeddings[before : self._embedded] = embeddings

    def on_validation_epoch_end(self) -> None:
        """Log the metrics over all validation pairs, not their mean over batches.

        Raises:
            DivergedError: a loss of the epoch or a logit is no number any more.
        """
        logits, label = torch.cat(self._logits), torch.cat(self._labels)
        self._logits.clear()
        self._labels.clear()
        self._embeddings, self._embedded = torch.empty(0, 0), 0
        loss_sum, self._loss_sum = self._loss_sum, 0.0
        self._check_finite(torch.as_tensor(loss_sum))
        self._check_finite(logits)
        if not isinstance(self.net.head, EmbeddingHead):  # which trains by another loss
            self.log("validation/loss", self.pair_loss(logits, label))
        self.log(
            "validation/average_precision",
            average_precision(label.numpy(), logits.double().sigmoid().numpy()),
        )

    def _rows_of(self, views: Tensor) -> Tensor:
        """Return the rows of views (b,) on the net's device: (b, ...)."""
        return self.rows[views.to(self.rows.device)].to(self.device)

    def _check_finite(self, values: Tensor) -> None:
        if not values.isfinite().all():
            raise DivergedError(
                f"training diverged at epoch {self.current_epoch + 1}: lower optimizer.lr"
            )

    def configure_optimizers(self) -> OptimizerLRScheduler:
        """Return the optimizer over what trains, with its schedule where there is one."""
        optimizer = self.make_optimizer(
            [parameter for parameter in self.net.parameters() if parameter.requires_grad]
        )
        if self.schedule == "constant":
            return optimizer
        epochs = self.trainer.max_epochs
        assert epochs is not None
        # The rate of an epoch is that of its middle: at its ends the cycle's rate is 0.
        scheduler = LambdaLR(optimizer, lambda epoch: one_cycle((epoch + 0.5) / epochs))
        return [optimizer], [scheduler]
