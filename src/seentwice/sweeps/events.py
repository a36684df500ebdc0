"""What happens in a sweep, in the order in which it happened: all that decisions follow from.

Events name the worker that tells them, and are void where it does not hold the trial: one that was
taken for dead, and whose trial went to another, decides nothing any more.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from seentwice.sweeps.space import Value


@dataclass(frozen=True, slots=True)
class Claimed:
    """A worker takes on a trial that nobody holds; the first claim counts."""

    trial: int
    worker: str  # not empty


@dataclass(frozen=True, slots=True)
class Began:
    """A trial's training begins; its values are those of the first time."""

    trial: int
    worker: str
    values: Mapping[str, Value]  # its hyperparameters, by the dotted paths of their keys
    folder: str  # of its files, absolute, on the worker's machine


@dataclass(frozen=True, slots=True)
class Reported:
    """A trial was measured after an epoch."""

    trial: int
    worker: str
    time: int  # of its training, in units of the searcher's time metric
    metric: float  # finite


@dataclass(frozen=True, slots=True)
class Concluded:
    """A trial's training has ended, of its own accord or as decided; its checkpoint is written."""

    trial: int
    worker: str
    checkpoint: str  # absolute, on the worker's machine


@dataclass(frozen=True, slots=True)
class Crashed:
    """A trial's worker ended, or raised what nobody foresaw: it begins again from its last epoch.

    As often as the plan's `max_restarts` says; after that it has failed. Another may tell it for a
    worker that is gone, in its name.
    """

    trial: int
    worker: str
    error: str


@dataclass(frozen=True, slots=True)
class Failed:
    """A trial can go on no more, as where its loss is no number."""

    trial: int
    worker: str
    error: str


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """A trial's hyperparameters are impossible."""

    trial: int
    worker: str
    reason: str


@dataclass(frozen=True, slots=True)
class Released:
    """A trial is given back, to go on from its last epoch: by its worker, which was told to stop.

    Or by another in the name of one that is gone, which is judged by clocks and locks, outside the
    log.
    """

    trial: int
    worker: str
    why: str


Event = Claimed | Began | Reported | Concluded | Crashed | Failed | Withdrawn | Released


@dataclass(frozen=True, slots=True)
class LoggedEvent:
    """An event with its place in the order of all, and when it was written."""

    number: int  # from 0, without gaps
    at: float  # seconds since 1970 by the worker's clock; to be shown, never to decide by
    event: Event
