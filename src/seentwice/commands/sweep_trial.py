"""Train one trial of a sweep after another in one process, which reads the photos once."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

from omegaconf import DictConfig, OmegaConf
from rich.console import Console

from seentwice.commands.application import compose_words
from seentwice.commands.progress import LOG_WIDTH, print_plainly
from seentwice.commands.training_job import (
    RUN_FILE,
    Job,
    Material,
    Settings,
    check_settings,
    gather_material,
    train_net,
    with_absolute_paths,
)
from seentwice.commands.trial_words import words_of_values
from seentwice.errors import UserError
from seentwice.files import write_atomically
from seentwice.learn.measuring import Measured, MeasuredEpochs
from seentwice.learn.siamese_task import DivergedError
from seentwice.learn.training import BEST, LAST, check_resumable
from seentwice.sweeps.worker import DivergedTrialError, ImpossibleTrialError, TrialJob

LOG_FILE = "log.txt"
_OF_NETS = ("head", "tower", "whitening", "optimizer", "training", "calibration", "threshold")
"""Sections that change nothing of what nets are trained on."""


class TrialTrainer:
    """Trains trials; those that differ in their nets alone share photos, pairs and features."""

    def __init__(self, words: Sequence[str], folder: Path, experiment: str, parent_id: str) -> None:
        """Take what is the same for every trial.

        Args:
            words: overrides.
            folder: of the sweep's files.
            experiment: MLflow's.
            parent_id: of the sweep's MLflow run.
        """
        self.words = list(words)
        self.folder = folder
        self.experiment = experiment
        self.parent_id = parent_id
        self._material: tuple[str, Material] | None = None

    def __call__(self, job: TrialJob, measured: Measured) -> Path:
        """Train a trial, from its last epoch where there is one, and return its checkpoint.

        Args:
            job: the trial.
            measured: told of every epoch; says whether to go on.

        Raises:
            ImpossibleTrialError: its values make no net that can be trained.
            DivergedTrialError: its loss is no number any more.
            UserError: what is wrong is wrong for every trial, such as the photos.
        """
        with (job.folder / LOG_FILE).open("a", encoding="utf-8") as log:
            console = Console(file=log, width=LOG_WIDTH)
            words = [*self.words, *words_of_values(job.values)]
            try:
                config = with_absolute_paths(compose_words("train", words))
                settings = check_settings(config, words)
            except UserError as error:
                raise ImpossibleTrialError(str(error)) from error
            resumed = _is_resumable(job.folder, console)
            run_file = job.folder / RUN_FILE
            training = Job(
                config,
                job.folder,
                resumed=resumed,
                run_id=run_file.read_text().strip() if run_file.is_file() else None,
                experiment=self.experiment,
                run_name=f"trial {job.number}",
                parent_id=self.parent_id,
                watchers=[MeasuredEpochs(measured)],
                stop_after=job.stop_after,
            )
            try:
                material = self._gather(training, settings, console)
                return train_net(training, settings, material, console).checkpoint
            except DivergedError as error:
                raise DivergedTrialError(str(error)) from error

    def _gather(self, job: Job, settings: Settings, console: Console) -> Material:
        """Return what the trial's net is trained on, that of the trial before where it is the same.

        Raises:
            UserError: unusable data, or other photos than the sweep was started with.
        """
        shared = OmegaConf.masked_copy(
            job.config, [str(name) for name in job.config if name not in _OF_NETS]
        )
        key = OmegaConf.to_yaml(shared, resolve=True)
        if self._material is None or self._material[0] != key:
            self._material = None  # not two of them in memory
            material = gather_material(job, settings, console)
            self._check_photos(job.config, material.fingerprint.text)
            self._material = key, material
        return self._material[1]

    def _check_photos(self, config: DictConfig, fingerprint: str) -> None:
        data = hashlib.sha256(OmegaConf.to_yaml(config.data, resolve=True).encode()).hexdigest()
        path = self.folder / f"photos_{data[:16]}.txt"
        if not path.is_file():
            write_atomically(path, f"{fingerprint}\n")
        elif path.read_text(encoding="utf-8").strip() != fingerprint:
            raise UserError(
                f"{self.folder}: the photos are not those that the sweep was started with; bring "
                "those back, or start another with name=NAME"
            )


def remove_resume_files(folder: Path) -> None:
    """Remove what a training goes on with: it weighs many times what its checkpoint does."""
    for name in (LAST, BEST):
        (folder / name).unlink(missing_ok=True)


def _is_resumable(folder: Path, console: Console) -> bool:
    """Tell whether there is a whole epoch to go on from; what is damaged is thrown away."""
    if not (folder / LAST).is_file():
        return False
    try:
        check_resumable(folder)
    except UserError as error:
        print_plainly(f"begins again: {error}", console)
        remove_resume_files(folder)
        return False
    return True
