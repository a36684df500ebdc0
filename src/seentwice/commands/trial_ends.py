"""How long a trial would train if nothing stopped it: its own training.epochs."""

from collections.abc import Iterable, Sequence
from functools import cache

from seentwice.commands.application import compose_words, find_configs
from seentwice.commands.option_help import groups_of
from seentwice.commands.trial_words import words_of_values
from seentwice.sweeps.trials import Trial

_EPOCHS = "training.epochs"


def find_ends(trials: Iterable[Trial], words: Sequence[str]) -> dict[int, int]:
    """Return the epochs that stopped trials would have trained, by their numbers.

    Args:
        trials: of the sweep.
        words: overrides of every trial.
    """
    # An option of any group may choose that of another, as backbone=compact does its training's.
    deciding = {*groups_of([find_configs()], "train"), _EPOCHS}

    @cache  # most sweeps have the same for all, and to compose takes a tenth of a second
    def count_epochs(own: tuple[str, ...]) -> int:
        return int(compose_words("train", [*words, *own]).training.epochs)

    ends = {}
    for trial in trials:
        if trial.status == "stopped":
            own = {key: value for key, value in trial.values.items() if key in deciding}
            ends[trial.number] = count_epochs(tuple(words_of_values(own)))
    return ends
