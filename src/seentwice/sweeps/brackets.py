"""How adaptive_asha deals out trials and epochs: brackets of rungs, as Determined 0.38 has them.

A bracket is one asynchronous successive halving (Li et al. 2020, arXiv:1810.05934): trials train to
its first rung, the best of them to the next, and so on to the last. Brackets with fewer rungs stop
their trials later, for hyperparameters that start slowly (Hyperband, Li et al. 2018,
arXiv:1603.06560).
"""

import math
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import ConfigDict, Field, StrictFloat, StrictInt

Mode = Literal["aggressive", "standard", "conservative"]

# The powers of the largest divisor are numbers up to the highest rung.
MOST_RUNGS = 100
LARGEST_DIVISOR = 1000
LARGEST_COUNT = 2**63 - 1  # that the master holds

Count = Annotated[StrictInt, Field(ge=1, le=LARGEST_COUNT)]
Concurrent = Annotated[StrictInt, Field(ge=0, le=LARGEST_COUNT)]
Rungs = Annotated[StrictInt, Field(ge=1, le=MOST_RUNGS)]
Divisor = Annotated[StrictFloat, Field(gt=1, le=LARGEST_DIVISOR)]


@dataclass(frozen=True, slots=True)
class AshaSettings:
    """The budget of an adaptive_asha search, under Determined's names."""

    __pydantic_config__ = ConfigDict(extra="forbid")
    max_trials: Count
    max_time: Count  # of a trial, in units of `time_metric`
    mode: Mode = "standard"
    divisor: Divisor = 4.0  # of the trials of a rung, one goes on
    max_rungs: Rungs = 5
    bracket_rungs: tuple[Rungs, ...] = ()  # instead of `mode`, where given
    max_concurrent_trials: Concurrent = 16  # 0: as many as the smallest bracket


@dataclass(frozen=True, slots=True)
class Bracket:
    """One successive halving of a search."""

    rungs: tuple[int, ...]  # where a trial's metric is compared, in units of time; the last is all
    trials: int
    concurrent: int  # trials at the start


def plan_brackets(settings: AshaSettings) -> tuple[Bracket, ...]:
    """Return the brackets of a search, that with most rungs first."""
    rung_counts = _count_rungs(settings)
    trials = _deal_trials(settings.max_trials, settings.divisor, rung_counts)
    concurrent = _deal_concurrent(settings, trials)
    return tuple(
        Bracket(_place_rungs(count, settings), most, at_once)
        for count, most, at_once in zip(rung_counts, trials, concurrent, strict=True)
    )


def _count_rungs(settings: AshaSettings) -> list[int]:
    if settings.bracket_rungs:
        return sorted(settings.bracket_rungs, reverse=True)
    most = min(
        settings.max_rungs,
        _whole_log(settings.max_time, settings.divisor) + 1,
        _whole_log(settings.max_trials, settings.divisor) + 1,
    )
    fewest = {"aggressive": most, "standard": (most - 1) // 2 + 1, "conservative": 1}
    return list(range(most, fewest[settings.mode] - 1, -1))


def _whole_log(value: int, base: float) -> int:
    # The quotient, not math.log(value, base) or a loop: it is off where the master's is.
    return math.floor(math.log(value) / math.log(base))


def _deal_trials(trials: int, divisor: float, rung_counts: list[int]) -> list[int]:
    """Give every bracket about the same training; what is left by rounding goes to the first."""
    weights = [divisor ** (count - 1) / count for count in rung_counts]
    dealt = [max(int(weight / sum(weights) * trials), 1) for weight in weights]
    dealt[0] += max(trials - sum(dealt), 0)
    return dealt


def _deal_concurrent(settings: AshaSettings, trials: list[int]) -> list[int]:
    if settings.max_concurrent_trials == 0:
        return [max(trials[-1], int(settings.divisor))] * len(trials)
    each, more = divmod(max(settings.max_concurrent_trials, len(trials)), len(trials))
    return [each + (number < more) for number in range(len(trials))]


def _place_rungs(count: int, settings: AshaSettings) -> tuple[int, ...]:
    return tuple(
        max(int(settings.max_time / settings.divisor ** (count - 1 - rung)), 1)
        for rung in range(count)
    )
