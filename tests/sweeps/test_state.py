"""What a sweep has come to: by hand, and by random workers that claim, die, report and crash."""

import itertools
import random
from collections import defaultdict

import pytest
from example_plans import plan_asha, plan_with
from hypothesis import given
from hypothesis import strategies as st

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
from seentwice.sweeps.plan import Plan, Random, Single
from seentwice.sweeps.searcher import Create, Decision, Stop
from seentwice.sweeps.state import SweepState
from seentwice.sweeps.trials import Interruption, Point


def apply_all(state: SweepState, *events: Event) -> list[list[Decision]]:
    """Log the events after those that the state knows; event n is written at second n."""
    start = state.applied
    return [
        state.apply(LoggedEvent(start + place, float(start + place), event))
        for place, event in enumerate(events)
    ]


def test_a_sweep_by_hand():
    state = SweepState(plan_asha())  # four trials of four epochs, rungs 1, 2, 4, two at once
    assert [trial.status for trial in state.trials] == ["waiting", "waiting"]
    assert state.next_trial() == 0
    decided = apply_all(
        state,
        Claimed(0, "a"),
        Began(0, "a", {"lr": 0.1}, "/a/0"),
        Claimed(1, "b"),
        Began(1, "b", {"lr": 0.2}, "/b/1"),
        Reported(0, "a", 1, 0.5),
        Reported(1, "b", 1, 0.6),
    )
    assert decided == [[], [], [], [], [], [Stop(1), Create(2, 0)]]
    first, second, third = state.trials
    assert (first.status, first.rungs, first.worker) == ("running", 1, "a")
    assert first.values == {"lr": 0.1}
    assert first.curve == (Point(1, 0.5, 4.0),)
    assert (second.status, second.rungs, second.checkpoint) == ("stopped", 0, "")
    assert (third.status, third.values, third.worker) == ("waiting", {}, "")
    assert state.stop_time(1) == 1
    assert state.stop_time(0) is None
    assert state.next_trial() == 2
    apply_all(state, Released(1, "b", "gone"))
    assert state.next_trial() == 1  # its checkpoint is not written
    apply_all(state, Claimed(1, "b"))

    apply_all(
        state,
        Concluded(1, "b", "/b/1/best.ckpt"),
        Reported(0, "a", 2, 0.45),
        Reported(0, "a", 3, 0.7),
        Reported(0, "a", 4, 0.6),
        Concluded(0, "a", "/a/0/best.ckpt"),
    )
    first, second, *_ = state.trials
    assert (second.status, second.checkpoint, second.worker) == ("stopped", "/b/1/best.ckpt", "")
    assert (first.status, first.rungs, first.folder) == ("finished", 2, "/a/0")
    assert state.best == first
    assert not state.is_over


def test_the_first_claim_counts():
    state = SweepState(plan_asha())
    apply_all(state, Claimed(0, "a"), Claimed(0, "b"))
    assert state.trials[0].worker == "a"
    apply_all(state, Claimed(9, "b"), Released(0, "b", "gone"), Claimed(0, "b"))
    assert state.trials[0].worker == "a"
    apply_all(state, Released(0, "a", "gone"), Claimed(0, ""))
    assert (state.trials[0].worker, state.trials[0].status) == ("", "waiting")
    assert state.next_trial() == 0
    apply_all(state, Claimed(0, "b"), Claimed(0, "c"))
    assert state.trials[0].worker == "b"


def test_what_a_worker_tells_of_a_trial_that_it_lost_is_void():
    state = SweepState(plan_asha())
    decided = apply_all(
        state,
        Claimed(0, "a"),
        Began(0, "a", {"lr": 0.1}, "/a"),
        Released(0, "a", "gone"),
        Claimed(0, "b"),
        Reported(0, "a", 1, 0.1),
        Concluded(0, "a", "/a/best.ckpt"),
        Crashed(0, "a", "late"),
        Failed(0, "a", "late"),
        Withdrawn(0, "a", "late"),
        Released(0, "a", "gone"),
        Began(0, "a", {"lr": 0.3}, "/late"),
    )
    assert not any(decided)
    trial = state.trials[0]
    assert (trial.worker, trial.status, trial.curve, trial.error) == ("b", "running", (), "")
    assert trial.folder == "/a"
    # So is what comes from nobody, of a trial that nobody has.
    assert apply_all(state, Failed(1, "", "nobody")) == [[]]
    assert state.trials[1].status == "waiting"


