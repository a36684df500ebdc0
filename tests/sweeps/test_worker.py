"""What a worker makes of a sweep, with trainings that cost nothing."""

from collections.abc import Callable, Mapping
from contextlib import nullcontext
from math import nan
from pathlib import Path

import pytest

from seentwice.errors import UserError
from seentwice.sweeps.asha import Asha
from seentwice.sweeps.events import Claimed, Event, LoggedEvent, Released, Reported
from seentwice.sweeps.plan import Plan, read_plan
from seentwice.sweeps.searcher import Create, Stop
from seentwice.sweeps.state import SweepState
from seentwice.sweeps.trials import Interruption, Trial
from seentwice.sweeps.values import Sampler
from seentwice.sweeps.worker import (
    FailedTrialError,
    ImpossibleTrialError,
    Measured,
    TrialJob,
    Worker,
)

PLAN = """\
name: small
entrypoint: python3 -m seentwice.commands.train
max_restarts: 1
searcher:
  name: adaptive_asha
  metric: loss
  time_metric: epochs
  max_time: 4
  max_trials: 6
  divisor: 2
  mode: aggressive
hyperparameters:
  x: {type: double, minval: 0.0, maxval: 1.0}
"""
EPOCHS = 4


class ListLog:
    """A log that no other process reads."""

    def __init__(self) -> None:
        self.events: list[LoggedEvent] = []

    def append(self, event: Event, at: float) -> LoggedEvent:
        self.events.append(LoggedEvent(len(self.events), at, event))
        return self.events[-1]

    def read(self, after: int = -1) -> list[LoggedEvent]:
        return self.events[after + 1 :]


@pytest.fixture
def plan(tmp_path: Path) -> Plan:
    path = tmp_path / "plan.yaml"
    path.write_text(PLAN)
    return read_plan(path)


def loss_of(values: Mapping[str, object], epoch: int) -> float:
    x = values["x"]
    assert isinstance(x, float)
    return x + 1 / epoch


def train(job: TrialJob, measured: Measured) -> Path:
    """Train as the real one does, from the last epoch of its folder on."""
    job.folder.mkdir(parents=True, exist_ok=True)
    kept = job.folder / "epochs"
    done = int(kept.read_text()) if kept.exists() else 0
    while done < (job.stop_after or EPOCHS):
        done += 1
        goes_on = measured(done, {"loss": loss_of(job.values, done)})
        kept.write_text(str(done))
        if not goes_on:
            break
    return job.folder / "checkpoint"


def state_of(plan: Plan, log: ListLog) -> SweepState:
    state = SweepState(plan)
    for logged in log.events:
        state.apply(logged)
    return state


Train = Callable[[TrialJob, Measured], Path]


def nobody() -> None:
    raise AssertionError("nobody else is there to wait for")


def make_worker(
    plan: Plan,
    log: ListLog,
    folder: Path,
    trains: Train,
    name: str = "me",
    seen: list[Trial] | None = None,
    wait: Callable[[], None] = nobody,
) -> Worker:
    show: Callable[[Trial], None] = (lambda trial: None) if seen is None else seen.append
    return Worker(
        name,
        plan,
        log,  # type: ignore[arg-type]
        folder,
        Sampler.SEARCHER,
        trains,
        lambda folder: (folder / "tidied").touch(),
        show,
        wait,
        nullcontext,
    )


def test_a_worker_trains_until_all_is_decided_as_the_bare_searcher_decides(
    plan: Plan, tmp_path: Path
) -> None:
    log = ListLog()
    seen: list[Trial] = []
    make_worker(plan, log, tmp_path, train, seen=seen).work()
    state = state_of(plan, log)
    assert state.is_over
    asha = plan.open_searcher()
    assert isinstance(asha, Asha)
    created = [one.trial for one in asha.start() if isinstance(one, Create)]
    stopped: dict[int, int] = {}
    # One worker takes the trials in their order, each to its end.
    for number in created:
        for epoch in range(1, EPOCHS + 1):
            values = plan.values_of(number, plan.seed)
            decisions = asha.report(number, epoch, loss_of(values, epoch))
            created += [one.trial for one in decisions if isinstance(one, Create)]
            if Stop(number) in decisions:
                stopped[number] = epoch
                break
    assert {trial.number: trial.curve[-1].time for trial in state.trials} == stopped
    assert len(set(stopped.values())) > 1  # some were stopped early
    for trial in state.trials:
        assert trial.status == ("finished" if stopped[trial.number] == EPOCHS else "stopped")
        assert trial.checkpoint == str(tmp_path / "trials" / f"{trial.number:04}" / "checkpoint")
        assert [point.time for point in trial.curve] == [*range(1, stopped[trial.number] + 1)]
        assert (tmp_path / "trials" / f"{trial.number:04}" / "tidied").exists()
    assert seen[-1] == state.trials[seen[-1].number]


