"""From names in the configuration to detectors, and to what each must see of a photo."""

import os
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from omegaconf import DictConfig
from pydantic import Field

from seentwice.commands.decisions import read_calibration
from seentwice.commands.nets import WhiteningSettings, net_trainer
from seentwice.commands.overrides import check_names
from seentwice.commands.settings import ReadingSettings, SeedSettings, read_settings
from seentwice.commands.trunks import Trunks
from seentwice.data.source import Progress
from seentwice.detectors.calibration import CalibratedDetector
from seentwice.detectors.combined import COMBINED
from seentwice.detectors.descriptor import Descriptor
from seentwice.detectors.hashes import hash_similarity
from seentwice.detectors.histogram import HistogramDescriptor, histogram_similarity
from seentwice.detectors.keypoints import LOCAL_FEATURES, KeypointDescriptor
from seentwice.detectors.knn import NearestPairs
from seentwice.detectors.protocol import Detector
from seentwice.detectors.regions import REGIONS, RegionSimilarity
from seentwice.detectors.siamese import SiameseEvidence
from seentwice.detectors.similarity import ZeroShot
from seentwice.detectors.trunk import (
    FEATURES,
    RowType,
    TrunkDescriptor,
    cosine_similarity,
    describe_input,
    input_name,
)
from seentwice.detectors.verification import VerifiedMatches
from seentwice.detectors.whitening import WhitenedCosine
from seentwice.detectors.windows import WindowDescriptor
from seentwice.errors import UserError
from seentwice.hashing import HASHES
from seentwice.learn.tracking import TrackedRun
from seentwice.models.engines import Passing
from seentwice.models.trunk import Trunk

BASELINE = "cosine"
"""The detector that learns nothing: the others are measured against it, pair by pair."""

ON_FEATURES = (BASELINE, "whitened_cosine", "knn")
ON_TRAINING_PAIRS = ("whitened_cosine", REGIONS, "knn")  # the last alone from their labels
BASELINES = (*ON_FEATURES, REGIONS, "histogram", *HASHES, *LOCAL_FEATURES, COMBINED)


@dataclass(frozen=True, slots=True)
class KnnSettings:
    """The section `knn`."""

    neighbours: Annotated[tuple[Annotated[int, Field(ge=1)], ...], Field(min_length=1)]
    max_pairs: Annotated[int, Field(ge=2)]  # training pairs it remembers


@dataclass(frozen=True, slots=True)
class BaselineSettings:
    """What the baselines take from the top of the config."""

    knn: KnnSettings
    whitening: WhiteningSettings


def check_baselines(names: Sequence[str], heads: Sequence[str]) -> None:
    """Refuse baselines that cannot be compared.

    Args:
        names: of the baselines.
        heads: names of the heads beside them.

    Raises:
        UserError: a name that is not in `BASELINES`, which it lists, or stands there twice; or too
            few detectors to combine.
    """
    for name in names:
        if name not in BASELINES:
            raise UserError(f"baselines: no {name!r}: choose from {', '.join(BASELINES)}")
    check_names("baselines", names)
    if COMBINED in names and len(names) + len(heads) < 3:
        raise UserError(f"baselines: {COMBINED} combines all others: name two of them or more")


def check_combine(combine: Sequence[str] | None, names: Collection[str]) -> None:
    """Refuse a choice of what `combined` weighs that is none.

    Args:
        combine: the choice; None is all others.
        names: of the detectors of the run; without `COMBINED` nothing is chosen.

    Raises:
        UserError: fewer than two members, or one that is not in the run or stands there twice.
    """
    if combine is None or COMBINED not in names:
        return
    others = [name for name in names if name != COMBINED]
    for name in combine:
        if name not in others:
            raise UserError(
                f"combine: no {name!r} in this run: choose from {', '.join(others)}, or null"
            )
    check_names("combine", combine)
    if len(combine) < 2:
        raise UserError("combine: name two detectors of the run or more, or null for all others")


def needs_trunk(heads: Sequence[str], baselines: Sequence[str]) -> bool:
    """Say whether any of the detectors looks through the backbone."""
    return bool(heads) or any(name in (*ON_FEATURES, REGIONS) for name in baselines)


