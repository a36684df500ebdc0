"""Run the workers of a sweep as processes of this machine, and tell of those that die."""

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess

from seentwice.errors import UserError
from seentwice.sweeps.events import Crashed, Released
from seentwice.sweeps.log import EventLog
from seentwice.sweeps.state import SweepState

POLL_SECONDS = 0.5
_STOP_SECONDS = 30  # that a worker has to give its trial back
_MOST_BARREN = 3  # workers that die without a trial, before their end is taken for a fault of all

Target = Callable[[str, Connection], None]
"""Run in a process of its own with the worker's name; sends one text where it ends for a reason
that the user can mend. Can be pickled."""


@dataclass(frozen=True, slots=True)
class _Running:
    process: SpawnProcess
    told: Connection


class LocalWorkers:
    """Some workers of one sweep; there may be others, on this machine and elsewhere."""

    def __init__(
        self,
        count: int,
        target: Target,
        name: Callable[[], str],
        is_alive: Callable[[str], bool],
        log: EventLog,
        state: SweepState,
    ) -> None:
        """Take what is run; nothing is, before `run`.

        Args:
            count: of processes.
            target: what each runs.
            name: makes the name of the next.
            is_alive: says of any other worker of the sweep whether it is.
            log: of the sweep.
            state: of the sweep, kept up with the log.
        """
        self._count = count
        self._target = target
        self._name = name
        self._is_alive = is_alive
        self._log = log
        self._state = state
        self._running: dict[str, _Running] = {}
        self._barren = 0
        self._seen: set[str] = set()  # workers that have told anything

    def run(
        self,
        show: Callable[[], None],
        tell: Callable[[str], None],
        is_stopped: Callable[[], bool],
    ) -> None:
        """Keep the workers running until every trial of the sweep is settled, or they are stopped.

        Args:
            show: called again and again, with the state up to date.
            tell: called with a line about a worker that died and in whose place another is started.
            is_stopped: asked again and again; the workers then give their trials back.

        Raises:
            UserError: a worker says what is wrong, or workers die before they take a trial.
        """
        try:
            self._catch_up()
            show()
            while not is_stopped() and (not self._state.is_over or self._running):
                while len(self._running) < min(self._count, self._count_open()):
                    self._start()
                wait([one.process.sentinel for one in self._running.values()], POLL_SECONDS)
                self._catch_up()
                for worker in [name for name, one in self._running.items() if _is_dead(one)]:
                    why = self._bury(worker)
                    if why and self._count_open() > len(self._running):
                        tell(f"a worker ended with {why}; another is started in its place")
                self._free_trials_of_dead()
                show()
        finally:
            self._stop()

    def _start(self) -> None:
        context = get_context("spawn")
        receiver, sender = context.Pipe(duplex=False)
        worker = self._name()
        process = context.Process(target=self._target, args=(worker, sender), name=worker)
        process.start()
        sender.close()  # the process has its own; now its end is seen here
        self._running[worker] = _Running(process, receiver)

    def _bury(self, worker: str) -> str:
        """Take the end of a worker: as one for all, as the crash of its trial, or as its work's.

        Returns:
            Why it died; "" where its work was done.

        Raises:
            UserError: see `run`.
        """
        dead = self._running.pop(worker)
        self._catch_up()  # with what it told last
        code = dead.process.exitcode
        if dead.told.poll():
            try:
                raise UserError(dead.told.recv())
            except EOFError:  # it died before it told anything
                pass
        if code == 0:
            return ""
        why = f"signal {-code}" if code is not None and code < 0 else f"exit code {code}"
        held = [trial.number for trial in self._state.trials if trial.worker == worker]
        for number in held:
            told = f"its worker ended with {why}"
            self._log.append(Crashed(number, worker, told), time.time())
        self._catch_up()
        self._barren = 0 if worker in self._seen else self._barren + 1
        if self._barren == _MOST_BARREN:
            raise UserError(
                f"{_MOST_BARREN} workers ended with {why} before they took a trial; see what they "
                "wrote in the folder workers of the sweep's"
            )
        return why

    def _free_trials_of_dead(self) -> None:
        """Give back the trials of workers that are gone with those who started them."""
        for trial in self._state.trials:
            is_other = trial.worker and trial.worker not in self._running
            if is_other and not self._is_alive(trial.worker):
                gone = Released(trial.number, trial.worker, "its worker is gone")
                self._log.append(gone, time.time())
        self._catch_up()

    def _stop(self) -> None:
        """Let the workers that still run give back their trials, and end them."""
        for one in self._running.values():
            one.process.terminate()
        until = time.monotonic() + _STOP_SECONDS
        for one in self._running.values():
            one.process.join(max(until - time.monotonic(), 0))
            if one.process.is_alive():
                one.process.kill()
                one.process.join()
        names = set(self._running)
        self._running.clear()
        with suppress(UserError):  # of the database, which must not hide what ended the sweep
            self._catch_up()
            for trial in self._state.trials:
                if trial.worker in names:  # which was killed before it could
                    why = "its worker ended without giving it back"
                    self._log.append(Released(trial.number, trial.worker, why), time.time())
            self._catch_up()

    def _count_open(self) -> int:
        """Return how many trials are not settled; more workers have nothing to do."""
        return sum(not self._state.is_settled(trial.number) for trial in self._state.trials)

    def _catch_up(self) -> None:
        for logged in self._log.read(self._state.applied - 1):
            self._state.apply(logged)
            self._seen.add(logged.event.worker)


def _is_dead(one: _Running) -> bool:
    return one.process.exitcode is not None
