"""What is left to do for a trial that is settled: its MLflow run and the files of its training."""

from collections.abc import Iterable
from pathlib import Path

from seentwice.learn.resume_files import remove_resume_files
from seentwice.learn.tracking import RUN_FILE, end_run
from seentwice.sweeps.ranking import NEVER_WIN, stopped_rung
from seentwice.sweeps.trials import Trial

ENDED_TAG = "seentwice.ended"  # how a trial ended, on the MLflow run with which it did


def tag_ended(trial: Trial) -> None:
    """Say in the MLflow run of a settled trial how it ended; a stop is FINISHED to MLflow, too.

    To be called by the worker that settled it: where a machine took the trial over without its
    files, the run there is another than that with which it began, which never ends.

    Raises:
        UserError: the store cannot be used.
    """
    run_file = Path(trial.folder) / RUN_FILE
    if _is_settled(trial) and run_file.is_file():
        rung = stopped_rung(trial)
        ended = trial.status if rung is None else f"stopped at rung {rung}"
        end_run(run_file.read_text().strip(), {ENDED_TAG: ended})


def close_settled(trials: Iterable[Trial]) -> None:
    """Do for settled trials, as at the end, what a worker that was killed could not do.

    Their runs are tagged and closed, and their folders tidied; where that was done, nothing is.
    Of those whose files are on this machine alone, by their checkpoint where they have one.

    Raises:
        UserError: the store cannot be used.
    """
    for trial in trials:
        is_here = not trial.checkpoint or Path(trial.checkpoint).is_file()
        if trial.folder and _is_settled(trial) and is_here:
            tag_ended(trial)
            remove_resume_files(Path(trial.folder))


def _is_settled(trial: Trial) -> bool:
    return bool(trial.checkpoint) or trial.status in NEVER_WIN
