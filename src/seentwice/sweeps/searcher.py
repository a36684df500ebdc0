"""What every searcher answers, and those that stop no trial: random, grid and single."""

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Create:
    """Start a new trial."""

    trial: int  # numbered from 0, in the order of their creation
    bracket: int


@dataclass(frozen=True, slots=True)
class Stop:
    """End a trial: it is not among the best of its rung, or it has reached the last."""

    trial: int


Decision = Create | Stop


class Searcher(Protocol):
    """Takes what happens to trials, and decides which are created and stopped.

    No clock and no chance is in it, so the same events give the same decisions. The search is over
    when no trial is running.
    """

    @property
    def running(self) -> tuple[int, ...]:
        """Trials that were created and have not ended."""
        ...

    def start(self) -> list[Decision]:
        """Return the trials to begin with."""
        ...

    def report(self, trial: int, time: int, metric: float) -> list[Decision]:
        """Take a trial's metric after so much training.

        Raises:
            ValueError: the metric is no finite number; such a trial has failed.
        """
        ...

    def finish(self, trial: int) -> list[Decision]:
        """Take it that a trial ended of its own accord."""
        ...

    def fail(self, trial: int) -> list[Decision]:
        """Take it that a trial failed."""
        ...

    def withdraw(self, trial: int) -> list[Decision]:
        """Take it that a trial's hyperparameters are impossible."""
        ...


class Unstopped:
    """Lets every trial train to its end."""

    def __init__(self, trials: int, concurrent: int, replaces: bool) -> None:
        """Plan a search.

        Args:
            trials: in all.
            concurrent: trials at once, 0 for all of them.
            replaces: whether another trial takes the place of one that was impossible, as where
                values are drawn; a grid has no other.
        """
        self.trials = trials
        self.concurrent = min(concurrent or trials, trials)
        self.replaces = replaces
        self._ended: list[bool] = []  # of every trial
        self._withdrawn = 0

    @property
    def running(self) -> tuple[int, ...]:
        """Trials that were created and have not ended."""
        return tuple(trial for trial, ended in enumerate(self._ended) if not ended)

    def start(self) -> list[Decision]:
        """Return the trials to begin with."""
        return [self._create() for _ in range(self.concurrent)]

    def report(self, trial: int, time: int, metric: float) -> list[Decision]:
        """Take a metric, by which nothing is decided."""
        return []

    def finish(self, trial: int) -> list[Decision]:
        """Take it that a trial ended; another begins where some are left."""
        if self._ended[trial]:
            return []
        self._ended[trial] = True
        left = len(self._ended) - self._withdrawn < self.trials
        return [self._create()] if left else []

    def fail(self, trial: int) -> list[Decision]:
        """Take it that a trial failed: it counts as one that ended."""
        return self.finish(trial)

    def withdraw(self, trial: int) -> list[Decision]:
        """Take it that a trial's hyperparameters are impossible."""
        self._withdrawn += self.replaces and not self._ended[trial]
        return self.finish(trial)

    def _create(self) -> Create:
        self._ended.append(False)
        return Create(len(self._ended) - 1, 0)
