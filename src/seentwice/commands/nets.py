"""From a configuration to a net that trains itself on pair tables."""

from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import torch
from numpy.typing import NDArray
from omegaconf import DictConfig, OmegaConf
from pydantic import Field

from seentwice.commands.optimizers import read_optimizer
from seentwice.commands.settings import SeedSettings, read_settings
from seentwice.data.pairs import PairTable
from seentwice.data.views import EditChoice
from seentwice.detectors.whitening import whitening_features
from seentwice.errors import UserError
from seentwice.learn.quiet_lightning import OnEpoch
from seentwice.learn.siamese_task import SiameseTask
from seentwice.learn.tensorboard_files import open_board
from seentwice.learn.tracking import TrackedRun, epoch_logger
from seentwice.learn.training import (
    PairModule,
    TrainingSettings,
    Watcher,
    batches_of,
    fit_task,
    monitor_of,
)
from seentwice.models.augment import augment_looks
from seentwice.models.embedding_heads import EMBEDDING_HEADS
from seentwice.models.heads import HEADS, TWO_SPACES, build_head
from seentwice.models.losses import PAIR_LOSSES
from seentwice.models.nets import Architecture, SiameseNet, build_siamese
from seentwice.models.towers import UNIT_LENGTH, WhitenedTower, build_tower
from seentwice.models.trunk import Trunk


@dataclass(frozen=True, slots=True)
class WhiteningSettings:
    """The section `whitening`; see `fit_whitening`."""

    power: float
    ridge: Annotated[float, Field(gt=0)]


@dataclass(frozen=True, slots=True)
class TowerSettings:
    """The section `tower`."""

    name: str
    embedding_size: Annotated[int, Field(ge=1)] | None  # None is the size of the features
    trains: bool | None  # None: where its head learns nothing, so that something does
    shared: bool  # by both sides of a pair
    settings: dict[str, Any]  # the tower's own


def chosen_heads(config: DictConfig) -> tuple[str, ...]:
    """Return the names of the heads that the group `head` chose.

    Raises:
        UserError: none, or one that is not in the registry.
    """
    names = tuple(str(name) for name in config.get("head") or ())
    for name in names:
        if name not in HEADS:
            raise UserError(f"head {name!r}: choose one of {', '.join(sorted(HEADS))}")
    return names


def read_architecture(config: DictConfig, head: str, trunk: Trunk) -> Architecture:
    """Collect what a checkpoint must remember of the net that has a head on a trunk.

    Raises:
        UserError: a wrong setting of the tower, or a head without settings.
    """
    tower = read_settings(TowerSettings, config, "tower")
    chosen = config.head[head]
    if not isinstance(chosen, DictConfig):
        raise UserError(
            f"head.{head}={chosen}: choose its settings, as in configs/head/{head}.yaml"
        )
    settings: Any = OmegaConf.to_container(chosen, resolve=True)
    return Architecture(
        backbone=trunk.backbone,
        pooling=trunk.pooling,
        trained_blocks=config.backbone.trained_blocks,
        frozen_batchnorm=config.backbone.frozen_batchnorm,
        tower=tower.name,
        embedding_size=tower.embedding_size or trunk.feature_size,
        head=head,
        head_settings=settings,
        tower_settings=tower.settings,
        shared_towers=tower.shared,
    )


def check_nets(config: DictConfig, heads: Sequence[str], trunk: Trunk | None) -> None:
    """Build everything small once, so that a wrong setting is told before photos are read.

    Args:
        config: the composed configuration.
        heads: that will be trained.
        trunk: as they train it; None where there are none.

    Raises:
        UserError: a setting of the head, the tower, the training or the optimizer is wrong, or
            leaves a head nothing to train or to train on.
    """
    tower = read_settings(TowerSettings, config, "tower")
    build_tower(tower.name, 2, 2, tower.settings)
    training = read_settings(TrainingSettings, config, "training")
    _check_space(tower, training, heads)
    read_settings(WhiteningSettings, config, "whitening")
    if trunk is not None and tower.name == "whitened":
        if len(trunk.trained):
            raise UserError(
                "tower=whitened needs a frozen backbone (backbone.trained_blocks=0, "
                "frozen_batchnorm=eval); choose tower=linear"
            )
        if (tower.embedding_size or 0) > trunk.feature_size:
            raise UserError(
                f"tower.embedding_size={tower.embedding_size}: at most {trunk.feature_size}"
            )
    if trunk is not None:
        for head in heads:
            build_head(head, 2, read_architecture(config, head, trunk).head_settings)
            if head in EMBEDDING_HEADS and tower.trains is False and not len(trunk.trained):
                raise UserError(
                    f"tower.trains=false: {head} has nothing else to train; give tower.trains=true"
                )
    edits = read_settings(EditChoice, config, "edits").train
    for head in heads:
        if batches_of(head, training) == "copies" and not edits:
            raise UserError(
                f"{head} trains on photos beside their edited copies: give edits=mls, or "
                "edits.train=[NAMES]"
            )
    read_optimizer(config)


