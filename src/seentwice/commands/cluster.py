"""Train as a trial of a Determined experiment, whose hyperparameters are overrides."""

import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig

from seentwice.commands.application import run_application
from seentwice.commands.main import main
from seentwice.commands.next_steps import compose_command
from seentwice.commands.progress import open_console, print_plainly
from seentwice.commands.stopping import STOPPED
from seentwice.commands.train import read_interrupted_run, read_state
from seentwice.commands.training_job import (
    Job,
    Settings,
    check_settings,
    gather_material,
    train_net,
    with_absolute_paths,
)
from seentwice.commands.trial_words import words_of_values
from seentwice.errors import UserError
from seentwice.learn.cluster import ClusterReports, ClusterTrial, on_cluster, open_trial
from seentwice.learn.training import check_resumable


def run_entrypoint(words: Sequence[str]) -> int:
    """Run train, as a trial where Determined started this process, and return the exit code.

    Args:
        words: overrides of the experiment; those of the trial come after them.
    """
    return _run_trial(words) if on_cluster() else main(["train", *words])


def _run_trial(words: Sequence[str]) -> int:
    tell = partial(print_plainly, console=open_console())
    try:
        with open_trial(tell) as trial:
            overrides = [*words, *words_of_values(trial.hyperparameters)]
            tell(f"{trial.name}: {' '.join(overrides)}")
            code = run_application("train", partial(_train, trial, words), overrides)
    except UserError as error:
        print(f"seentwice train: {error}", file=sys.stderr)
        return 2
    # An error would be tried again; this one to the same end.
    ended_well = trial.has_diverged or (trial.was_preempted and code == STOPPED)
    return 0 if ended_well else code


def _train(trial: ClusterTrial, words: Sequence[str], config: DictConfig) -> None:
    console = open_console()
    job = _choose_job(trial, config)
    settings = _check_hyperparameters(trial, words, job)
    trained = train_net(job, settings, gather_material(job, settings, console), console)
    trial.keep(job.folder)
    for metric, value in trained.test_metrics.items():
        print_plainly(f"  test/{metric:<24}{value:.4f}", console)


def _choose_job(trial: ClusterTrial, config: DictConfig) -> Job:
    """Return the training, with what the trial has kept of it, if anything.

    Its settings are those of the experiment now, not those that were kept: the folders of
    another machine may be others.

    Raises:
        UserError: what was kept is damaged.
    """
    folder = Path(HydraConfig.get().runtime.output_dir)
    resumed = trial.restore(folder)
    if resumed:
        check_resumable(folder)
    return Job(
        with_absolute_paths(config),
        folder,
        resumed=resumed,
        run_id=read_interrupted_run(folder) if resumed else None,
        started_with=read_state(folder) if resumed else None,
        run_name=trial.name,
        watchers=(ClusterReports(trial, folder),),
    )


def _check_hyperparameters(trial: ClusterTrial, words: Sequence[str], job: Job) -> Settings:
    """Check the settings; refuse hyperparameters without which they would do.

    A key that does not exist is not refused, but an error: no other values would mend it, and the
    master would try others for ever.

    Raises:
        UserError: the settings of the experiment itself are wrong.
    """
    try:
        return check_settings(job.config, HydraConfig.get().overrides.task)
    except UserError as error:
        check_settings(compose_command("train", words), words)
        trial.refuse(str(error))