def test_a_loss_that_is_no_number_ends_the_trial_and_never_wins(plan: Plan, tmp_path: Path) -> None:
    def diverges(job: TrialJob, measured: Measured) -> Path:
        if job.number == 0:
            measured(1, {"loss": -100.0})  # better than all
            measured(2, {"loss": nan})
        if job.number == 1:
            raise FailedTrialError("the weights are no numbers")
        return train(job, measured)

    log = ListLog()
    make_worker(plan, log, tmp_path, diverges).work()
    state = state_of(plan, log)
    first, second = state.trials[:2]
    assert (first.status, first.error) == ("failed", "loss is nan")
    assert (second.status, second.error) == ("failed", "the weights are no numbers")
    assert state.best is not None
    assert state.best.number > 1


def test_a_crash_goes_on_from_the_last_epoch_as_often_as_the_plan_says(
    plan: Plan, tmp_path: Path
) -> None:
    begun: list[tuple[int, int]] = []

    def crashes(job: TrialJob, measured: Measured) -> Path:
        begun.append((job.number, len(log.events)))
        if job.number == 0:

            def report(epoch: int, metrics: Mapping[str, float]) -> bool:
                goes_on = measured(epoch, metrics)
                if epoch == 1 and len(begun) == 1:
                    raise RuntimeError("out of memory\nfor once")
                return goes_on

            return train(job, report)
        if job.number == 1:
            raise KeyError("again and again")
        return train(job, measured)

    log = ListLog()
    make_worker(plan, log, tmp_path, crashes).work()
    state = state_of(plan, log)
    first, second = state.trials[:2]
    assert (first.restarts, first.status) == (1, "finished")
    (interruption,) = first.interruptions
    crash = tmp_path / "trials" / "0000" / "crash.txt"
    assert interruption.time == 1
    assert "RuntimeError: out of memory" in interruption.why
    assert str(crash) in interruption.why
    assert first.error == ""  # it ended well
    assert "in report" in crash.read_text()
    assert (second.restarts, second.status) == (plan.max_restarts, "failed")
    assert [number for number, _ in begun].count(1) == 1 + plan.max_restarts
    # The crash came before the epoch was kept: it is trained again, and told again.
    told = [one.event for one in log.events if isinstance(one.event, Reported)]
    assert [event.time for event in told if event.trial == 0] == [1, 1, 2, 3, 4]
    assert [point.time for point in first.curve] == [1, 2, 3, 4]


def test_impossible_values_are_replaced(plan: Plan, tmp_path: Path) -> None:
    def refuses(job: TrialJob, measured: Measured) -> Path:
        if job.number in (0, 2):
            raise ImpossibleTrialError("head.x: no such layer")
        return train(job, measured)

    log = ListLog()
    make_worker(plan, log, tmp_path, refuses).work()
    state = state_of(plan, log)
    assert [trial.number for trial in state.trials if trial.status == "impossible"] == [0, 2]
    assert len(state.trials) == 6 + 2
    assert state.trials[0].error == "head.x: no such layer"


def test_a_plan_of_impossible_values_alone_ends(plan: Plan, tmp_path: Path) -> None:
    def refuses(job: TrialJob, measured: Measured) -> Path:
        raise ImpossibleTrialError("head.x: no such layer")

    log = ListLog()
    for count in (10, 11):  # given again, it tries one more
        with pytest.raises(UserError, match=rf"{count} trials in a row were imp.*no such layer;"):
            make_worker(plan, log, tmp_path, refuses).work()


def test_impossible_trials_between_those_that_train_are_no_fault(
    plan: Plan, tmp_path: Path
) -> None:
    def refuses(job: TrialJob, measured: Measured) -> Path:
        if job.number % 10 != 9:
            raise ImpossibleTrialError("head.x: no such layer")
        return train(job, measured)

    log = ListLog()
    make_worker(plan, log, tmp_path, refuses).work()
    trained = [trial.number for trial in state_of(plan, log).trials if trial.curve]
    assert trained == [9, 19, 29, 39, 49, 59]


