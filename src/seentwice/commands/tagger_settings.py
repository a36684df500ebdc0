"""What the command `tagger` is asked for, checked before any photo is read."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig
from pydantic import Field
from rich.console import Console

from seentwice.commands.optimizers import read_optimizer
from seentwice.commands.overrides import key_of
from seentwice.commands.progress import print_plainly
from seentwice.commands.settings import read_settings
from seentwice.data.source import PhotoSet
from seentwice.data.tag_labels import (
    HeadRule,
    TaggedLabels,
    label_photos,
    remark_rare,
    rules_of_columns,
)
from seentwice.errors import UserError
from seentwice.learn.tagger_training import TaggerTraining
from seentwice.models.photo_tagger import TaggerArchitecture
from seentwice.models.trunk import Trunk
from seentwice.records import TagSet

_OF_TRAINING = ("fitting", "embedding", "optimizer", "backbone", "split", "folds", "bundle", "seed")


@dataclass(frozen=True, slots=True)
class TagsSettings:
    """The section `tags`."""

    heads: dict[str, HeadRule] | None  # None: one for each column of a table


@dataclass(frozen=True, slots=True)
class EmbeddingSettings:
    """The section `embedding`; see `fit_whitening`."""

    size: Annotated[int, Field(ge=1)]
    power: Annotated[float, Field(ge=0, allow_inf_nan=False)]
    ridge: Annotated[float, Field(gt=0, allow_inf_nan=False)]


@dataclass(frozen=True, slots=True)
class TaggerSettings:
    """The keys at the top."""

    folds: int | None
    checkpoint: Path | None
    weights: str | None


def check_training(config: DictConfig, trunk: Trunk) -> None:
    """Read every setting of a training once.

    Raises:
        UserError: one is wrong, or the embedding is larger than the features.
    """
    read_settings(TaggerTraining, config, "fitting")
    size = read_settings(EmbeddingSettings, config, "embedding").size
    if size > trunk.feature_size:
        raise UserError(
            f"embedding.size={size}: {trunk.backbone} has {trunk.feature_size} features; give that "
            "or less"
        )
    read_settings(TagsSettings, config, "tags")
    read_optimizer(config)


def check_measuring(overrides: Sequence[str]) -> None:
    """Refuse overrides that a finished tagger has no use for.

    Raises:
        UserError: there is one.
    """
    for word in overrides:
        if key_of(word).partition(".")[0] in _OF_TRAINING:
            raise UserError(f"{word}: has no effect with checkpoint=FILE; leave it out")


def choose_labels(config: DictConfig, photo_set: PhotoSet, console: Console) -> TaggedLabels:
    """Return the labels of the photos; tell of values that stand for none, and of rare ones.

    Photos of a table have a head for each column, unless the heads were chosen.

    Raises:
        UserError: no head has photos of two labels.
    """
    photos = photo_set.photos
    rules: Mapping[str, HeadRule] | None = read_settings(TagsSettings, config, "tags").heads
    words = HydraConfig.get().overrides.task
    is_chosen = any(key_of(word).partition(".")[0] == "tags" for word in words)
    if rules is None or (not is_chosen and any(photo.tags for photo in photos)):
        rules = rules_of_columns(photos)
    labels = label_photos(photos, rules)
    for line in (*labels.remarks, *remark_rare(labels)):
        print_plainly(line, console)
    return labels


def read_tagger_architecture(config: DictConfig, trunk: Trunk, tags: TagSet) -> TaggerArchitecture:
    """Collect what a checkpoint must remember of a tagger on a trunk."""
    return TaggerArchitecture(
        backbone=trunk.backbone,
        pooling=trunk.pooling,
        trained_blocks=config.backbone.trained_blocks,
        frozen_batchnorm=config.backbone.frozen_batchnorm,
        heads=tags.heads,
        embedding_size=read_settings(EmbeddingSettings, config, "embedding").size,
    )