def test_a_trial_that_begins_again_keeps_its_values():
    state = SweepState(plan_asha())
    apply_all(
        state,
        Claimed(0, "a"),
        Began(0, "a", {"lr": 0.1}, "/a"),
        Released(0, "a", "gone"),
        Claimed(0, "b"),
        Began(0, "b", {"lr": 0.3}, "/b"),
    )
    assert state.trials[0].values == {"lr": 0.1}
    assert state.trials[0].folder == "/b"


def test_an_epoch_that_is_trained_again_counts_once():
    state = SweepState(plan_asha())
    apply_all(state, Claimed(0, "a"), Claimed(1, "b"), Reported(0, "a", 1, 0.5))
    assert apply_all(state, Reported(0, "a", 1, 0.1)) == [[]]
    assert state.trials[0].curve == (Point(1, 0.5, 2.0),)
    assert apply_all(state, Reported(1, "b", 1, 0.4)) == [[]]  # first of two, not second of three


def test_a_trial_trains_no_further_than_it_was_decided():
    state = SweepState(plan_asha())
    apply_all(state, Claimed(0, "a"), Claimed(1, "b"))
    apply_all(state, Reported(0, "a", 1, 0.5), Reported(1, "b", 1, 0.6), Reported(1, "b", 2, 0.1))
    assert len(state.trials[1].curve) == 1
    assert state.stop_time(1) == 1
    # Whoever takes it on concludes it.
    apply_all(state, Released(1, "b", "gone"), Claimed(1, "c"))
    assert (state.trials[1].worker, state.trials[1].status) == ("c", "stopped")
    apply_all(state, Released(1, "c", "gone"))
    assert state.trials[1].status == "stopped"
    assert state.next_trial() == 1


def test_every_worker_that_a_trial_lost_is_told_with_when_and_why():
    state = SweepState(plan_asha(max_restarts=2))
    apply_all(state, Claimed(0, "a"), Released(0, "a", "stopped"), Claimed(0, "b"))
    apply_all(state, Reported(0, "b", 1, 0.5), Crashed(0, "b", "no memory"), Claimed(0, "c"))
    apply_all(state, Released(0, "b", "late"), Reported(0, "c", 2, 0.4), Released(0, "c", "gone"))
    lost = (Interruption(0, "stopped"), Interruption(1, "no memory"), Interruption(2, "gone"))
    assert state.trials[0].interruptions == lost
    assert (state.trials[0].restarts, state.trials[0].error) == (1, "no memory")
    # What ends a trial is no interruption.
    apply_all(state, Claimed(0, "d"), Failed(0, "d", "loss is nan"))
    assert state.trials[0].interruptions == lost
    assert state.trials[1].interruptions == ()


def test_a_trial_that_crashes_too_often_has_failed():
    state = SweepState(plan_asha(max_restarts=1))
    assert apply_all(state, Claimed(0, "a"), Crashed(0, "a", "first")) == [[], []]
    trial = state.trials[0]
    assert (trial.status, trial.restarts, trial.error) == ("waiting", 1, "first")
    assert state.next_trial() == 0
    # The second is told by another worker in the name of one that is gone.
    assert apply_all(state, Claimed(0, "b"), Crashed(0, "b", "second")) == [[], [Create(2, 0)]]
    trial = state.trials[0]
    assert (trial.status, trial.restarts, trial.error) == ("failed", 1, "second")
    assert state.is_settled(0)
    assert state.next_trial() == 1
    assert apply_all(state, Claimed(0, "c"), Reported(0, "c", 1, 0.1)) == [[], []]
    assert state.trials[0].curve == ()