@pytest.mark.parametrize(
    ("end", "why"),
    [
        (KeyboardInterrupt(), "its worker was stopped"),
        (UserError("no photos there"), "no photos there"),
    ],
)
def test_what_ends_the_worker_gives_its_trial_back(
    plan: Plan, tmp_path: Path, end: BaseException, why: str
) -> None:
    def ends(job: TrialJob, measured: Measured) -> Path:
        if job.number == 0:
            measured(1, {"loss": 3.0})
            raise end
        return train(job, measured)

    log = ListLog()
    with pytest.raises(type(end)):
        make_worker(plan, log, tmp_path, ends).work()
    given_back = state_of(plan, log).trials[0]
    assert (given_back.status, given_back.worker, given_back.restarts) == ("waiting", "", 0)
    assert given_back.interruptions == (Interruption(1, why),)
    make_worker(plan, log, tmp_path, train, name="another").work()
    state = state_of(plan, log)
    assert state.is_over
    assert state.trials[0].values == given_back.values


def test_a_killed_worker_is_replaced_and_its_stopped_trial_is_only_concluded(
    plan: Plan, tmp_path: Path
) -> None:
    class Killed(BaseException):
        pass

    jobs: list[TrialJob] = []

    def kills(job: TrialJob, measured: Measured) -> Path:
        jobs.append(job)
        checkpoint = train(job, measured)
        if len(jobs) == 3:
            raise Killed  # decided on, but not concluded
        return checkpoint

    log = ListLog()
    with pytest.raises(Killed):
        make_worker(plan, log, tmp_path, kills, name="dead").work()
    number = jobs[-1].number
    before = state_of(plan, log)
    stop = before.stop_time(number)
    assert before.trials[number].worker == "dead"
    log.append(Released(number, "dead", "gone"), 0.0)  # as `LocalWorkers` tells it
    make_worker(plan, log, tmp_path, kills, name="next").work()
    assert jobs[3].number == number
    assert jobs[3].stop_after == stop
    told = [one.event for one in log.events if isinstance(one.event, Reported)]
    assert [event.time for event in told if event.trial == number] == [*range(1, (stop or 0) + 1)]
    assert state_of(plan, log).is_over


def test_a_worker_that_was_taken_for_dead_leaves_its_trial(plan: Plan, tmp_path: Path) -> None:
    trained: list[int] = []

    def loses(job: TrialJob, measured: Measured) -> Path:
        if job.number == 0 and not trained:
            trained.append(0)
            log.append(Released(0, "me", "gone"), 0.0)
            log.append(Claimed(0, "quick"), 0.0)
            measured(1, {"loss": 0.0})
            raise AssertionError("it is no more this worker's")
        return train(job, measured)

    log = ListLog()

    def wait() -> None:
        log.append(Released(0, "quick", "gone"), 0.0)

    make_worker(plan, log, tmp_path, loses, wait=wait).work()
    state = state_of(plan, log)
    assert state.is_over
    assert state.trials[0].curve[0].metric > 0


def test_one_whose_files_are_lost_trains_to_where_it_was_stopped(
    plan: Plan, tmp_path: Path
) -> None:
    class Killed(BaseException):
        pass

    def kills(job: TrialJob, measured: Measured) -> Path:
        train(job, measured)
        raise Killed  # decided on, but not concluded

    log = ListLog()
    with pytest.raises(Killed):
        make_worker(plan, log, tmp_path / "one", kills, name="dead").work()
    stop = state_of(plan, log).stop_time(0)
    assert stop == EPOCHS
    log.append(Released(0, "dead", "gone"), 0.0)
    make_worker(plan, log, tmp_path / "other", train, name="next").work()
    assert (tmp_path / "other" / "trials" / "0000" / "epochs").read_text() == str(EPOCHS)
    assert len(state_of(plan, log).trials[0].curve) == EPOCHS


def test_a_metric_that_there_is_none_of_names_those_there_are(tmp_path: Path) -> None:
    path = tmp_path / "plan.yaml"
    path.write_text(PLAN.replace("metric: loss\n", "metric: other\n", 1))
    log, plan = ListLog(), read_plan(path)

    def ranks(job: TrialJob, measured: Measured) -> Path:
        measured(1, {"loss": 1.0, "rank": 2.0})
        raise AssertionError("it had none of the metric")

    with pytest.raises(UserError, match=r"searcher\.metric=other: choose one of loss, rank"):
        make_worker(plan, log, tmp_path, ranks).work()


def test_one_that_alone_has_none_of_the_metric_fails_alone(plan: Plan, tmp_path: Path) -> None:
    def lacks(job: TrialJob, measured: Measured) -> Path:
        if job.number == 1:
            measured(1, {"rank": 2.0})
        return train(job, measured)

    log = ListLog()
    make_worker(plan, log, tmp_path, lacks).work()
    one = state_of(plan, log).trials[1]
    assert (one.status, one.error) == ("failed", "searcher.metric=loss: choose one of rank")
