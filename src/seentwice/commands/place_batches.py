"""What batches of places leave aside: the training table, and every choice of what is in it."""

from collections.abc import Sequence

from omegaconf import DictConfig
from rich.console import Console

from seentwice.commands.looking import read_sampling
from seentwice.commands.progress import print_plainly
from seentwice.commands.settings import read_settings
from seentwice.data.tables import SamespaceSampling
from seentwice.errors import UserError
from seentwice.learn.training import TrainingSettings

_OF_THE_TABLE = ("sampling.train", "mining")


def trains_on_places(config: DictConfig, heads: Sequence[str]) -> bool:
    """Tell whether there is a head, and it pairs the views of a batch."""
    return bool(heads) and read_settings(TrainingSettings, config, "training").batches == "places"


def check_batches(config: DictConfig, heads: Sequence[str], overrides: Sequence[str]) -> None:
    """Refuse what has no effect on the heads, so that nobody thinks it had.

    Args:
        config: the composed configuration.
        heads: that are trained.
        overrides: as they were given; a config file may hold what suits another training.

    Raises:
        UserError: the choice of training pairs, but no head is trained on them.
    """
    sampling = read_sampling(config)
    if not trains_on_places(config, heads):
        return
    reason = "training.batches=places trains on no table of pairs; give training=table"
    if isinstance(sampling, SamespaceSampling):
        raise UserError(f"sampling=samespace: {reason}")
    if sampling.train.negatives.hard > 0:
        raise UserError(f"sampling.train.negatives.hard={sampling.train.negatives.hard}: {reason}")
    if config.mining.checkpoint is not None:
        raise UserError(f"mining.checkpoint={config.mining.checkpoint}: {reason}")
    for word in overrides:
        key = word.lstrip("+~").partition("=")[0]
        if any(key == section or key.startswith(f"{section}.") for section in _OF_THE_TABLE):
            raise UserError(f"{key}: {reason}")


def tell_of_batches(config: DictConfig, heads: Sequence[str], console: Console) -> None:
    """Print that the training table, whose counts were printed, trains no head."""
    if trains_on_places(config, heads):
        print_plainly(
            "  training=places pairs the views of each batch: no head trains on the table of "
            "training pairs (training=table does)",
            console,
        )
