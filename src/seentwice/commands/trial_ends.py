"""How long a trial would train if nothing stopped it: its own training.epochs."""

from collections.abc import Iterable, Sequence
from functools import cache

from seentwice.commands.application import compose_words
from seentwice.commands.trial_words import words_of_values
from seentwice.sweeps.trials import Trial

_DECIDING = ("experiment", "training", "training.epochs")
"""Keys that set it, of those that a sweep may choose values of."""


def find_ends(trials: Iterable[Trial], words: Sequence[str]) -> dict[int, int]:
    """Return the epochs that stopped trials would have trained, by their numbers.

    Args:
        trials: of the sweep.
        words: overrides of every trial.
    """

    @cache  # most sweeps have the same for all, and to compose takes a tenth of a second
    def count_epochs(own: tuple[str, ...]) -> int:
        return int(compose_words("train", [*words, *own]).training.epochs)

    ends = {}
    for trial in trials:
        if trial.status == "stopped":
            deciding = {key: trial.values[key] for key in _DECIDING if key in trial.values}
            ends[trial.number] = count_epochs(tuple(words_of_values(deciding)))
    return ends
