"""Run the trials of an experiment configuration on this machine."""

import hashlib
import json
import os
import re
import shlex
import signal
from collections.abc import Sequence
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path

from omegaconf import DictConfig
from rich.console import Console

from seentwice.commands.application import compose_words
from seentwice.commands.next_steps import NEXT, evaluation_overrides, spell_value
from seentwice.commands.progress import open_console, print_plainly, show_progress
from seentwice.commands.settings import read_source
from seentwice.commands.stopping import StopRequest
from seentwice.commands.sweep_process import EXPERIMENT, WorkerSpec, run_process
from seentwice.commands.sweep_view import SweepView
from seentwice.commands.sweep_words import HELP, SweepWords, read_words
from seentwice.commands.trial_constants import check_constants
from seentwice.commands.trial_ends import find_ends
from seentwice.commands.trial_words import check_plan, words_of_trials, words_of_values
from seentwice.errors import UserError
from seentwice.files import write_atomically
from seentwice.sweeps.brackets import plan_brackets
from seentwice.sweeps.plan import AdaptiveAsha, Plan, name_file, read_plan
from seentwice.sweeps.results import SweepResults
from seentwice.sweeps.state import SweepState
from seentwice.sweeps.trials import Trial

ON_STOP = "what was trained is kept; give the same command again to go on"

_RUN_FILE = "mlflow_run_id.txt"
_DATABASE = "study.db"  # unless another storage is given
_MARK_FILE = "sweep_id.txt"  # says whose files a folder holds


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
    folder.mkdir(parents=True, exist_ok=True)
    threads = max((os.cpu_count() or 1) // given.workers, 1)
    spec = WorkerSpec(
        plan=plan,
        words=(*words, f"workers={threads}"),
        sampler=given.sampler,
        storage=given.storage or f"sqlite:///{folder / _DATABASE}",
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
    plan.open_searcher()


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
    from seentwice.commands.sweep_run import list_settings, log_results
    from seentwice.learn.tracking import FOLDER_TAG, check_store, track_run
    from seentwice.sweeps.liveness import Judge, name_worker
    from seentwice.sweeps.local import LocalWorkers
    from seentwice.sweeps.log import open_log
    from seentwice.sweeps.mirror import open_mirror
    from seentwice.sweeps.store import open_storage

    if given.storage is None:
        _require_own_database(spec.folder)
    state = SweepState(spec.plan)
    storage = open_storage(spec.storage)
    log = open_log(storage, spec.name, spec.settings)
    _mark_folder(spec.folder, log.id)
    check_store()
    _prepare_photos(config, console)
    run_file = spec.folder / _RUN_FILE
    known = run_file.read_text(encoding="utf-8").strip() if run_file.is_file() else None
    tags = {FOLDER_TAG: str(spec.folder), "seentwice.command": "sweep"}
    print_plainly(f"{spec.name}: files in {spec.folder}", console)
    with track_run(EXPERIMENT, spec.name, tags, resumed_id=known) as tracked:
        write_atomically(run_file, f"{tracked.run_id}\n")
        tracked.log_file(given.file)
        tracked.log_missing_parameters(list_settings(spec.plan, spec.name, spec.sampler))
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
                        workers.run(lambda: view.show(state.trials), lambda: stop.came is not None)
                finally:  # as far as it has come
                    open_mirror(storage, spec.name, spec.plan).show_all(state.trials)
                    results = _report(spec, given, state.trials, console)
                    log_results(tracked, results, spec.folder, state.is_over)
        except KeyboardInterrupt:
            if stop.came is not None:
                signal.raise_signal(stop.came)  # for those who end the program as it says
            raise
    _tell_of_best(state, spec, console)


def _require_own_database(folder: Path) -> None:
    """Refuse a folder whose own database is gone, before another is made in it.

    Raises:
        UserError: it is.
    """
    if (folder / _MARK_FILE).is_file() and not (folder / _DATABASE).is_file():
        raise UserError(
            f"{folder}: its {_DATABASE} is gone, which tells what its trials came to; bring it "
            "back, give folder=ANOTHER, or remove the folder"
        )


def _mark_folder(folder: Path, sweep: str) -> None:
    """Refuse a folder with the files of another sweep, which trials would go on from.

    Raises:
        UserError: it is such.
    """
    mark = folder / _MARK_FILE
    if not mark.is_file():
        write_atomically(mark, f"{sweep}\n")
    elif mark.read_text(encoding="utf-8").strip() != sweep:
        raise UserError(
            f"{folder}: it holds the files of another sweep, or of one whose database is gone; "
            "give folder=ANOTHER, or remove it"
        )


def _prepare_photos(config: DictConfig, console: Console) -> None:
    """Make or download the photos of the first trial here, where that is seen, and not in workers.

    Raises:
        UserError: the data set is not there or not as its reader needs it.
    """
    source = read_source(config)
    with show_progress("Preparing photos", console) as progress:
        source.prepare(progress)
    source.read()


def _report(
    spec: WorkerSpec, given: SweepWords, trials: Sequence[Trial], console: Console
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
    evaluation = _evaluation_command(results.best, spec)
    write_report(spec.folder, results, spell_value, _command(given), evaluation)
    for line in (describe_sweep(results), describe_budget(results)):
        print_plainly(line, console)
    print_plainly(f"Report: {spec.folder / REPORT}", console)
    return results


def _command(given: SweepWords) -> str:
    """Return the command that runs the sweep, without what changes nothing of its trials."""
    from seentwice.sweeps.store import hide_password

    storage = given.storage and hide_password(given.storage)
    own = {"sampler": given.sampler, "storage": storage, "name": given.name}
    words = [f"{key}={value}" for key, value in own.items() if value not in (None, "searcher")]
    return shlex.join(["seentwice", "sweep", str(given.file), *words, *given.overrides])


def _evaluation_command(best: Trial | None, spec: WorkerSpec) -> str:
    """Return the command that evaluates a trial's checkpoint; "" where it has none."""
    if best is None or not best.checkpoint:
        return ""
    config = compose_words("train", [*spec.words, *words_of_values(best.values)])
    words = [f"checkpoint={spell_value(best.checkpoint)}", *evaluation_overrides(config)]
    return shlex.join(["seentwice", "evaluate", *words])


def _tell_of_best(state: SweepState, spec: WorkerSpec, console: Console) -> None:
    best = state.best
    if best is None:
        errors = [trial.error for trial in state.trials if trial.error]
        told = f", the last for this: {errors[-1]}" if errors else ""
        raise UserError(f"no trial was measured{told}; see the trials in {spec.folder}")
    print_plainly(f"Values of trial {best.number}:", console)
    for word in words_of_values(best.values):
        print_plainly(f"  {word}", console)
    evaluation = _evaluation_command(best, spec)
    if not Path(best.checkpoint).is_file():
        print_plainly(
            f"Its checkpoint is on the machine that trained it: {best.checkpoint}", console
        )
    elif evaluation:
        print_plainly(f"{NEXT}{evaluation}", console)
