"""What a sweep has come to, by its log.

No clock, no chance and no file is in it: every process that applies the same events has the same
trials and makes the same decisions, whichever machine it runs on and whenever it began to read.
"""

from dataclasses import replace

from seentwice.sweeps.asha import Asha
from seentwice.sweeps.events import (
    Began,
    Claimed,
    Concluded,
    Crashed,
    Event,
    Failed,
    LoggedEvent,
    Released,
    Reported,
    Withdrawn,
)
from seentwice.sweeps.plan import Plan
from seentwice.sweeps.ranking import find_best, trained_time
from seentwice.sweeps.searcher import Create, Decision, Stop
from seentwice.sweeps.trials import Interruption, Point, Status, Trial


class SweepState:
    """The trials of a sweep and the searcher that decides on them."""

    def __init__(self, plan: Plan) -> None:
        """Create the trials to begin with; nobody holds them.

        Raises:
            UserError: the plan has no searcher, see `Plan.open_searcher`.
        """
        self.plan = plan
        self.applied = 0  # events; the number of the next one
        self._searcher = plan.open_searcher()
        self._trials: list[Trial] = []
        self._stops: dict[int, int] = {}
        self._settled: set[int] = set()
        self._create(self._searcher.start())

    def apply(self, logged: LoggedEvent) -> list[Decision]:
        """Take the next event of the log and return what is decided by it.

        An event is void, and decides nothing, where its trial is settled or does not exist, where
        its worker does not hold the trial, or where it repeats what was told before.

        Raises:
            ValueError: it is not the next one.
        """
        if logged.number != self.applied:
            raise ValueError(f"event {logged.number} is not event {self.applied}, the next one")
        self.applied += 1
        event = logged.event
        if not 0 <= event.trial < len(self._trials) or event.trial in self._settled:
            return []
        holder = self._trials[event.trial].worker
        if isinstance(event, Claimed):
            if event.worker and not holder:
                self._claim(event)
            return []
        return self._follow(event, logged.at) if event.worker and event.worker == holder else []

    @property
    def trials(self) -> tuple[Trial, ...]:
        """All trials that were created, by their numbers."""
        return tuple(self._trials)

    def next_trial(self) -> int | None:
        """Return the trial that a worker should claim: the first that is open and that nobody has.

        One that was decided to stop is open until its checkpoint is written.

        Returns:
            Its number; None where every open trial has a worker.
        """
        free = (trial.number for trial in self._trials if not trial.worker)
        return next((number for number in free if number not in self._settled), None)

    def stop_time(self, trial: int) -> int | None:
        """Return the training time at which it was decided to stop a trial, None if it was not."""
        return self._stops.get(trial)

    def is_settled(self, trial: int) -> bool:
        """Say whether nothing is left to do for a trial."""
        return trial in self._settled

    @property
    def is_over(self) -> bool:
        """Whether every trial is settled and no other will be created."""
        return len(self._settled) == len(self._trials)

    @property
    def best(self) -> Trial | None:
        """The trial with the best metric at any time, the first of equals.

        One that failed or was impossible is never it, one that still runs may be.
        """
        return find_best(self._trials, self.plan.watched.smaller_is_better)

    def _claim(self, event: Claimed) -> None:
        trial = self._trials[event.trial]
        status: Status = "running" if trial.status == "waiting" else trial.status
        self._trials[event.trial] = replace(trial, worker=event.worker, status=status)

    def _follow(self, event: Event, at: float) -> list[Decision]:
        """Take an event of the worker that holds the trial."""
        match event:
            case Began():
                self._begin(event)
            case Released():
                self._free(event.trial, event.why)
            case Reported():
                return self._report(event, at)
            case Crashed():
                return self._crash(event)
            case Failed():
                return self._fail(event.trial, event.error)
            case Withdrawn():
                self._settle(event.trial, "impossible", error=event.reason)
                return self._create(self._searcher.withdraw(event.trial))
            case Concluded():
                status: Status = "finished"
                if event.trial in self._stops:
                    status = self._trials[event.trial].status
                self._settle(event.trial, status, checkpoint=event.checkpoint)
                return self._create(self._searcher.finish(event.trial))
        return []

    def _begin(self, event: Began) -> None:
        trial = self._trials[event.trial]
        values = trial.values if trial.folder else event.values
        self._trials[event.trial] = replace(trial, values=values, folder=event.folder)

    def _free(self, number: int, why: str) -> None:
        trial = self._trials[number]
        status: Status = "waiting" if trial.status == "running" else trial.status
        interruptions = (*trial.interruptions, Interruption(trained_time(trial), why))
        self._trials[number] = replace(trial, worker="", status=status, interruptions=interruptions)

    def _report(self, event: Reported, at: float) -> list[Decision]:
        trial = self._trials[event.trial]
        is_old = bool(trial.curve) and event.time <= trial.curve[-1].time  # of a resumed epoch
        if is_old or event.trial in self._stops:
            return []
        decisions = self._searcher.report(event.trial, event.time, event.metric)
        status = trial.status
        if Stop(event.trial) in decisions:
            self._stops[event.trial] = event.time
            status = "finished" if self._is_at_end(trial) else "stopped"
        self._trials[event.trial] = replace(
            trial,
            curve=(*trial.curve, Point(event.time, event.metric, at)),
            rungs=self._count_rungs(event.trial),
            status=status,
        )
        return self._create(decisions)

    def _crash(self, event: Crashed) -> list[Decision]:
        trial = self._trials[event.trial]
        if trial.restarts == self.plan.max_restarts:
            return self._fail(event.trial, event.error)
        self._trials[event.trial] = replace(trial, restarts=trial.restarts + 1, error=event.error)
        self._free(event.trial, event.error)
        return []

    def _fail(self, number: int, error: str) -> list[Decision]:
        self._settle(number, "failed", error=error)
        return self._create(self._searcher.fail(number))

    def _settle(self, number: int, status: Status, checkpoint: str = "", error: str = "") -> None:
        self._settled.add(number)
        trial = self._trials[number]
        self._trials[number] = replace(
            trial, status=status, worker="", checkpoint=checkpoint, error=error
        )

    def _create(self, decisions: list[Decision]) -> list[Decision]:
        for decision in decisions:
            if isinstance(decision, Create):
                self._trials.append(_new_trial(decision))
        return decisions

    def _count_rungs(self, trial: int) -> int:
        return self._searcher.rung_of(trial) if isinstance(self._searcher, Asha) else 0

    def _is_at_end(self, trial: Trial) -> bool:
        """Say whether a trial that is stopped has come to its bracket's last rung."""
        if not isinstance(self._searcher, Asha):
            return False
        last = len(self._searcher.brackets[trial.bracket].rungs) - 1
        return self._searcher.rung_of(trial.number) == last


def _new_trial(created: Create) -> Trial:
    return Trial(
        number=created.trial,
        bracket=created.bracket,
        status="waiting",
        values={},
        curve=(),
        rungs=0,
        worker="",
        folder="",
        checkpoint="",
        restarts=0,
        error="",
        interruptions=(),
    )
