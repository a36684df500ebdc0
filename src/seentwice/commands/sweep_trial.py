"""Train one trial of a sweep after another in one process, which reads the photos once."""

from collections.abc import Callable, Sequence
from pathlib import Path

from omegaconf import OmegaConf
from rich.console import Console

from seentwice.commands.application import compose_words
from seentwice.commands.progress import LOG_WIDTH, print_plainly
from seentwice.commands.sweep_process import EXPERIMENT
from seentwice.commands.training_job import (
    Job,
    Material,
    Settings,
    check_settings,
    gather_material,
    train_net,
    with_absolute_paths,
)
from seentwice.commands.trial_words import name_photos, words_of_values
from seentwice.errors import UserError
from seentwice.learn.measuring import Measured, MeasuredEpochs
from seentwice.learn.resume_files import LAST, remove_resume_files
from seentwice.learn.siamese_task import DivergedError
from seentwice.learn.tracking import RUN_FILE, check_store
from seentwice.learn.training import check_resumable
from seentwice.sweeps.worker import FailedTrialError, ImpossibleTrialError, TrialJob

LOG_FILE = "log.txt"
TRIAL_TAG = "seentwice.trial"  # the number of the trial that an MLflow run is, or a part of
_OF_NETS = ("head", "tower", "whitening", "optimizer", "training", "calibration", "threshold")
"""Sections that change nothing of what nets are trained on."""


class TrialTrainer:
    """Trains trials; those that differ in their nets alone share photos, pairs and features."""

    def __init__(
        self,
        words: Sequence[str],
        folder: Path,
        run_id: str,
        agree: Callable[[str, str], str],
    ) -> None:
        """Take what is the same for every trial.

        Args:
            words: overrides.
            folder: of the sweep's files.
            run_id: of the sweep's MLflow run.
            agree: from a key and a value to that which the first worker of the sweep gave.
        """
        self.words = list(words)
        self.folder = folder
        self.run_id = run_id
        self._agree = agree
        self._material: tuple[str, Material] | None = None

    def __call__(self, job: TrialJob, measured: Measured) -> Path:
        """Train a trial, from its last epoch where there is one, and return its checkpoint.

        Args:
            job: the trial.
            measured: told of every epoch; says whether to go on.

        Raises:
            ImpossibleTrialError: its values make no net that can be trained.
            FailedTrialError: its loss is no number any more; or its photos are of no use, and
                other trials have others.
            UserError: what is wrong is wrong for every trial, such as the photos.
        """
        with (job.folder / LOG_FILE).open("a", encoding="utf-8") as log:
            console = Console(file=log, width=LOG_WIDTH)
            training, settings, photos = self._prepare(job, measured, console)
            try:
                material = self._gather(training, settings, photos, console)
                return train_net(training, settings, material, console).checkpoint
            except DivergedError as error:
                raise FailedTrialError(str(error)) from error
            except UserError as error:
                if all(key.partition(".")[0] in _OF_NETS for key in job.values):
                    raise
                raise FailedTrialError(str(error)) from error

    def _prepare(
        self, job: TrialJob, measured: Measured, console: Console
    ) -> tuple[Job, Settings, str]:
        """Check a trial's settings; return them with the name of its photos.

        Raises:
            ImpossibleTrialError: they are wrong, and those of the sweep without its values are not.
            UserError: those of the sweep are.
        """
        check_store()
        words = [*self.words, *words_of_values(job.values)]
        try:
            composed = compose_words("train", words)
            config = with_absolute_paths(composed)
            settings = check_settings(config, words)
        except UserError as error:
            check_settings(compose_words("train", self.words), self.words)
            raise ImpossibleTrialError(str(error)) from error
        run_file = job.folder / RUN_FILE
        training = Job(
            config,
            job.folder,
            resumed=_is_resumable(job.folder, console),
            run_id=run_file.read_text().strip() if run_file.is_file() else None,
            experiment=EXPERIMENT,
            run_name=f"trial {job.number}",
            parent_id=self.run_id,
            tags={TRIAL_TAG: str(job.number)},
            watchers=[MeasuredEpochs(measured)],
            stop_after=job.stop_after,
        )
        return training, settings, name_photos(composed)

    def _gather(self, job: Job, settings: Settings, photos: str, console: Console) -> Material:
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
            self._check_photos(photos, material.fingerprint.text)
            self._material = key, material
        return self._material[1]

    def _check_photos(self, photos: str, fingerprint: str) -> None:
        """Refuse photos that are not those of the sweep's other workers, now or before.

        Raises:
            UserError: they are not.
        """
        if self._agree(photos, fingerprint) != fingerprint:
            raise UserError(
                f"{self.folder}: the photos are not those that the sweep was started with; bring "
                "those back, or start another sweep with another name=NAME and folder"
            )


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
