"""One worker of a sweep: take a trial on, train it, tell the log what happened, take the next."""

import time
import traceback
from collections.abc import Callable, Mapping
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
from seentwice.sweeps.plan import AdaptiveAsha, Plan
from seentwice.sweeps.space import Value
from seentwice.sweeps.state import SweepState
from seentwice.sweeps.trials import Trial
from seentwice.sweeps.values import Sampler, choose_values

Measured = Callable[[int, Mapping[str, float]], bool]
"""Called with (epochs done, metrics by name) after every epoch; says whether to go on."""


class ImpossibleTrialError(Exception):
    """A trial's hyperparameters make nothing that can be trained."""


class DivergedTrialError(Exception):
    """A trial's loss is no number any more."""


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
    DivergedTrialError: its loss is no number any more.
    UserError: what is wrong is wrong for every trial.
"""

MOST_IMPOSSIBLE = 20  # trials in a row from the first, before the plan is taken to be wrong
_EPOCHS = "epochs"
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
    ) -> None:
        """Take what it works with.

        Args:
            name: of this worker, like no other's.
            plan: of the sweep.
            log: of the sweep.
            folder: of the sweep's files; a trial gets one in it.
            sampler: who chooses the trials' values.
            train: trains one trial.
            tidy: removes from a trial's folder what only a training that goes on needs.
            show: told of every change of a trial that this worker holds.
            wait: called where others have all open trials; returns after a while.
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
            number = self._state.next_trial(alive=lambda worker: True)
            if number is None:
                self._wait()
                continue
            self._tell(Claimed(number, self.name))
            if self._holds(number):
                self._take_on(number)

    def _take_on(self, number: int) -> None:
        """Train a trial that this worker holds, and tell how that ended."""
        folder = self._folder / "trials" / f"{number:04}"
        values = choose_values(self._plan, self._sampler, self._state.trials, number)
        self._tell(Began(number, self.name, values, str(folder)))
        folder.mkdir(parents=True, exist_ok=True)
        job = TrialJob(number, values, folder, self._state.stop_time(number))
        try:
            checkpoint = self._train(job, lambda epochs, all_: self._report(number, epochs, all_))
        except LostTrialError:
            return
        except ImpossibleTrialError as error:
            self._tell(Withdrawn(number, self.name, str(error)))
            self._check_possible()
        except DivergedTrialError as error:
            self._tell(Failed(number, self.name, str(error)))
        except (KeyboardInterrupt, UserError):
            self._tell(Released(number, self.name))
            raise
        except Exception as error:  # whatever it is, the other trials go on
            (folder / _CRASH_FILE).write_text(traceback.format_exc(), encoding="utf-8")
            told = f"{type(error).__name__}: {error} (see {folder / _CRASH_FILE})"
            self._tell(Crashed(number, self.name, told))
        else:
            self._tell(Concluded(number, self.name, str(checkpoint)))
            self._tidy(folder)

    def _report(self, number: int, epochs: int, metrics: Mapping[str, float]) -> bool:
        """Tell what an epoch measured, and return whether the trial goes on.

        Raises:
            DivergedTrialError: the metric is no finite number.
            LostTrialError: another worker has the trial.
            UserError: the plan names a metric that there is none of.
        """
        known = {**metrics, _EPOCHS: epochs}
        metric = _metric(self._plan.watched.metric, "searcher.metric", known)
        searcher = self._plan.searcher
        trained = _metric(
            searcher.time_metric if isinstance(searcher, AdaptiveAsha) else _EPOCHS,
            "searcher.time_metric",
            known,
        )
        if not isfinite(metric):
            raise DivergedTrialError(f"{self._plan.watched.metric} is {metric}")
        self._tell(Reported(number, self.name, int(trained), metric))
        if not self._holds(number):
            raise LostTrialError
        return self._state.stop_time(number) is None

    def _check_possible(self) -> None:
        """Refuse a plan of which every trial so far is impossible.

        Raises:
            UserError: it is.
        """
        trials = [trial for trial in self._state.trials if trial.status != "waiting"]
        impossible = [trial for trial in trials if trial.status == "impossible"]
        if len(impossible) == len(trials) >= MOST_IMPOSSIBLE:
            raise UserError(
                f"all of the first {len(trials)} trials are impossible, the last for this: "
                f"{impossible[-1].error}"
            )

    def _holds(self, number: int) -> bool:
        return self._state.trials[number].worker == self.name

    def _tell(self, event: Event) -> None:
        """Log an event, follow the log to it, and show what became of its trial."""
        self._log.append(event, time.time())
        self._catch_up()
        self._show(self._state.trials[event.trial])

    def _catch_up(self) -> SweepState:
        for logged in self._log.read(self._state.applied - 1):
            self._state.apply(logged)
        return self._state


def _metric(name: str, key: str, known: Mapping[str, float]) -> float:
    if name not in known:
        raise UserError(f"{key}={name}: choose one of {', '.join(sorted(known))}")
    return known[name]
