"""What heads and their batches leave aside of the settings, and the distance some decide by."""

from collections.abc import Mapping, Sequence

import torch
from omegaconf import DictConfig
from rich.console import Console
from torch import nn

from seentwice.commands.overrides import key_of
from seentwice.commands.progress import print_plainly
from seentwice.commands.settings import read_settings
from seentwice.detectors.calibration import Calibration
from seentwice.errors import UserError
from seentwice.learn.training import TrainingSettings, batches_of, monitor_of
from seentwice.models.embedding_heads import EMBEDDING_HEADS, BatchSource, EmbeddingHead

FEWEST_PHOTOS = 2
"""In a batch of copies: one photo has no other to be told from."""

_OF_OTHER_HEADS = (
    "training.batches",
    "training.loss",
    "training.contrastive_weight",
    "training.temperature",
)
_OF_BATCHES: Mapping[BatchSource, tuple[str, ...]] = {
    "table": ("training.batch_size",),
    "places": (
        "training.places_per_batch",
        "training.views_per_place",
        "training.same_type_share",
        "training.batches_per_epoch",
    ),
    "copies": ("training.batch_size", "training.batches_per_epoch"),
}


def check_objectives(
    heads: Sequence[str], training: TrainingSettings, overrides: Sequence[str]
) -> None:
    """Refuse settings that no head takes notice of, or that leave one nothing to learn.

    Args:
        heads: that are trained.
        training: the section `training`.
        overrides: as they were given; a config file may hold what suits other heads.

    Raises:
        UserError: a choice of other heads' batches or loss, or of sizes of other batches, but there
            is no other head; a monitor that none of them trains by; batches of one photo with its
            copy, which hold no negative pair; or a graphics card that is not there.
    """
    has_card = torch.cuda.is_available() or torch.backends.mps.is_available()
    if training.accelerator == "gpu" and not has_card:
        raise UserError("training.accelerator=gpu: torch finds none here; choose auto or cpu")
    for word in overrides:
        reason = why_no_effect(key_of(word), heads, training)
        if reason is not None:
            raise UserError(reason)
    for head in heads:
        if batches_of(head, training) == "copies" and training.batch_size < FEWEST_PHOTOS:
            raise UserError(
                f"training.batch_size={training.batch_size}: {head} learns from other photos of "
                f"the batch; give {FEWEST_PHOTOS} or more"
            )


def why_no_effect(key: str, heads: Sequence[str], training: TrainingSettings) -> str | None:
    """Return why none of the heads takes notice of a key, and what to do; None where one does.

    Args:
        key: of the configuration, as `key_of` an override.
        heads: that are trained.
        training: the section `training`.
    """
    if not heads or any(head not in EMBEDDING_HEADS for head in heads):
        return None
    names = ", ".join(heads)
    if key in _OF_OTHER_HEADS:
        return f"{key}: has no effect on {names}; see head.{heads[0]}"
    monitor = monitor_of(heads[0], training)
    if key == "training.monitor" and training.monitor != monitor:
        return (
            f"{key}={training.monitor}: a cross-entropy, which is not what {heads[0]} trains by; "
            f"give {key}={monitor}"
        )
    used = dict.fromkeys(size for head in heads for size in _OF_BATCHES[batches_of(head, training)])
    if key not in used and any(key in sizes for sizes in _OF_BATCHES.values()):
        return f"{key}: has no effect on the batches of {names}; choose {', '.join(used)}"
    return None


def tell_of_objectives(config: DictConfig, heads: Sequence[str], console: Console) -> None:
    """Print which batches those heads train on that choose their own, and another monitor."""
    training = read_settings(TrainingSettings, config, "training")
    places, views = training.places_per_batch, training.views_per_place
    words: dict[BatchSource, str] = {
        "table": "the table of training pairs",
        "places": f"batches of {places} places with up to {views} views each",
        "copies": f"batches of up to {training.batch_size} photos, each beside an edited copy",
    }
    for head in heads:
        if head in EMBEDDING_HEADS:
            monitor = monitor_of(head, training)
            own = "" if monitor == training.monitor else f"; its monitor is {monitor}"
            print_plainly(f"  {head} trains on {words[batches_of(head, training)]}{own}", console)


def tell_distance(
    head: nn.Module, calibration: Calibration, threshold: float, console: Console
) -> None:
    """Print the distance of embeddings that a threshold on the probability stands for.

    Args:
        head: of the net; nothing is printed where other things than the distance count.
        calibration: of its logit.
        threshold: on the probability, chosen on validation pairs.
        console: to print to.
    """
    if isinstance(head, EmbeddingHead):
        distance = head.distance_at(calibration.evidence_at(threshold))
        print_plainly(f"  The same place up to a distance of {distance:.4f}", console)


def tell_of_early_stop(
    config: DictConfig, head: str, done: int, total: int, console: Console
) -> None:
    """Print why a training ended before its last epoch, where it did.

    Args:
        config: the composed configuration.
        head: that was trained.
        done: epochs; 0 where a training that had ended was resumed.
        total: epochs that it might have taken.
        console: where it is printed.
    """
    if 0 < done < total:
        training = read_settings(TrainingSettings, config, "training")
        print_plainly(
            f"Stopped after {done} of {total} epochs: {training.patience} without a better "
            f"{monitor_of(head, training).replace('_', ' ')} of the validation pairs "
            "(training.patience); the weights are those of the best epoch",
            console,
        )
