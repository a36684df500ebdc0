"""What heads that train embeddings leave aside of the settings, and the distance they decide by."""

from collections.abc import Sequence

from omegaconf import DictConfig
from rich.console import Console
from torch import nn

from seentwice.commands.progress import print_plainly
from seentwice.commands.settings import read_settings
from seentwice.detectors.calibration import Calibration
from seentwice.errors import UserError
from seentwice.learn.training import TrainingSettings, batches_of
from seentwice.models.embedding_heads import EMBEDDING_HEADS, BatchSource, EmbeddingHead

_OF_OTHER_HEADS = (
    "training.batches",
    "training.loss",
    "training.contrastive_weight",
    "training.temperature",
)


def check_objectives(heads: Sequence[str], overrides: Sequence[str]) -> None:
    """Refuse settings that no head takes notice of.

    Args:
        heads: that are trained.
        overrides: as they were given; a config file may hold what suits other heads.

    Raises:
        UserError: a choice of other heads' batches or loss, but there is no other head.
    """
    if any(head not in EMBEDDING_HEADS for head in heads):
        return
    for word in overrides:
        key = word.lstrip("+~").partition("=")[0]
        if heads and key in _OF_OTHER_HEADS:
            raise UserError(f"{key}: has no effect on {', '.join(heads)}; see head.{heads[0]}")


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