def test_a_trial_that_crashes_once_it_is_decided_on_is_still_to_be_concluded():
    state = SweepState(plan_asha(max_restarts=1))
    apply_all(state, Claimed(0, "a"), Reported(0, "a", 4, 0.5))
    assert state.trials[0].status == "finished"
    apply_all(state, Crashed(0, "a", "no room"))
    assert state.trials[0].status == "finished"
    assert state.next_trial() == 0
    assert state.best == state.trials[0]
    other = SweepState(plan_asha(max_restarts=1))
    apply_all(other, Claimed(0, "a"), Crashed(0, "a", "no room"), Claimed(0, "a"))
    apply_all(other, Concluded(0, "a", "/checkpoint"))
    assert other.trials[0].error == ""  # the crash is one of its interruptions
    apply_all(state, Claimed(0, "a"), Crashed(0, "a", "no room"))
    assert state.trials[0].status == "failed"  # without a checkpoint it wins nothing
    assert state.best is None


def test_failed_and_impossible_trials_win_nothing():
    state = SweepState(plan_asha())
    apply_all(state, *(Claimed(trial, "ab"[trial]) for trial in range(2)))
    apply_all(state, Reported(0, "a", 1, 0.1), Reported(1, "b", 1, 0.05))
    assert state.best == state.trials[1]
    assert apply_all(state, Failed(1, "b", "loss is nan")) == [[Create(2, 0)]]
    assert state.best == state.trials[0]
    assert apply_all(state, Withdrawn(0, "a", "no such layer")) == [[Create(3, 0)]]
    assert state.trials[0].status == "impossible"
    assert state.trials[0].error == "no such layer"
    assert state.best is None


def test_of_equals_the_first_is_best_and_larger_may_be_better():
    state = SweepState(plan_asha(smaller_is_better=False))
    apply_all(state, Claimed(0, "a"), Claimed(1, "b"))
    apply_all(state, Reported(1, "b", 1, 0.7), Reported(0, "a", 1, 0.7), Reported(0, "a", 2, 0.2))
    assert state.best == state.trials[0]


def test_a_search_without_rungs_ends_when_its_trials_do():
    state = SweepState(plan_with(Random(max_trials=2, max_concurrent_trials=1)))
    decided = apply_all(state, Claimed(0, "a"), Reported(0, "a", 9, 0.5), Concluded(0, "a", "/0"))
    assert decided == [[], [], [Create(1, 0)]]
    assert state.trials[0].status == "finished"
    apply_all(state, Claimed(1, "a"), Concluded(1, "a", "/1"))
    assert state.is_over
    assert state.next_trial() is None
    assert SweepState(plan_with(Single())).next_trial() == 0


def test_an_event_that_is_left_out_is_an_error():
    state = SweepState(plan_asha())
    with pytest.raises(ValueError, match="event 1 is not event 0, the next one"):
        state.apply(LoggedEvent(1, 0.0, Claimed(0, "a")))


class Reference:
    """The rules once more, beside a bare searcher that is fed with what is accepted."""

    def __init__(self, plan: Plan) -> None:
        self.searcher = plan.open_searcher()
        self.created = len(self.searcher.start())
        self.max_restarts = plan.max_restarts
        self.holder: dict[int, str] = {}
        self.times: dict[int, list[int]] = defaultdict(list)
        self.crashes: dict[int, int] = defaultdict(int)
        self.stopped: set[int] = set()
        self.done: set[int] = set()

    def apply(self, event: Event) -> list[Decision]:
        decisions = self._decide(event)
        self.created += sum(isinstance(decision, Create) for decision in decisions)
        self.stopped |= {decision.trial for decision in decisions if isinstance(decision, Stop)}
        return decisions

    def _decide(self, event: Event) -> list[Decision]:
        trial = event.trial
        if trial in self.done:
            return []
        if isinstance(event, Claimed):
            if not self.holder.get(trial):
                self.holder[trial] = event.worker
            return []
        if self.holder.get(trial) != event.worker:
            return []
        if isinstance(event, Reported):
            if event.time in self.times[trial] or trial in self.stopped:
                return []
            self.times[trial].append(event.time)
            return self.searcher.report(trial, event.time, event.metric)
        if isinstance(event, Released):
            del self.holder[trial]
        if isinstance(event, Crashed):
            self.crashes[trial] += 1
            del self.holder[trial]
            if self.crashes[trial] > self.max_restarts:
                self.done.add(trial)
                return self.searcher.fail(trial)
        if isinstance(event, Concluded | Failed | Withdrawn):
            self.done.add(trial)
            call = {Concluded: "finish", Failed: "fail", Withdrawn: "withdraw"}[type(event)]
            return getattr(self.searcher, call)(trial)
        return []


