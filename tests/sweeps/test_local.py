"""Workers as real processes on a real database, with trainings that cost nothing."""

import os
import shutil
import signal
from contextlib import nullcontext
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path

import pytest
from failing_workers import complain, die
from test_asha import Naive
from test_worker import PLAN, train

from seentwice.errors import UserError
from seentwice.sweeps.brackets import AshaSettings
from seentwice.sweeps.events import Reported
from seentwice.sweeps.liveness import Judge, name_worker, show_life
from seentwice.sweeps.local import LocalWorkers
from seentwice.sweeps.log import EventLog, open_log
from seentwice.sweeps.plan import AdaptiveAsha, read_plan
from seentwice.sweeps.searcher import Stop
from seentwice.sweeps.state import SweepState
from seentwice.sweeps.store import open_storage
from seentwice.sweeps.trials import Interruption, Trial
from seentwice.sweeps.values import Sampler
from seentwice.sweeps.worker import Measured, TrialJob, Worker


def open_sweep(folder: Path) -> EventLog:
    return open_log(open_storage(f"sqlite:///{folder / 'study.db'}"), "small", "{}")


_met: list[Path] = []  # in each process


def meet(folder: Path) -> None:
    """Wait once until another process trains, too; it is killed where none comes."""
    if not _met:
        signal.alarm(60)
        try:
            (folder / "first").mkdir()
            mode = "r"
        except FileExistsError:
            mode = "w"
        with (folder / "pipe").open(mode):  # waits for its other end
            _met.append(folder)
        signal.alarm(0)


def train_or_be_killed(job: TrialJob, measured: Measured) -> Path:
    """Train; the second trial's process is killed in its first epoch, once.

    From then on two processes must be seen to train at the same time.
    """
    killed = job.folder.with_name("0001") / "killed"
    if killed.exists():
        meet(job.folder.parents[1])

    def report(epoch: int, metrics: dict[str, float]) -> bool:
        if job.number == 1 and epoch == 1 and not killed.exists():
            killed.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return measured(epoch, metrics)

    return train(job, report)  # type: ignore[arg-type]


def work(folder: Path, worker: str, told: Connection) -> None:
    log = open_sweep(folder)
    with show_life(folder, worker, partial(log.beat, worker)):
        Worker(
            worker,
            read_plan(folder / "plan.yaml"),
            log,
            folder,
            Sampler.SEARCHER,
            train_or_be_killed,
            lambda folder: None,
            lambda trial: None,
            lambda: None,
            nullcontext,
        ).work()


def settings_of(folder: Path) -> AshaSettings:
    searcher = read_plan(folder / "plan.yaml").searcher
    assert isinstance(searcher, AdaptiveAsha)
    return searcher


@pytest.fixture
def folder(tmp_path: Path, empty_database: Path) -> Path:
    (tmp_path / "plan.yaml").write_text(PLAN)
    shutil.copy(empty_database, tmp_path / "study.db")
    return tmp_path


def test_processes_share_the_trials_and_one_that_is_killed_is_replaced(folder: Path) -> None:
    log, state = open_sweep(folder), SweepState(read_plan(folder / "plan.yaml"))
    shown: list[tuple[Trial, ...]] = []
    workers = LocalWorkers(
        2,
        partial(work, folder),
        partial(name_worker, folder),
        Judge(folder, log.read_beats).is_alive,
        log,
        state,
    )
    os.mkfifo(folder / "pipe")
    told: list[str] = []
    workers.run(lambda: shown.append(state.trials), told.append, lambda: False)
    assert state.is_over
    assert told == ["a worker ended with signal 9; another is started in its place"]
    assert shown[-1] == state.trials
    killed = state.trials[1]
    assert (killed.restarts, killed.error) == (1, "")  # it ended well
    assert killed.interruptions == (Interruption(0, "its worker ended with signal 9"),)
    assert [point.time for point in killed.curve] == [*range(1, len(killed.curve) + 1)]
    assert {trial.status for trial in state.trials} == {"finished", "stopped"}
    # The searcher's second version decides the same on the events in their order.
    naive = Naive(settings_of(folder))
    reported: set[tuple[int, int]] = set()
    stopped: dict[int, int] = {}
    naive.start()
    for event in (logged.event for logged in log.read()):
        if isinstance(event, Reported) and (event.trial, event.time) not in reported:
            reported.add((event.trial, event.time))
            if Stop(event.trial) in naive.report(event.trial, event.time, event.metric):
                stopped[event.trial] = event.time
    assert stopped == {trial.number: trial.curve[-1].time for trial in state.trials}
    # Whoever replays the log comes to the same end.
    replayed = SweepState(read_plan(folder / "plan.yaml"))
    for logged in open_sweep(folder).read():
        replayed.apply(logged)
    assert replayed.trials == state.trials


@pytest.mark.parametrize(
    ("target", "complaint"),
    [(complain, "no photos there"), (die, "3 workers ended with exit code 3 before they took")],
)
def test_what_is_wrong_for_every_worker_ends_all(
    target: object, complaint: str, folder: Path
) -> None:
    state = SweepState(read_plan(folder / "plan.yaml"))
    workers = LocalWorkers(
        1,
        target,  # type: ignore[arg-type]
        partial(name_worker, folder),
        lambda worker: True,
        open_sweep(folder),
        state,
    )
    with pytest.raises(UserError, match=complaint):
        workers.run(lambda: None, lambda line: None, lambda: False)
