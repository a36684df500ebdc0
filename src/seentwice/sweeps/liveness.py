"""Which workers of a sweep are alive, so that the trials of the others are taken on.

A worker holds the lock of a file for its life, which the system releases however it ends: those who
see that file know at once. Others watch a number that it lets grow. They judge by their own clock
alone, since clocks of two machines differ.
"""

import hashlib
import platform
import re
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Event, Thread

from seentwice.display import show_text
from seentwice.errors import UserError
from seentwice.locks import hold_lock, try_lock

BEAT_SECONDS = 10.0
PATIENCE_SECONDS = 60.0  # without a beat
_LEAVE_SECONDS = 2.0  # for a beat that is being written
_NAME = re.compile(r"([0-9a-f]{12})-[0-9a-f]{32}")


def name_worker(folder: Path) -> str:
    """Return a new name: where the folder lies that its lock is in, and a number of its own.

    Args:
        folder: Of the sweep's files, on this machine; it is made.

    Raises:
        UserError: it cannot be made.
    """
    return f"{_find_place(folder)}-{uuid.uuid4().hex}"


@contextmanager
def show_life(
    folder: Path,
    worker: str,
    beat: Callable[[int], None],
    seconds: float = BEAT_SECONDS,
) -> Iterator[None]:
    """Let others know during the block that a worker is alive.

    What forks from this process holds the lock, too, and must not outlive it.

    Args:
        folder: Of the sweep's files, on this machine.
        worker: Its name, from `name_worker`.
        beat: Shows a number to the other machines, from a thread of its own; a beat that raises
            UserError is left out, but for the first.
        seconds: From one beat to the next.
    """
    with hold_lock(_find_lock(folder, worker), on_wait=lambda: None, is_for_all=True):
        beat(0)
        left = Event()
        thread = Thread(target=keep_beating, args=(beat, lambda: left.wait(seconds)), daemon=True)
        thread.start()
        try:
            yield
        finally:
            left.set()
            thread.join(_LEAVE_SECONDS)


def keep_beating(beat: Callable[[int], None], wait: Callable[[], bool]) -> None:
    """Show 1, 2, 3, ... until waiting says that it is enough."""
    count = 0
    while not wait():
        count += 1
        with suppress(UserError):
            beat(count)


class Judge:
    """Says of workers whether they are alive."""

    def __init__(
        self,
        folder: Path,
        read_beats: Callable[[], Mapping[str, int]],
        clock: Callable[[], float] = time.monotonic,
        patience: float = PATIENCE_SECONDS,
    ) -> None:
        """Begin to watch.

        Args:
            folder: Of the sweep's files, on this machine.
            read_beats: The last number that every worker showed.
            clock: Seconds, that only grow.
            patience: Seconds without a beat after which a worker of another machine is dead.
        """
        self._folder = folder
        self._place = _find_place(folder)
        self._read_beats = read_beats
        self._clock = clock
        self._patience = patience
        self._seen: dict[str, tuple[int | None, float]] = {}  # the last beat, and since when

    def is_alive(self, worker: str) -> bool:
        """Say whether a worker is alive, as far as can be known from here.

        One of this machine is dead as soon as its process is. One of another is dead once this
        process has seen no beat for `patience` seconds; ask again and again.
        """
        found = _NAME.fullmatch(worker)
        if found is not None and found[1] == self._place:
            lock = _find_lock(self._folder, worker)
            if not lock.exists():
                return False
            with try_lock(lock) as is_free:
                return not is_free
        beat, now = self._read_beats().get(worker), self._clock()
        last, since = self._seen.setdefault(worker, (beat, now))
        if beat != last:
            self._seen[worker] = beat, now
            return True
        return now - since < self._patience


def _find_lock(folder: Path, worker: str) -> Path:
    return folder / "workers" / f"{worker}.lock"


def _find_place(folder: Path) -> str:
    """Return twelve hex digits for a folder of a running system, whatever path leads to it."""
    workers = folder / "workers"
    try:
        workers.mkdir(parents=True, exist_ok=True)
        status = workers.stat()
    except OSError as error:
        raise UserError(
            f"{show_text(str(workers))} cannot be made ({error.strerror}); let your account write "
            "there, or choose another folder for the sweep"
        ) from error
    identity = f"{_read_system()} {status.st_dev} {status.st_ino}"
    return hashlib.sha256(identity.encode()).hexdigest()[:12]


def _read_system() -> str:
    """Return what tells running systems apart; containers of a host share their locks."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return platform.node()
