"""Asynchronous successive halving, in its stopping form: events in, decisions out.

As Determined 0.38's adaptive_asha decides: a trial that reports at a rung is compared with those
that reported there before it, and goes on where it is among the best, without waiting for others.
"""

from bisect import bisect_left
from dataclasses import dataclass, field
from math import inf, isfinite

from seentwice.sweeps.brackets import AshaSettings, Bracket, plan_brackets
from seentwice.sweeps.searcher import Create, Decision, Stop


@dataclass(slots=True)
class _Trial:
    bracket: int
    rung: int = 0  # where it is compared next
    ended: bool = False


@dataclass(slots=True)
class _Halving:
    """The state of one bracket."""

    bracket: Bracket
    created: int = 0
    withdrawn: int = 0
    rungs: list[list[tuple[float, int]]] = field(default_factory=list)  # (value, trial), best first


class Asha:
    """A search over brackets."""

    def __init__(self, settings: AshaSettings, smaller_is_better: bool) -> None:
        """Plan the brackets; nothing is created before `start`."""
        self.settings = settings
        self.brackets = plan_brackets(settings)
        self._sign = 1 if smaller_is_better else -1
        self._trials: list[_Trial] = []
        self._halvings = [
            _Halving(bracket, rungs=[[] for _ in bracket.rungs]) for bracket in self.brackets
        ]

    def start(self) -> list[Decision]:
        """Return the trials to begin with."""
        decisions: list[Decision] = []
        for number, bracket in enumerate(self.brackets):
            for _ in range(min(bracket.concurrent, bracket.trials)):
                decisions += self._create(number)
        return decisions

    def report(self, trial: int, time: int, metric: float) -> list[Decision]:
        """Take a trial's metric after so much training; a report of one that ended says nothing.

        Raises:
            ValueError: the metric is no finite number; such a trial has failed.
        """
        if not isfinite(metric):
            raise ValueError(f"trial {trial}: {metric} is no metric; report that it failed")
        state = self._trials[trial]
        if state.ended:
            return []
        halving = self._halvings[state.bracket]
        levels, value = halving.bracket.rungs, self._sign * metric
        while time >= levels[state.rung]:
            place, size = _insert(halving.rungs[state.rung], value, trial)
            last = state.rung == len(levels) - 1
            if last or place >= max(int(size / self.settings.divisor), 1):
                return [Stop(trial), *self._end(trial)]
            state.rung += 1
        return []

    def finish(self, trial: int) -> list[Decision]:
        """Take it that a trial ended of its own accord, with what it had reported."""
        return [] if self._trials[trial].ended else self._end(trial)

    def fail(self, trial: int) -> list[Decision]:
        """Take it that a trial failed: it counts as the worst at the rung that it did not reach."""
        state = self._trials[trial]
        if state.ended:
            return []
        _insert(self._halvings[state.bracket].rungs[state.rung], inf, trial)
        return self._end(trial)

    def withdraw(self, trial: int) -> list[Decision]:
        """Take it that a trial's hyperparameters are impossible: another takes its place.

        What it had reported is forgotten; decisions that were made by it stay.
        """
        state = self._trials[trial]
        if state.ended:
            return []
        halving = self._halvings[state.bracket]
        halving.rungs = [[entry for entry in rung if entry[1] != trial] for rung in halving.rungs]
        halving.withdrawn += 1
        return self._end(trial)

    @property
    def running(self) -> tuple[int, ...]:
        """Trials that were created and have not ended; the search is over when there is none."""
        return tuple(number for number, trial in enumerate(self._trials) if not trial.ended)

    def rung_of(self, trial: int) -> int:
        """Return how many rungs a trial has passed."""
        return self._trials[trial].rung

    def _end(self, trial: int) -> list[Decision]:
        state = self._trials[trial]
        state.ended = True
        halving = self._halvings[state.bracket]
        if halving.created - halving.withdrawn < halving.bracket.trials:
            return self._create(state.bracket)
        return []

    def _create(self, bracket: int) -> list[Decision]:
        self._halvings[bracket].created += 1
        self._trials.append(_Trial(bracket))
        return [Create(len(self._trials) - 1, bracket)]


def _insert(rung: list[tuple[float, int]], value: float, trial: int) -> tuple[int, int]:
    """Put a value before its equals; return its place and how many there are with it."""
    place = bisect_left(rung, value, key=lambda entry: entry[0])
    rung.insert(place, (value, trial))
    return place, len(rung)
