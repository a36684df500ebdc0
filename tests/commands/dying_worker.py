"""A worker of a sweep that takes its first trial on and is killed; it imports no torch."""

import os
import signal
import time
from multiprocessing.connection import Connection

from seentwice.commands.sweep_process import WorkerSpec
from seentwice.sweeps.events import Began, Claimed
from seentwice.sweeps.log import open_log
from seentwice.sweeps.store import open_storage


def begin_and_die(spec: WorkerSpec, worker: str, told: Connection) -> None:
    """Stand for `run_process`."""
    log = open_log(open_storage(spec.storage), spec.name, spec.settings)
    folder = spec.folder / "trials" / "0000"
    for event in (Claimed(0, worker), Began(0, worker, {"optimizer.lr": 0.1}, str(folder))):
        log.append(event, time.time())
    os.kill(os.getpid(), signal.SIGKILL)