def _check_space(tower: TowerSettings, training: TrainingSettings, heads: Sequence[str]) -> None:
    """Refuse what needs one space of embeddings where there is none.

    Raises:
        UserError: the contrastive loss, or a head of which only the embeddings learn, with towers
            that give none of unit length or no one space; a head that compares channels, with two
            towers that start at random; two towers that never come to differ.
    """
    for head in heads:
        # Two whitened towers start as one, which does for a head that learns.
        is_one = tower.shared or (tower.name == "whitened" and head not in EMBEDDING_HEADS)
        if head not in TWO_SPACES and not is_one:
            raise UserError(
                f"head={head}: needs one space of embeddings; give tower.shared=true, or choose "
                f"head={' or '.join(sorted(TWO_SPACES))}"
            )
        if head in EMBEDDING_HEADS and tower.name not in UNIT_LENGTH:
            raise UserError(
                f"head={head}: needs embeddings of unit length; choose tower="
                f"{' or '.join(sorted(UNIT_LENGTH))}"
            )
    if training.contrastive_weight > 0:
        needs = f"training.contrastive_weight={training.contrastive_weight}: "
        if not tower.shared:
            raise UserError(
                f"{needs}compares embeddings in one space; give tower.shared=true, or "
                "training.contrastive_weight=0"
            )
        if tower.name not in UNIT_LENGTH:
            raise UserError(
                f"{needs}compares embeddings of unit length; choose tower="
                f"{' or '.join(sorted(UNIT_LENGTH))}, or training.contrastive_weight=0"
            )
    if not tower.shared and tower.name == "whitened" and not tower.trains:
        raise UserError(
            "tower.shared=false: two whitened towers that do not train are one; give "
            "tower.trains=true or tower.shared=true"
        )


def net_trainer(
    config: DictConfig,
    head: str,
    trunk: Trunk,
    folder: Path,
    unlabelled: NDArray[np.float32] | None,
    tracked: TrackedRun | None,
    fold: int | None,
    resume: bool,
    on_epoch: OnEpoch,
    watchers: Sequence[Watcher] = (),
    stop_after: int | None = None,
    board: Path | None = None,
) -> Callable[[PairTable, PairTable, NDArray[np.generic]], SiameseNet]:
    """Return the function that a `SiameseEvidence` trains its net with.

    Args:
        config: the composed configuration.
        head: a key of `HEADS`.
        trunk: as the nets train it; copied for each.
        folder: for Lightning's own files.
        unlabelled: (u, d) features of photos without labels, for the whitening.
        tracked: gets the metrics of every epoch.
        fold: prefixes the metrics' names where there are several.
        resume: go on from the last epoch found in `folder`.
        on_epoch: told of every epoch.
        watchers: see `fit_task`.
        stop_after: likewise.
        board: a folder that gets the metrics of every epoch as files of TensorBoard.
    """
    architecture = read_architecture(config, head, trunk)
    settings = read_settings(TrainingSettings, config, "training")
    settings = replace(
        settings, batches=batches_of(head, settings), monitor=monitor_of(head, settings)
    )
    tower = read_settings(TowerSettings, config, "tower")
    whitening = read_settings(WhiteningSettings, config, "whitening")
    seed = read_settings(SeedSettings, config, None).seed
    make_optimizer = read_optimizer(config)

    def train_net(
        train: PairTable, validation: PairTable, inputs: NDArray[np.generic]
    ) -> SiameseNet:
        # Afresh for each fold; what is frozen of it is not a part of the net.
        own = replace(trunk, stages=deepcopy(trunk.stages)) if len(trunk.trained) else trunk
        net = build_siamese(architecture, own, seed)
        trains = head in EMBEDDING_HEADS if tower.trains is None else tower.trains
        for own_tower in net.towers:
            if isinstance(own_tower, WhitenedTower):
                features = whitening_features(train, np.asarray(inputs), unlabelled)
                own_tower.start_from(torch.from_numpy(features), whitening.power, whitening.ridge)
            own_tower.requires_grad_(trains)
        augments = settings.augment and trunk.cut == 0
        augment = augment_looks if augments else torch.nn.Identity()
        task = SiameseTask(
            net,
            torch.from_numpy(inputs),
            make_optimizer,
            augment,
            seed,
            settings.contrastive_weight,
            settings.temperature,
            settings.schedule,
            PAIR_LOSSES[settings.loss],
        )
        prefix = "" if fold is None else f"fold{fold}"
        boards = () if board is None else (open_board(board),)
        fit_task(
            task,
            PairModule(train, validation, settings, seed),
            folder,
            [*([epoch_logger(tracked, prefix)] if tracked else ()), *boards],
            resume,
            on_epoch,
            watchers,
            stop_after,
        )
        return net.eval()

    return train_net
