"""What heads and their batches leave aside of the settings, and the distance some decide by."""

from collections.abc import Mapping, Sequence

from omegaconf import DictConfig
from rich.console import Console
from torch import nn

from seentwice.commands.progress import print_plainly
from seentwice.commands.settings import read_settings
from seentwice.detectors.calibration import Calibration
from seentwice.errors import UserError
from seentwice.learn.training import TrainingSettings, batches_of
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
            is no other head; a monitor that is not what a head trains by; batches of one photo
            with its copy, which hold no negative pair.
    """
    sources = {head: batches_of(head, training) for head in heads}
    if heads and all(head in EMBEDDING_HEADS for head in heads):
        used = dict.fromkeys(key for source in sources.values() for key in _OF_BATCHES[source])
        sizes = {key for keys in _OF_BATCHES.values() for key in keys}
        for word in overrides:
            key, names = word.lstrip("+~").partition("=")[0], ", ".join(heads)
            if key in _OF_OTHER_HEADS:
                raise UserError(f"{key}: has no effect on {names}; see head.{heads[0]}")
            if key in sizes and key not in used:
                raise UserError(
                    f"{key}: has no effect on the batches of {names}; choose {', '.join(used)}"
                )
    for head, source in sources.items():
        if head in EMBEDDING_HEADS and training.monitor == "loss":
            raise UserError(
                f"training.monitor=loss: a cross-entropy, which is not what {head} trains by; give "
                "training.monitor=average_precision"
            )
        if source == "copies" and training.batch_size < FEWEST_PHOTOS:
            raise UserError(
                f"training.batch_size={training.batch_size}: {head} learns from other photos of "
                f"the batch; give {FEWEST_PHOTOS} or more"
            )


def tell_of_objectives(config: DictConfig, heads: Sequence[str], console: Console) -> None:
    """Print which batches those heads train on that choose their own."""
    training = read_settings(TrainingSettings, config, "training")
    places, views = training.places_per_batch, training.views_per_place
    words: dict[BatchSource, str] = {
        "table": "the table of training pairs",
        "places": f"batches of {places} places with up to {views} views each",
        "copies": f"batches of up to {training.batch_size} photos, each beside an edited copy",
    }
    for head in heads:
        if head in EMBEDDING_HEADS:
            print_plainly(f"  {head} trains on {words[batches_of(head, training)]}", console)


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
