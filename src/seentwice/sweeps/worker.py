"""One worker of a sweep: take a trial on, train it, tell the log what happened, take the next."""

import time
import traceback
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from math import isfinite
from pathlib import Path

from seentwice.errors import UserError
from seentwice.sweeps.events import (
    Began,
    Claimed,
    Concluded,
    Crashed,
    Event,
    Failed,
    Released,
    Reported,
    Withdrawn,
)
from seentwice.sweeps.log import EventLog
from seentwice.sweeps.plan import AdaptiveAsha, Plan, Random
from seentwice.sweeps.ranking import count_impossible
from seentwice.sweeps.space import Value
from seentwice.sweeps.state import SweepState
from seentwice.sweeps.trials import Trial
from seentwice.sweeps.values import Sampler, choose_values

Measured = Callable[[int, Mapping[str, float]], bool]
"""Called with (epochs done, metrics by name) after every epoch; says whether to go on."""


class ImpossibleTrialError(Exception):
    """A trial's hyperparameters make nothing that can be trained."""


class FailedTrialError(Exception):
    """A trial can go on no more, and no other for the same reason: its loss is no number, say."""


@dataclass(frozen=True, slots=True)
class TrialJob:
    """What a worker is to train."""

    number: int
    values: Mapping[str, Value]  # by the dotted paths of their keys
    folder: Path  # of its files; those of an earlier worker may be in it
    stop_after: int | None  # epochs after which it was decided to stop; None where it was not


TrainTrial = Callable[[TrialJob, Measured], Path]
"""Trains a trial and returns its checkpoint.

Raises:
    ImpossibleTrialError: its values make nothing that can be trained.
    FailedTrialError: it can go on no more.
    UserError: what is wrong is wrong for every trial.
"""

_FEWEST_IMPOSSIBLE = 10  # trials that are withdrawn before a plan is taken to be wrong
_CRASH_FILE = "crash.txt"


class LostTrialError(Exception):
    """The trial went to another worker, which took this one for dead."""


class Worker:
    """Works on the trials of a sweep until all are settled."""

    def __init__(
        self,
        name: str,
        plan: Plan,
        log: EventLog,
        folder: Path,
        sampler: Sampler,
        train: TrainTrial,
        tidy: Callable[[Path], None],
        show: Callable[[Trial], None],
        wait: Callable[[], None],
        held_back: Callable[[], AbstractContextManager[None]],
    ) -> None:
        """Take what it works with.

        Args:
            name: of this worker, like no other's.
            plan: of the sweep.
            log: of the sweep.
            folder: of the sweep's files; a trial gets one in it.
            sampler: who chooses the trials' values.
            train: trains one trial.
            tidy: removes from the folder of a settled trial what a training goes on with.
            show: told of every change of a trial that this worker holds.
            wait: called where others have all open trials; returns after a while.
            held_back: opens a block, of work with the log, that nothing interrupts but its end.
        """
        self.name = name
        self._plan = plan
        self._log = log
        self._folder = folder
        self._sampler = sampler
        self._train = train
        self._tidy = tidy
        self._show = show
        self._wait = wait
        self._held_back = held_back
        self._state = SweepState(plan)

    def work(self) -> None:
        """Train one trial after another.

        Raises:
            UserError: what is wrong is wrong for every trial; the sweep can go on once it is
                mended.
            KeyboardInterrupt: passed on; so can it then.
        """
        while not self._catch_up().is_over:
            # Those of dead workers are freed by `LocalWorkers`, which knows how its own ended.
            number = self._state.next_trial()
            if number is None:
                self._wait()
                continue
            self._tell(Claimed(number, self.name))
            if self._holds(number):
                self._take_on(number)

    def _take_on(self, number: int) -> None:
        """Train a trial that this worker holds, and tell how that ended.

        Raises:
            KeyboardInterrupt: passed on.
            UserError: see `work`.
        """
        folder = self._folder / "trials" / f"{number:04}"
        try:
            checkpoint = self._train_trial(number, folder)
        except LostTrialError:
            return
        except ImpossibleTrialError as error:
            self._tell(Withdrawn(number, self.name, str(error)))
            self._refuse_impossible(str(error))
        except FailedTrialError as error:
            self._tell(Failed(number, self.name, str(error)))
        except KeyboardInterrupt:
            self._tell(Released(number, self.name, "its worker was stopped"))
            raise
        except UserError as error:
            self._tell(Released(number, self.name, str(error)))
            raise
        except Exception as error:  # whatever it is, the other trials go on
            (folder / _CRASH_FILE).write_text(traceback.format_exc(), encoding="utf-8")
            told = f"{type(error).__name__}: {error} (see {folder / _CRASH_FILE})"
            self._tell(Crashed(number, self.name, told))
        else:
            self._tell(Concluded(number, self.name, str(checkpoint)))
        if self._state.is_settled(number):
            self._tidy(folder)

    def _train_trial(self, number: int, folder: Path) -> Path:
        values = choose_values(self._plan, self._sampler, self._state.trials, number)
        folder.mkdir(parents=True, exist_ok=True)
        self._tell(Began(number, self.name, values, str(folder)))
        job = TrialJob(number, values, folder, self._state.stop_time(number))
        return self._train(job, lambda epochs, metrics: self._report(number, epochs, metrics))

    def _report(self, number: int, epochs: int, metrics: Mapping[str, float]) -> bool:
        """Tell what an epoch measured, and return whether the trial goes on.

        Raises:
            FailedTrialError: the metric is no finite number, or this trial alone has none of it.
            LostTrialError: another worker has the trial.
            UserError: the plan names a metric that there is none of.
        """
        name = self._plan.watched.metric
        if name not in metrics:
            told = f"searcher.metric={name}: choose one of {', '.join(sorted(metrics))}"
            has_measured = any(trial.curve for trial in self._state.trials)
            raise FailedTrialError(told) if has_measured else UserError(told)
        if not isfinite(metrics[name]):
            raise FailedTrialError(f"{name} is {metrics[name]}")
        self._tell(Reported(number, self.name, epochs, metrics[name]))
        if not self._holds(number):
            raise LostTrialError
        # One that was decided on may have lost its files, and trains to that epoch once more.
        stop = self._state.stop_time(number)
        return stop is None or epochs < stop

    def _refuse_impossible(self, reason: str) -> None:
        """Refuse a plan of which as many trials in a row are impossible as it is to have in all.

        Determined's master replaces them without end. Those of a grid are not replaced.

        Raises:
            UserError: it is such.
        """
        searcher = self._plan.searcher
        if not isinstance(searcher, Random | AdaptiveAsha):
            return
        count = count_impossible(self._state.trials)
        if count >= max(_FEWEST_IMPOSSIBLE, searcher.max_trials):
            raise UserError(
                f"{count} trials in a row were impossible, and none of them trained; the last for "
                f"this: {reason}; change hyperparameters in the file of the sweep"
            )

    def _holds(self, number: int) -> bool:
        return self._state.trials[number].worker == self.name

    def _tell(self, event: Event) -> None:
        """Log an event, follow the log to it, and show what became of its trial."""
        with self._held_back():
            self._log.append(event, time.time())
            self._catch_up()
            self._show(self._state.trials[event.trial])

    def _catch_up(self) -> SweepState:
        with self._held_back():
            for logged in self._log.read(self._state.applied - 1):
                self._state.apply(logged)
        return self._state
