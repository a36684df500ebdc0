"""Checkpoints of taggers, in the form of all checkpoints: see `net_file`."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import TypeAdapter
from torch import nn

from seentwice.errors import UserError
from seentwice.models.checkpoint import CHECKPOINT_FILE
from seentwice.models.checkpoint_trunk import rebuild_trunk
from seentwice.models.engines import Passing
from seentwice.models.net_file import (
    Metric,
    NetFormat,
    Seed,
    load_net,
    read_net_record,
    save_net,
)
from seentwice.models.photo_tagger import PhotoTagger, TaggerArchitecture, build_tagger
from seentwice.models.preprocessing import Preprocessing
from seentwice.models.trunk import Trunk, fingerprint_frozen

_FORM = NetFormat("seentwice-tagger-", 1, "seentwice tagger", CHECKPOINT_FILE)
FORMAT = _FORM.name


@dataclass(frozen=True, slots=True)
class TaggerRecord:
    """Everything about a tagger but its weights; the temperatures are among these."""

    architecture: TaggerArchitecture
    preprocessing: Preprocessing  # of photos, for the trunk
    trunk_weights: str  # where the trunk's weights came from: none, imagenet or a file's name
    trunk_seed: Seed  # of an untrained trunk
    trunk_fingerprint: str  # of its frozen stages; "" where there are none
    bundled: bool  # whether these are stored, too
    row_type: Literal["float32", "float16"]  # of what comes out of them
    passing: Passing  # how photos passed them
    data_name: str
    data_fingerprint: str
    seed: Seed
    split: dict[str, Any]  # the section of the configuration
    test_metrics: dict[str, Metric]
    versions: dict[str, str]
    machine: str
    git_commit: str | None
    # `digest_name` of each file that trained or validated it.
    learned_photos: tuple[str, ...] = ()  # no part of the JSON: there may be a million


_RECORDS = TypeAdapter(TaggerRecord)


@dataclass(frozen=True, slots=True, eq=False)
class OpenedTagger:
    """The parts of a tagger's checkpoint."""

    path: Path  # the file
    record: TaggerRecord
    trunk: Trunk  # its trained stages are the tagger's own
    tagger: PhotoTagger  # in eval mode


def save_tagger(
    path: Path, tagger: PhotoTagger, record: TaggerRecord, frozen: nn.Module | None = None
) -> None:
    """Write a tagger and its record, atomically.

    Args:
        path: in a folder that exists.
        tagger: its weights are written.
        record: of the tagger.
        frozen: the frozen stages of its trunk, where the record says that they are stored.
    """
    save_net(path, _FORM, tagger, record, frozen)


def read_tagger_record(path: Path) -> TaggerRecord:
    """Read what a checkpoint says of itself, without its weights.

    Raises:
        UserError: no such file, not a tagger's checkpoint, or a damaged one.
    """
    return read_net_record(path, _FORM, _RECORDS)


def open_tagger_checkpoint(given: Path, weights: str | None, option: str) -> OpenedTagger:
    """Read a tagger's checkpoint with all that it needs.

    Args:
        given: the file that `seentwice tagger` wrote, or its folder.
        weights: where those of a frozen trunk come from, see `rebuild_trunk`.
        option: how a command takes them, for errors: "weights=" or "--weights ".

    Raises:
        UserError: no such file, no tagger's checkpoint, a damaged one, or a trunk that cannot be
            had.
    """
    path = given / CHECKPOINT_FILE if given.is_dir() else given
    record = read_tagger_record(path)
    trunk = rebuild_trunk(path, record, weights, option)
    architecture = record.architecture
    if fingerprint_frozen(trunk) != record.trunk_fingerprint:
        raise UserError(
            f"checkpoint {path}: was trained on another {architecture.backbone} trunk "
            f"(weights {record.trunk_weights}); give the same weights"
        )
    tagger = load_net(path, _FORM, lambda: build_tagger(architecture, trunk, record.seed))
    return OpenedTagger(path, record, trunk, tagger)
