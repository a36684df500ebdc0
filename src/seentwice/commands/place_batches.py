"""What batches of places leave aside: the training table, and every choice of what is in it."""

from collections.abc import Sequence

from omegaconf import DictConfig
from rich.console import Console

from seentwice.commands.looking import read_sampling
from seentwice.commands.progress import print_plainly
from seentwice.commands.settings import read_settings
from seentwice.data.tables import MixedSampling, SamespaceSampling
from seentwice.errors import UserError
from seentwice.learn.training import TrainingSettings

_OF_THE_TABLE = ("sampling.train", "mining")
_NO_TABLE = "training.batches=places trains on no table of pairs; give training=table"


def trains_on_places(config: DictConfig, heads: Sequence[str]) -> bool:
    """Tell whether there is a head, and it pairs the views of a batch."""
    return bool(heads) and read_settings(TrainingSettings, config, "training").batches == "places"


def check_batches(
    config: DictConfig, heads: Sequence[str], learners: Sequence[str], overrides: Sequence[str]
) -> None:
    """Refuse what has no effect, so that nobody thinks it had.

    Args:
        config: the composed configuration.
        heads: that are trained.
        learners: other detectors that learn from the training table; with one it has an effect.
        overrides: as they were given; a config file may hold what suits another training.

    Raises:
        UserError: the choice of training pairs, but no detector learns from them.
    """
    sampling = read_sampling(config)
    if learners or not trains_on_places(config, heads):
        return
    if isinstance(sampling, MixedSampling) and sampling.train.negatives.hard > 0:
        hard = sampling.train.negatives.hard
        raise UserError(f"sampling.train.negatives.hard={hard}: {_NO_TABLE}")
    if config.mining.checkpoint is not None:
        raise UserError(f"mining.checkpoint={config.mining.checkpoint}: {_NO_TABLE}")
    for word in overrides:
        key = word.lstrip("+~").partition("=")[0]
        if any(key == section or key.startswith(f"{section}.") for section in _OF_THE_TABLE):
            raise UserError(f"{key}: {_NO_TABLE}")


def check_own_table(config: DictConfig, heads: Sequence[str]) -> None:
    """Refuse to train on SameSpace's table where no table is trained on.

    A comparison has its validation and test tables still.

    Raises:
        UserError: see above.
    """
    is_own = isinstance(read_sampling(config), SamespaceSampling)
    if is_own and trains_on_places(config, heads):
        raise UserError(f"sampling=samespace: {_NO_TABLE}")


def tell_of_batches(config: DictConfig, heads: Sequence[str], console: Console) -> None:
    """Print that the training table, whose counts were printed, trains no head."""
    if trains_on_places(config, heads):
        print_plainly(
            "  training=places pairs the views of each batch: no head trains on the table of "
            "training pairs (training=table does)",
            console,
        )
