"""What is known of the trials of a sweep."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from seentwice.sweeps.space import Value

Status = Literal["waiting", "running", "stopped", "finished", "failed", "impossible"]
"""Stopped: at a rung, as decided. Finished: at its last rung, or of its own accord. Both from the
moment that it is decided on; `checkpoint` says whether the worker is done with it."""


@dataclass(frozen=True, slots=True)
class Point:
    """One measurement of a trial."""

    time: int  # of its training, in units of the searcher's time metric
    metric: float
    at: float  # seconds since 1970


@dataclass(frozen=True, slots=True)
class Interruption:
    """A trial crashed or lost its worker, and begins again from its last epoch."""

    time: int  # of its training by then
    why: str


@dataclass(frozen=True, slots=True)
class Trial:
    """One choice of hyperparameters and what came of it."""

    number: int  # from 0, in the order of their creation
    bracket: int  # its place among all; people are told one more, so that the first is 1
    status: Status
    values: Mapping[str, Value]  # by the dotted paths of their keys; none before it began
    curve: tuple[Point, ...]  # by rising time
    rungs: int  # that it has passed; see `ranking.reached_rung` for where it was compared last
    worker: str  # who has it; "" for nobody
    folder: str  # of its files; "" before it began
    checkpoint: str  # "" before it is written
    restarts: int  # after crashes
    error: str  # of its failure, or why it is impossible; until it ends, of the last crash
    interruptions: tuple[Interruption, ...]  # crashes among them, in their order
