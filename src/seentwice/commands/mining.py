"""The net that hard negatives are mined with, from the section `mining`."""

from collections.abc import Collection, Sequence
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from omegaconf import DictConfig
from pydantic import Field

from seentwice.commands.fingerprint import digest_name
from seentwice.commands.settings import read_settings
from seentwice.commands.trunks import Trunks
from seentwice.data.sampling.mix import NEEDS_MODEL
from seentwice.data.tables import MixedSampling, Sampling
from seentwice.detectors.descriptor import Rows
from seentwice.detectors.neighbours import nearest_views
from seentwice.detectors.trunk import input_name
from seentwice.errors import UserError
from seentwice.files import digest_file
from seentwice.models.checkpoint import load_checkpoint, read_record
from seentwice.models.nets import SiameseNet


@dataclass(frozen=True, slots=True)
class MiningSettings:
    """The section `mining`."""

    checkpoint: Path | None
    neighbours: Annotated[int, Field(ge=2)]  # how many of a view's nearest ones are looked at


@dataclass(frozen=True, slots=True)
class Mining:
    """Where hard negatives come from, for the record of what learns from them."""

    checkpoint: Path  # as it was given
    sha256: str  # of the file
    learned_photos: tuple[str, ...]  # `digest_name` of each file that it has learned from

    @property
    def parameters(self) -> dict[str, object]:
        """What a run is tracked with."""
        return {"mining_checkpoint": self.checkpoint, "mining_sha256": self.sha256}


@dataclass(frozen=True, slots=True)
class Miner:
    """A trained net, and what it takes of a view."""

    net: SiameseNet
    inputs: str  # the descriptor whose rows the net takes
    neighbours: int
    mining: Mining

    def find_nearest(self, rows: Rows, members: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return each member's nearest ones, (m, k), as indices into the members."""
        return nearest_views(self.net, rows[self.inputs], members, self.neighbours)


def check_mining(config: DictConfig, sampling: Sampling) -> MiningSettings | None:
    """Return the section `mining` where hard negatives are wanted.

    Raises:
        UserError: hard negatives without a checkpoint, or the other way round; or no such file.
    """
    is_wanted = isinstance(sampling, MixedSampling) and sampling.train.negatives.hard > 0
    if "mining" not in config:
        if is_wanted:
            raise UserError(
                "sampling.train.negatives.hard: only train and compare mine; set it to 0"
            )
        return None
    settings = read_settings(MiningSettings, config, "mining")
    if settings.checkpoint is None:
        if is_wanted:
            raise UserError(NEEDS_MODEL)
        return None
    if not is_wanted:
        raise UserError(
            f"mining.checkpoint={settings.checkpoint}: nothing is mined; "
            "give sampling.train.negatives.hard a weight (sampling=mixed)"
        )
    read_record(settings.checkpoint)
    return settings


def read_miner(
    config: DictConfig,
    sampling: Sampling,
    tested: Sequence[bytes],
    trunks: Trunks | None,
    described: Collection[str],
) -> Miner | None:
    """Load the net that `mining.checkpoint` names; None where no hard negatives are wanted.

    Its backbone must be the one that is trained with, so that each photo passes a trunk once.

    Args:
        config: the composed configuration.
        sampling: whether it wants hard negatives.
        tested: the sha256 of each file that is tested, in any fold.
        trunks: what the detectors look through; None where none does.
        described: names of the descriptors whose rows there will be.

    Raises:
        UserError: see `check_mining`; or a file with another backbone, or one that has
            learned from photos that are tested here.
    """
    settings = check_mining(config, sampling)
    if settings is None:
        return None
    path = settings.checkpoint
    assert path is not None
    record = read_record(path)
    if trunks is None or input_name(trunks.own) not in described:
        raise UserError("mining.checkpoint: choose a head; no other detector learns from negatives")
    mined = record.architecture
    for key, theirs in (
        ("name", mined.backbone),
        ("pooling", mined.pooling),
        ("trained_blocks", mined.trained_blocks),
        ("frozen_batchnorm", mined.frozen_batchnorm),
        ("normalisation", record.preprocessing.normalisation),
    ):
        if theirs != (trunks.own.backbone if key == "name" else config.backbone[key]):
            raise UserError(
                f"mining.checkpoint={path}: its backbone.{key} is {theirs}; choose the same"
            )
    if record.preprocessing != trunks.own.preprocessing:
        raise UserError(
            f"mining.checkpoint={path}: its backbone took photos of another size, mean or "
            "deviation; train it again with this version"
        )
    if not mined.shared_towers:
        raise UserError(
            f"mining.checkpoint={path}: its towers are not shared, so it has no one space in which "
            "views are near; choose a net that was trained with tower.shared=true"
        )
    learned = set(record.learned_photos)
    known = sum(digest_name(digest) in learned for digest in tested)
    if known:
        raise UserError(
            f"mining.checkpoint={path}: has learned from {known:,} photos that are tested here; "
            "choose the split that it was trained with, or mine with a net of other photos"
        )
    # A copy: what trained of it is loaded, and detectors train their own.
    net = load_checkpoint(path, record, deepcopy(trunks.own))
    sha256 = digest_file(path).hex()
    return Miner(
        net,
        input_name(trunks.own),
        settings.neighbours,
        Mining(path, sha256, record.learned_photos),
    )
