"""Which trial of a sweep is best, what training was spent on it, and what stopping saved."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from seentwice.sweeps.brackets import Bracket
from seentwice.sweeps.trials import Point, Status, Trial

NEVER_WIN: tuple[Status, ...] = ("failed", "impossible")


@dataclass(frozen=True, slots=True)
class Budget:
    """Training of all trials together, in units of the searcher's time metric."""

    spent: int  # epochs that a crash made anew count once
    saved: int  # by stopping: what stopped trials had left, at most, for they may have ended before

    @property
    def unstopped(self) -> int:
        """What the same trials would have spent, had none been stopped."""
        return self.spent + self.saved

    @property
    def share_saved(self) -> float:
        """In [0, 1); 0 before anything was trained."""
        return self.saved / self.unstopped if self.unstopped else 0.0


@dataclass(frozen=True, slots=True)
class Advance:
    """The state of a sweep after one more measurement of any trial."""

    seconds: float  # since the first measurement
    spent: int  # training of all trials together
    best: int | None  # the trial with the best metric so far; None before there is one
    metric: float | None  # its


def rank_trials(trials: Iterable[Trial], smaller_is_better: bool) -> tuple[Trial, ...]:
    """Return the trials, best first, of equals that with the lowest number.

    A trial counts with its best measurement, however long it trained. Those without one follow by
    their numbers, then those that failed, then those whose values are impossible.
    """
    return tuple(sorted(trials, key=lambda trial: _rank(trial, smaller_is_better)))


def find_best(trials: Iterable[Trial], smaller_is_better: bool) -> Trial | None:
    """Return the best trial; None where none is measured but such as failed or are impossible."""
    able = [trial for trial in trials if trial.curve and trial.status not in NEVER_WIN]
    return min(able, key=lambda trial: _rank(trial, smaller_is_better), default=None)


def find_best_point(curve: Sequence[Point], smaller_is_better: bool) -> Point | None:
    """Return the best measurement, the first of equals; None where there is none."""
    sign = _sign(smaller_is_better)
    return min(curve, key=lambda point: (sign * point.metric, point.time), default=None)


def trained_time(trial: Trial) -> int:
    """Return how long a trial has trained, by its last measurement."""
    return trial.curve[-1].time if trial.curve else 0


def reached_rung(trial: Trial, bracket: Bracket) -> int:
    """Return the rung where a trial was compared last, from 1 on; 0 before the first.

    It stopped there, or finished where that is the last; else it went on.
    """
    was_last = trial.status == "finished" and trained_time(trial) >= bracket.rungs[-1]
    return stopped_rung(trial) or trial.rungs + was_last


def stopped_rung(trial: Trial) -> int | None:
    """Return the rung at which a trial was stopped, from 1 on; None where it was not."""
    return trial.rungs + 1 if trial.status == "stopped" else None


def count_impossible(trials: Sequence[Trial]) -> int:
    """Return how many trials are impossible of those after the last that was measured."""
    measured = max((place for place, trial in enumerate(trials, 1) if trial.curve), default=0)
    return sum(trial.status == "impossible" for trial in trials[measured:])


def count_budget(
    trials: Sequence[Trial], brackets: Sequence[Bracket], ends: Mapping[int, int]
) -> Budget:
    """Return what was spent and saved.

    Args:
        trials: all, failed and impossible ones included: they spent, too, and saved nothing.
        brackets: of the searcher; none where it stops nothing.
        ends: how long stopped trials would have trained by their own settings, by their numbers;
            those that are not in it, to their last rung.
    """
    saved = 0
    for trial in trials:
        if trial.status == "stopped" and brackets:
            last = brackets[trial.bracket].rungs[-1]
            end = min(last, ends.get(trial.number, last))
            saved += max(end - trained_time(trial), 0)
    return Budget(sum(map(trained_time, trials)), saved)


def follow_best(trials: Sequence[Trial], smaller_is_better: bool) -> tuple[Advance, ...]:
    """Return the best metric so far after each measurement, in the order of their making.

    What failed or is impossible is never the best, not even before that was known. Clocks of
    several machines may differ; a trial's own measurements stay in their order.
    """
    sign = _sign(smaller_is_better)
    measured = sorted(
        (at, trial.number, point.time, time, point.metric, trial.status in NEVER_WIN)
        for trial in trials
        for at, point, time in _steps(trial.curve)
    )
    advances: list[Advance] = []
    spent, best, metric = 0, None, None
    for at, number, _, time, value, never_wins in measured:
        spent += time
        order = (sign * value, number)
        if not never_wins and (best is None or metric is None or order < (sign * metric, best)):
            best, metric = number, value
        advances.append(Advance(at - measured[0][0], spent, best, metric))
    return tuple(advances)


def _steps(curve: Sequence[Point]) -> Iterable[tuple[float, Point, int]]:
    """Yield each measurement's time of day, itself, and the training since the one before."""
    at, time = float("-inf"), 0
    for point in curve:
        at = max(at, point.at)
        yield at, point, point.time - time
        time = point.time


def _rank(trial: Trial, smaller_is_better: bool) -> tuple[int, float, int]:
    if trial.status in NEVER_WIN:
        return 2 + NEVER_WIN.index(trial.status), 0.0, trial.number
    best = find_best_point(trial.curve, smaller_is_better)
    if best is None:
        return 1, 0.0, trial.number
    return 0, _sign(smaller_is_better) * best.metric, trial.number


def _sign(smaller_is_better: bool) -> int:
    return 1 if smaller_is_better else -1
