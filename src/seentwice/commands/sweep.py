"""Run the trials of an experiment configuration on this machine."""

import hashlib
import json
import os
import re
import signal
from collections.abc import Sequence
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from omegaconf import DictConfig
from rich.console import Console

from seentwice.commands.fingerprint import fingerprint_photos
from seentwice.commands.next_steps import NEXT, spell_value
from seentwice.commands.progress import open_console, print_plainly, show_progress
from seentwice.commands.settings import read_source
from seentwice.commands.stopping import StopRequest
from seentwice.commands.sweep_folder import DATABASE, make_folder, mark_folder, require_own_folder
from seentwice.commands.sweep_origin import (
    find_origin,
    list_words,
    spell_evaluation,
    spell_training,
)
from seentwice.commands.sweep_process import (
    EXPERIMENT,
    WorkerSpec,
    run_process,
)
from seentwice.commands.sweep_view import SweepView
from seentwice.commands.sweep_words import HELP, SweepWords, read_words
from seentwice.commands.trial_constants import check_constants
from seentwice.commands.trial_ends import find_ends
from seentwice.commands.trial_words import (
    PHOTOS_OF,
    check_plan,
    name_photos,
    words_of_trials,
    words_of_values,
)
from seentwice.data.source import PhotoSet
from seentwice.errors import UserError
from seentwice.files import write_atomically
from seentwice.sweeps.brackets import plan_brackets
from seentwice.sweeps.plan import AdaptiveAsha, Plan, name_file, read_plan
from seentwice.sweeps.results import SweepResults
from seentwice.sweeps.state import SweepState
from seentwice.sweeps.trials import Trial

if TYPE_CHECKING:
    from seentwice.sweeps.log import EventLog

ON_STOP = "what was trained is kept; give the same command again to go on"