def choose_descriptors(
    heads: Sequence[str],
    baselines: Sequence[str],
    trunks: Trunks | None,
    dtype: RowType,
    passing: Passing,
) -> list[Descriptor]:
    """Return what the detectors must see of each view, hashes aside, and no more.

    Args:
        heads: names of heads.
        baselines: names of baselines.
        trunks: what they look through; None where none does.
        dtype: of a trunk's rows.
        passing: how they are computed.

    Raises:
        UserError: the engine is not installed, or cannot take the trunk; the trunk has no map of
            which windows are compared; or OpenCV is not installed.
    """
    chosen: dict[str, Descriptor] = {}
    if trunks is not None and REGIONS in baselines:
        chosen[FEATURES] = WindowDescriptor(trunks.frozen, dtype, passing)
    if trunks is not None and heads and input_name(trunks.own) not in chosen:
        seen = describe_input(trunks.own, dtype, passing)
        chosen[seen.name] = seen
    on_features = any(name in ON_FEATURES for name in baselines)
    if trunks is not None and on_features and FEATURES not in chosen:
        chosen[FEATURES] = TrunkDescriptor(trunks.frozen, dtype, passing)
    if "histogram" in baselines:
        chosen[HistogramDescriptor.name] = HistogramDescriptor()
    for name in LOCAL_FEATURES:
        if name in baselines:
            chosen[name] = KeypointDescriptor(name)
    return list(chosen.values())


def make_head(
    config: DictConfig,
    name: str,
    trunk: Trunk,
    folder: Path,
    unlabelled: NDArray[np.float32] | None,
    tracked: TrackedRun,
    fold: int | None,
    on_progress: Progress,
) -> Detector:
    """Return the detector of a head that `fit` trains; see `net_trainer` for the arguments."""
    trainer = net_trainer(
        config,
        name,
        trunk,
        folder,
        unlabelled,
        tracked,
        fold,
        False,
        on_progress,
    )
    return CalibratedDetector(SiameseEvidence(trainer, input_name(trunk)), read_calibration(config))


def make_baseline(
    config: DictConfig,
    name: str,
    unlabelled: NDArray[np.float32] | None,
    unlabelled_windows: NDArray[np.float32] | None,
    on_progress: Progress,
) -> Detector:
    """Return one of `BASELINES` but the combination, which takes what the others say.

    Args:
        config: the composed configuration.
        name: of the baseline.
        unlabelled: (u, d) features of photos without labels, for the whitening.
        unlabelled_windows: (w, d) of their windows, likewise.
        on_progress: told of pairs that are searched for or matched, where that takes long.
    """
    settings = read_settings(BaselineSettings, config, None)
    power, ridge = settings.whitening.power, settings.whitening.ridge
    if name == BASELINE:
        return CalibratedDetector(ZeroShot(cosine_similarity))
    if name == "whitened_cosine":
        return CalibratedDetector(WhitenedCosine(power, ridge, unlabelled))
    if name == REGIONS:
        return CalibratedDetector(RegionSimilarity(power, ridge, unlabelled_windows, on_progress))
    if name == "knn":
        knn, seed = settings.knn, read_settings(SeedSettings, config, None).seed
        return CalibratedDetector(NearestPairs(knn.neighbours, knn.max_pairs, seed, on_progress))
    if name == "histogram":
        return CalibratedDetector(ZeroShot(histogram_similarity))
    if name in LOCAL_FEATURES:
        threads = read_settings(ReadingSettings, config, None).workers or os.cpu_count() or 1
        return CalibratedDetector(VerifiedMatches(name, threads, on_progress))
    return CalibratedDetector(ZeroShot(hash_similarity(name)))


def name_detectors(heads: Sequence[str], baselines: Sequence[str]) -> dict[str, bool]:
    """Return name -> whether it is a head, the baseline first and what combines the others last.

    Raises:
        UserError: an unknown name, or nothing to compare.
    """
    check_baselines(baselines, heads)
    if not heads and not baselines:
        raise UserError("nothing to compare: choose heads (head=[l1,l2]) or baselines")
    names = dict.fromkeys(heads, True) | dict.fromkeys(baselines, False)
    places = {BASELINE: 0, COMBINED: 2}
    return dict(sorted(names.items(), key=lambda item: places.get(item[0], 1)))
