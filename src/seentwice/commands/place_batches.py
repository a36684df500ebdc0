"""What batches of places or copies leave aside: the training table, and choices of its pairs."""

from collections.abc import Sequence

from omegaconf import DictConfig
from rich.console import Console

from seentwice.commands.looking import read_sampling
from seentwice.commands.objectives import check_objectives, tell_of_objectives, why_no_effect
from seentwice.commands.overrides import key_of
from seentwice.commands.progress import print_plainly
from seentwice.commands.settings import read_settings
from seentwice.data.tables import MixedSampling, SamespaceSampling
from seentwice.errors import UserError
from seentwice.learn.training import TrainingSettings, batches_of
from seentwice.models.embedding_heads import EMBEDDING_HEADS

_OF_THE_TABLE = ("sampling.train", "mining")


def leaves_table_aside(config: DictConfig, heads: Sequence[str]) -> bool:
    """Tell whether there are heads, and all pair the views of a batch."""
    training = read_settings(TrainingSettings, config, "training")
    return bool(heads) and all(batches_of(head, training) != "table" for head in heads)


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
        UserError: the choice of training pairs, but no detector learns from them; or see
            `check_objectives`.
    """
    check_objectives(heads, read_settings(TrainingSettings, config, "training"), overrides)
    sampling = read_sampling(config)
    if learners or not leaves_table_aside(config, heads):
        return
    reason = _why_no_table(config, heads)
    if isinstance(sampling, MixedSampling) and sampling.train.negatives.hard > 0:
        raise UserError(f"sampling.train.negatives.hard={sampling.train.negatives.hard}: {reason}")
    if config.mining.checkpoint is not None:
        raise UserError(f"mining.checkpoint={config.mining.checkpoint}: {reason}")
    for key in map(key_of, overrides):
        if _chooses_training_pairs(key):
            raise UserError(f"{key}: {reason}")


def check_own_table(config: DictConfig, heads: Sequence[str]) -> None:
    """Refuse to train on SameSpace's table where no table is trained on.

    A comparison has its validation and test tables still.

    Raises:
        UserError: see above.
    """
    is_own = isinstance(read_sampling(config), SamespaceSampling)
    if is_own and leaves_table_aside(config, heads):
        raise UserError(f"sampling=samespace: {_why_no_table(config, heads)}")


def overrides_of_one(config: DictConfig, head: str, overrides: Sequence[str]) -> list[str]:
    """Return what a training of one head of a comparison takes of the comparison's overrides.

    But for the head itself: see `head_overrides`.

    Args:
        config: the composed configuration of the comparison.
        head: the one to train.
        overrides: of keys that both commands have.
    """
    training = read_settings(TrainingSettings, config, "training")
    kept = [
        word
        for word in overrides
        if key_of(word).partition(".")[0] != "head"
        and why_no_effect(key_of(word), [head], training) is None
    ]
    if not leaves_table_aside(config, [head]):
        return kept
    kept = [word for word in kept if not _chooses_training_pairs(key_of(word))]
    sampling = read_sampling(config)
    if isinstance(sampling, SamespaceSampling):
        # The same validation and test tables without the training table.
        kept = [word for word in kept if key_of(word) != "sampling"]
        kept.append("sampling=mixed")
        if sampling.evaluation is None:
            kept.append("sampling.evaluation=null")
    return kept


def tell_of_batches(config: DictConfig, heads: Sequence[str], console: Console) -> None:
    """Print which heads choose their batches, and that the table that was counted trains none."""
    tell_of_objectives(config, heads, console)
    if leaves_table_aside(config, heads):
        own = all(head in EMBEDDING_HEADS for head in heads)
        advice = "" if own else " (training=table does)"
        print_plainly(
            "  The views of each batch are paired: no head trains on the table of training pairs"
            + advice,
            console,
        )


def _chooses_training_pairs(key: str) -> bool:
    return any(key == section or key.startswith(f"{section}.") for section in _OF_THE_TABLE)


def _why_no_table(config: DictConfig, heads: Sequence[str]) -> str:
    if all(head in EMBEDDING_HEADS for head in heads):
        return f"head={','.join(heads)} trains on no table of pairs"
    batches = read_settings(TrainingSettings, config, "training").batches
    return f"training.batches={batches} trains on no table of pairs; give training=table"