def run(arguments: Sequence[str]) -> None:
    """Train the trials, or go on with them, and tell which is best."""
    if {"-h", "--help"} & set(arguments):
        print(HELP, end="")
        return
    given = read_words(arguments)
    plan = read_plan(given.file)
    with name_file(given.file):
        words = tuple(words_of_trials(plan, given.overrides))
        config, remarks = check_plan(plan, words)
        check_constants(plan, words)
    _check_sampler(given.sampler, plan)
    settings = spell_settings(plan, words, given.sampler)
    name = given.name or _name_sweep(plan, settings)
    folder = (given.folder or Path("outputs/sweep") / name).absolute()
    threads = max((os.cpu_count() or 1) // given.workers, 1)
    spec = WorkerSpec(
        plan=plan,
        words=(*words, f"workers={threads}"),
        sampler=given.sampler,
        storage=given.storage or f"sqlite:///{folder / DATABASE}",
        name=name,
        settings=settings,
        folder=folder,
        run_id="",
        threads=threads,
    )
    console = open_console()
    for line in remarks:
        print_plainly(line, console)
    _train_trials(spec, given, config, console)


def _check_sampler(sampler: str, plan: Plan) -> None:
    """Choose whoever chooses values once, before there are any files.

    Raises:
        UserError: there is no such sampler, or it has nothing to choose from.
    """
    from seentwice.sweeps.values import choose_sampler

    choose_sampler(sampler, plan)


def spell_settings(plan: Plan, words: Sequence[str], sampler: str) -> str:
    """Return, as JSON, what must be the same for two commands to work on one sweep."""
    values = {
        "plan": {
            **asdict(plan),
            "space": {
                key: {"type": type(one).__name__, **asdict(one)} for key, one in plan.space.items()
            },
        },
        "overrides": list(words),
        "sampler": sampler,
    }
    return json.dumps(values, sort_keys=True)


def _name_sweep(plan: Plan, settings: str) -> str:
    """Return a name that another file, sampler or override would change."""
    readable = re.sub(r"[^A-Za-z0-9_.-]+", "-", plan.name).strip("-.")[:40] or "sweep"
    return f"{readable}-{hashlib.sha256(settings.encode()).hexdigest()[:8]}"


def _train_trials(
    spec: WorkerSpec, given: SweepWords, config: DictConfig, console: Console
) -> None:
    # Imported here: MLflow and Optuna take seconds, and no --help should wait for them.
    from seentwice.commands.settled_trials import close_settled
    from seentwice.commands.sweep_run import list_settings, log_results
    from seentwice.learn.tracking import FOLDER_TAG, RUN_FILE, check_store, track_run
    from seentwice.sweeps.liveness import Judge, name_worker
    from seentwice.sweeps.local import LocalWorkers
    from seentwice.sweeps.log import open_log
    from seentwice.sweeps.mirror import open_mirror
    from seentwice.sweeps.store import hide_password, open_storage

    hide_password(spec.storage)  # refuses what is no address, before anything is done
    require_own_folder(spec.folder, "" if given.storage else DATABASE)
    photos = _prepare_photos(config, console)
    # What fails until here leaves nothing behind.
    make_folder(spec.folder)
    check_store()
    state = SweepState(spec.plan)
    storage = open_storage(spec.storage)
    log = open_log(storage, spec.name, spec.settings)
    mark_folder(spec.folder, log.id)
    _tell_of_other_photos(log, photos, config, spec, console)
    run_file = spec.folder / RUN_FILE
    known = run_file.read_text(encoding="utf-8").strip() if run_file.is_file() else None
    tags = {FOLDER_TAG: str(spec.folder), "seentwice.command": "sweep"}
    print_plainly(f"{spec.name}: files in {spec.folder}", console)
    with track_run(EXPERIMENT, spec.name, tags, resumed_id=known) as tracked:
        write_atomically(run_file, f"{tracked.run_id}\n")
        tracked.log_file(given.file)
        tracked.log_missing_parameters(
            {**list_settings(spec.plan, spec.name, spec.sampler), **list_words(given, spec.plan)}
        )
        workers = LocalWorkers(
            given.workers,
            partial(run_process, replace(spec, run_id=tracked.run_id)),
            partial(name_worker, spec.folder),
            Judge(spec.folder, log.read_beats).is_alive,
            log,
            state,
        )
        view = SweepView(spec.plan, console)
        stop = StopRequest()
        try:
            with stop.heeded(signal.SIGINT, signal.SIGTERM), stop.held_back():
                try:
                    with view.shown():
                        workers.run(
                            lambda: view.show(state.trials),
                            lambda line: print_plainly(line, console),
                            lambda: stop.came is not None,
                        )
                finally:  # as far as it has come
                    open_mirror(storage, spec.name, spec.plan).show_all(state.trials)
                    results = _report(spec, given, state.trials, log, console)
                    log_results(tracked, results, spec.folder, state.is_over)
                    close_settled(state.trials)
        except KeyboardInterrupt:
            if stop.came is not None:
                signal.raise_signal(stop.came)  # for those who end the program as it says
            raise
        best = _require_best(state, spec)  # without one the run has failed
    _tell_of_best(best, spec, console)


def _prepare_photos(config: DictConfig, console: Console) -> PhotoSet:
    """Make or download the photos of the first trial here, where that is seen, and not in workers.

    Raises:
        UserError: the data set is not there or not as its reader needs it.
    """
    source = read_source(config)
    with show_progress("Preparing photos", console) as progress:
        source.prepare(progress)
    return source.read()


def _tell_of_other_photos(
    log: "EventLog", photos: PhotoSet, config: DictConfig, spec: WorkerSpec, console: Console
) -> None:
    """Say of a sweep that is over that its photos changed; before, its workers refuse them."""
    state = SweepState(spec.plan)
    for logged in log.read():
        state.apply(logged)
    told = log.agreed.get(name_photos(config))
    if state.is_over and told and told != fingerprint_photos(photos, console).text:
        print_plainly(
            "The photos are not those that this sweep was trained on, whose results these are; "
            "another name=NAME sweeps over those of now",
            console,
        )


def _report(
    spec: WorkerSpec, given: SweepWords, trials: Sequence[Trial], log: "EventLog", console: Console
) -> SweepResults:
    from seentwice.sweeps.report.page import REPORT, describe_budget, describe_sweep, write_report

    plan = spec.plan
    asha = plan.searcher if isinstance(plan.searcher, AdaptiveAsha) else None
    results = SweepResults(
        name=spec.name,
        metric=plan.watched.metric,
        smaller_is_better=plan.watched.smaller_is_better,
        time_metric=asha.time_metric if asha else "epochs",
        space=plan.space,
        brackets=plan_brackets(asha) if asha else (),
        trials=tuple(trials),
        ends=find_ends(trials, spec.words),
    )
    photos = [told for key, told in log.agreed.items() if key.startswith(PHOTOS_OF)]
    origin = find_origin(given, plan, spec.words, results.best, photos)
    write_report(spec.folder, results, spell_value, origin)
    for line in (describe_sweep(results), describe_budget(results)):
        print_plainly(line, console)
    print_plainly(f"Report: {spec.folder / REPORT}", console)
    return results


def _require_best(state: SweepState, spec: WorkerSpec) -> Trial:
    """Return the best trial.

    Raises:
        UserError: none was measured.
    """
    if state.best is not None:
        return state.best
    errors = [trial.error for trial in state.trials if trial.error]
    told = f", the last for this: {errors[-1]}" if errors else ""
    raise UserError(f"no trial was measured{told}; see the trials in {spec.folder}")


def _tell_of_best(best: Trial, spec: WorkerSpec, console: Console) -> None:
    print_plainly(f"Values of trial {best.number}:", console)
    for word in words_of_values(best.values):
        print_plainly(f"  {word}", console)
    print_plainly(f"To train it again: {spell_training(best, spec.words)}", console)
    evaluation = spell_evaluation(best, spec.words)
    if not Path(best.checkpoint).is_file():
        print_plainly(
            f"Its checkpoint is on the machine that trained it: {best.checkpoint}", console
        )
    elif evaluation:
        print_plainly(f"{NEXT}{evaluation}", console)
