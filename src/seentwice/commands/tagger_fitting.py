"""Fit a tagger on one split: heads, then the projection, then the temperatures."""

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from omegaconf import DictConfig

from seentwice.commands.optimizers import read_optimizer
from seentwice.commands.settings import SeedSettings, read_settings
from seentwice.commands.tagger_bench import TaggerBench
from seentwice.commands.tagger_settings import EmbeddingSettings, read_tagger_architecture
from seentwice.data.splits import Split
from seentwice.detectors.tag_calibration import fit_tag_temperature
from seentwice.errors import UserError
from seentwice.learn.tagger_task import TaggerTask
from seentwice.learn.tagger_training import PhotoModule, TaggerTraining, fit_tagger
from seentwice.learn.tracking import TrackedRun, epoch_logger
from seentwice.models.augment import augment_looks
from seentwice.models.photo_tagger import PhotoTagger, build_tagger, pass_trunk
from seentwice.models.tag_losses import balanced_weights
from seentwice.models.trunk import Trunk


@dataclass(frozen=True, slots=True, eq=False)
class TagAnswers:
    """What a tagger says of photos."""

    photos: NDArray[np.int64]  # (n,) indices into the data set's
    probabilities: NDArray[np.float32]  # (n, t) calibrated
    uncalibrated: NDArray[np.float32]  # (n, t) at a temperature of 1


def fit_on_split(
    config: DictConfig,
    bench: TaggerBench,
    split: Split,
    trunk: Trunk,
    folder: Path,
    tracked: TrackedRun,
    prefix: str,
    on_epoch: Callable[[int, int], None],
) -> PhotoTagger:
    """Train a tagger on the training photos; return it in eval mode.

    Args:
        config: the composed configuration.
        bench: the photos.
        split: training photos train, the others' labels calibrate and choose the best epoch.
        trunk: copied where blocks of it train.
        folder: for Lightning's own files.
        tracked: gets the metrics of every epoch.
        prefix: of their names.
        on_epoch: told of every epoch.

    Raises:
        UserError: a head has fewer than two labels among the training photos, no photo validates,
            or the training diverged.
    """
    settings = read_settings(TaggerTraining, config, "fitting")
    embedding = read_settings(EmbeddingSettings, config, "embedding")
    seed = read_settings(SeedSettings, config, None).seed
    train, validation = bench.known(split.train), bench.known(split.validation)
    _check_photos(bench, train, validation)
    # Afresh for each fold; what is frozen of it is not a part of the tagger.
    own = replace(trunk, stages=deepcopy(trunk.stages)) if len(trunk.trained) else trunk
    tags = bench.labels.tags
    tagger = build_tagger(read_tagger_architecture(config, trunk, tags), own, seed)
    rows, labels = torch.from_numpy(bench.rows), torch.from_numpy(bench.labels.number)
    counts = [torch.from_numpy(count) for count in bench.labels.count(train)]
    task = TaggerTask(
        tagger,
        rows,
        labels,
        [
            balanced_weights(count) if settings.class_weights else torch.ones(len(count))
            for count in counts
        ],
        read_optimizer(config),
        augment_looks if settings.augment and trunk.cut == 0 else torch.nn.Identity(),
        seed,
        settings.schedule,
    )
    module = PhotoModule(train, validation, settings.batch_size, seed)
    fit_tagger(task, module, settings, folder, [epoch_logger(tracked, prefix)], on_epoch)
    features = pass_trunk(tagger, rows, torch.from_numpy(train))
    tagger.projection.start_from(features, embedding.power, embedding.ridge)
    _fit_temperatures(tagger, rows, bench.labels.number, validation)
    return tagger.eval()


@torch.inference_mode()
def answer_photos(tagger: PhotoTagger, bench: TaggerBench, photos: NDArray[np.int64]) -> TagAnswers:
    """Return what a tagger says of those photos that could be read and have a label."""
    chosen = bench.known(photos)
    features = pass_trunk(tagger, torch.from_numpy(bench.rows), torch.from_numpy(chosen))
    plain = torch.cat([logits.softmax(dim=1) for logits in tagger(features)], dim=1)
    return TagAnswers(chosen, tagger.probabilities(features).numpy(), plain.numpy())


def _check_photos(
    bench: TaggerBench, train: NDArray[np.int64], validation: NDArray[np.int64]
) -> None:
    if not len(validation):
        raise UserError(
            "no validation photo has a label: add photos, or raise split.validation_share"
        )
    for head, count in zip(bench.labels.tags.heads, bench.labels.count(train), strict=True):
        if (count > 0).sum() < 2:
            raise UserError(
                f"{head.name}: the training photos have fewer than two of its labels "
                f"({', '.join(head.labels)}): add photos, or choose another split.seed"
            )


@torch.inference_mode()
def _fit_temperatures(
    tagger: PhotoTagger,
    rows: torch.Tensor,
    label: NDArray[np.int64],
    validation: NDArray[np.int64],
) -> None:
    logits = tagger(pass_trunk(tagger, rows, torch.from_numpy(validation)))
    found = []
    for one, column in zip(logits, label[validation].T, strict=True):
        known = column >= 0
        found.append(fit_tag_temperature(one.numpy()[known], column[known]))
    tagger.temperatures.copy_(torch.tensor(found))