class Workers:
    """Random workers of one sweep; what they send may reach the log late, or after their death."""

    def __init__(self, plan: Plan, chance: random.Random, misfortunes: int) -> None:
        self.state = SweepState(plan)
        self.chance = chance
        self.misfortunes = misfortunes
        self.names = map(str, itertools.count())
        self.alive: set[str] = set()
        self.sent: list[Event] = []  # not yet in the log
        self.log: list[LoggedEvent] = []

    def step(self) -> LoggedEvent | None:
        """Let somebody do something; return the event that reaches the log, if one does."""
        if len(self.alive) < 2:
            self.alive.add(next(self.names))
        worker = self.chance.choice(sorted(self.alive))
        if not any(event.worker == worker for event in self.sent):
            self.sent.append(self._act(worker))
        if self._has_bad_luck():
            self.alive.discard(worker)
        if self._has_bad_luck() or not self.sent:
            return None
        event = self.sent.pop(self.chance.randrange(len(self.sent)))
        logged = LoggedEvent(len(self.log), 0.0, event)
        self.log.append(logged)
        return logged

    def _has_bad_luck(self) -> bool:
        unlucky = self.misfortunes > 0 and self.chance.random() < 0.1
        self.misfortunes -= unlucky
        return unlucky

    def _act(self, worker: str) -> Event:
        held = [trial for trial in self.state.trials if trial.worker == worker]
        if not held:
            for trial in self.state.trials:
                if trial.worker not in ("", *self.alive):
                    return Released(trial.number, trial.worker, "gone")
            number = self.state.next_trial()
            if number is None:  # a claim of what is another's
                number = self.chance.randrange(len(self.state.trials))
            return Claimed(number, worker)
        (trial,) = held  # no worker has two
        if self._has_bad_luck():
            whys = (Released, Crashed, Failed, Withdrawn)
            kinds = [kind(trial.number, worker, "why") for kind in whys]
            kinds.append(Began(trial.number, worker, {}, "/again"))
            return self.chance.choice(kinds)
        if self.state.stop_time(trial.number) is not None:
            return Concluded(trial.number, worker, "/checkpoint")
        if not trial.folder:
            return Began(trial.number, worker, {}, "/folder")
        time = trial.curve[-1].time if trial.curve else 0
        time += self.chance.choice([0, 1, 1, 2])  # one of them again, or one left out
        return Reported(trial.number, worker, max(time, 1), float(self.chance.randint(0, 5)))


@given(
    trials=st.integers(1, 12),
    time=st.integers(1, 9),
    concurrent=st.integers(0, 5),
    max_restarts=st.integers(0, 2),
    misfortunes=st.integers(0, 40),
    chance=st.randoms(use_true_random=False),
)
def test_workers_that_die_crash_and_meet_never_lose_a_trial(
    trials, time, concurrent, max_restarts, misfortunes, chance
):
    plan = plan_asha(trials, time, concurrent, max_restarts=max_restarts)
    workers, reference = Workers(plan, chance, misfortunes), Reference(plan)
    state = workers.state
    decided = []
    for _ in range(5000):
        if state.is_over:
            break
        logged = workers.step()
        if logged is None:
            continue
        decided.append(state.apply(logged))
        assert decided[-1] == reference.apply(logged.event)
        assert len(state.trials) == reference.created
        for trial in state.trials:
            assert trial.worker == (
                "" if trial.number in reference.done else reference.holder.get(trial.number, "")
            )
            assert state.is_settled(trial.number) == (trial.number in reference.done)
            if not state.is_settled(trial.number) and not trial.worker:
                assert state.next_trial() <= trial.number
    assert state.is_over
    assert isinstance(reference.searcher, Asha)
    assert reference.searcher.running == ()
    assert [len(trial.curve) for trial in state.trials] == [
        len(reference.times[trial.number]) for trial in state.trials
    ]

    # Whoever reads the log later, at once or with pauses, knows the same.
    again = SweepState(plan)
    assert [again.apply(logged) for logged in workers.log] == decided
    assert again.trials == state.trials
    assert again.best == state.best
    numbers = range(len(state.trials))
    assert list(map(again.stop_time, numbers)) == list(map(state.stop_time, numbers))
