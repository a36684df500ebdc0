"""The process of one worker of a sweep; light, until it is known how it is stopped."""

import os
import signal
import sys
import time
from dataclasses import dataclass
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path

from seentwice.commands.stopping import STOPPED, StopRequest
from seentwice.errors import UserError
from seentwice.processes import end_with_parent
from seentwice.sweeps.plan import Plan
from seentwice.sweeps.trials import Trial

EXPERIMENT = "sweep"  # MLflow's
_POLL_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class WorkerSpec:
    """What a worker's process is told."""

    plan: Plan
    words: tuple[str, ...]  # overrides of every trial
    sampler: str
    storage: str
    name: str  # of the sweep
    settings: str  # of its log
    folder: Path  # of its files
    run_id: str  # of the sweep's MLflow run
    threads: int  # for its computations


def run_process(spec: WorkerSpec, worker: str, told: Connection) -> None:
    """Work until the sweep is over; the exit code is 0 then.

    Args:
        spec: the same for all workers.
        worker: its name.
        told: gets one text where something is wrong that the user can mend.
    """
    stop = StopRequest()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the parent, which tells us
    end_with_parent(STOPPED)
    output = spec.folder / "workers" / f"{worker}.txt"
    output.parent.mkdir(parents=True, exist_ok=True)
    with output.open("ab", buffering=0) as file:
        # What libraries say would break the parent's table, and be lost.
        os.dup2(file.fileno(), sys.stdout.fileno())
        os.dup2(file.fileno(), sys.stderr.fileno())
    try:
        with stop.heeded(signal.SIGTERM):
            _work(spec, worker, stop)
    except KeyboardInterrupt:
        sys.exit(STOPPED)
    except UserError as error:
        told.send(str(error))
        sys.exit(2)


def _work(spec: WorkerSpec, worker: str, stop: StopRequest) -> None:
    # Imported here: torch and Lightning take seconds, in which SIGTERM shall end this quietly.
    import torch

    from seentwice.commands.settled_trials import tag_ended
    from seentwice.commands.sweep_trial import TrialTrainer
    from seentwice.learn.resume_files import remove_resume_files
    from seentwice.sweeps.liveness import show_life
    from seentwice.sweeps.log import open_log
    from seentwice.sweeps.mirror import open_mirror
    from seentwice.sweeps.store import open_storage
    from seentwice.sweeps.values import choose_sampler
    from seentwice.sweeps.worker import Worker

    torch.set_num_threads(spec.threads)
    storage = open_storage(spec.storage)
    log = open_log(storage, spec.name, spec.settings)
    mirror = open_mirror(storage, spec.name, spec.plan)

    def show(trial: Trial) -> None:
        mirror.show(trial)
        tag_ended(trial)

    with show_life(spec.folder, worker, partial(log.beat, worker)):
        Worker(
            worker,
            spec.plan,
            log,
            spec.folder,
            choose_sampler(spec.sampler, spec.plan),
            TrialTrainer(spec.words, spec.folder, spec.run_id, log.agree),
            remove_resume_files,
            show,
            partial(time.sleep, _POLL_SECONDS),
            stop.held_back,
        ).work()
