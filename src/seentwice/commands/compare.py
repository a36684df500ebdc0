"""Fit detectors on one data set and put them side by side."""

import shlex
import shutil
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Annotated

import numpy as np
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, OmegaConf
from PIL import Image
from pydantic import Field
from rich.console import Console

from seentwice.commands.nets import WhiteningSettings, check_nets, chosen_heads, net_trainer
from seentwice.commands.progress import open_console, show_progress
from seentwice.commands.provenance import describe_machine, git_commit, library_versions
from seentwice.commands.settings import read_settings
from seentwice.commands.workbench import (
    Workbench,
    fingerprint_photos,
    load_photos,
    read_trunk,
    set_up,
)
from seentwice.compare.report import FILES, REPORT, write_report
from seentwice.compare.results import Comparison, DetectorResult, UnreadableFile
from seentwice.compare.scoring import Scores, score_folds
from seentwice.compare.summary import (
    Bootstrap,
    TestPairs,
    count_tables,
    gather_test_pairs,
    interval_of_share,
    summarise_scores,
)
from seentwice.compare.table import print_table
from seentwice.data.pairs import codes_of
from seentwice.data.splits import group_of
from seentwice.detectors.calibration import CalibratedDetector
from seentwice.detectors.describe import Descriptor
from seentwice.detectors.hashes import hash_similarity
from seentwice.detectors.histogram import HistogramDescriptor, histogram_similarity
from seentwice.detectors.knn import NearestPairs, retrieve_nearest
from seentwice.detectors.protocol import Detector
from seentwice.detectors.siamese import SiameseEvidence
from seentwice.detectors.similarity import ZeroShot
from seentwice.detectors.trunk import PixelDescriptor, TrunkDescriptor, cosine_similarity
from seentwice.detectors.whitening import WhitenedCosine
from seentwice.edits import apply_edit
from seentwice.errors import UserError
from seentwice.files import write_atomically
from seentwice.hashing import HASHES
from seentwice.learn.tracking import FOLDER_TAG, TrackedRun, track_run, tracking_uri
from seentwice.photos import read_photo
from seentwice.records import Interval, View

EXAMPLES = """\
  seentwice compare                                     the embedded rooms, 5 minutes
  seentwice compare data=folder data.root=PHOTOS backbone=mobilenet_v2 folds=5
  seentwice compare data=houses data.root=houses backbone=mobilenet_v2 head=[l1,l2]
  seentwice compare baselines=[cosine,perception] head=l2 seed=1,2,3 --multirun
"""

EPOCHS = "epochs"  # the folder of Lightning's own files

BASELINE = "cosine"
"""The detector that trains nothing: the others are measured against it, pair by pair."""

BASELINES = (BASELINE, "whitened_cosine", "knn", "histogram", *HASHES)


@dataclass(frozen=True, slots=True)
class KnnSettings:
    """The section `knn`."""

    neighbours: Annotated[tuple[Annotated[int, Field(ge=1)], ...], Field(min_length=1)]
    max_pairs: Annotated[int, Field(ge=2)]  # training pairs it remembers


@dataclass(frozen=True, slots=True)
class CompareSettings:
    """What stands at the top of the config."""

    baselines: tuple[str, ...]
    knn: KnnSettings
    whitening: WhiteningSettings
    bootstrap_resamples: Annotated[int, Field(ge=1)]
    folds: int | None
    seed: int
    max_pixels: int


@dataclass(frozen=True, slots=True)
class Stage:
    """What every detector of one comparison shares."""

    config: DictConfig
    settings: CompareSettings
    bench: Workbench
    test: TestPairs
    bootstrap: Bootstrap
    folder: Path
    tags: Mapping[str, str]
    parent: TrackedRun
    console: Console


def run(config: DictConfig) -> None:
    """Score every detector on the same test pairs; print, write and track the comparison."""
    console = open_console()
    started = perf_counter()
    folder = Path(HydraConfig.get().runtime.output_dir)
    settings = read_settings(CompareSettings, config, None)
    heads = chosen_heads(config)
    names = _chosen_detectors(heads, settings.baselines)
    check_nets(config, heads)
    trunk = read_trunk(config)
    descriptors: list[Descriptor] = [TrunkDescriptor(trunk), HistogramDescriptor()]
    if config.backbone.trains:
        descriptors.append(PixelDescriptor(trunk.preprocessing))
    photo_set = load_photos(config, console)
    fingerprint = fingerprint_photos(photo_set, console)
    bench = set_up(config, photo_set, fingerprint, descriptors, trunk, settings.folds, console)
    _print_counts(bench, console)
    config_yaml = OmegaConf.to_yaml(config, resolve=True)
    write_atomically(folder / "config.yaml", config_yaml)
    tags = {FOLDER_TAG: str(folder.resolve()), "seentwice.command": "compare"}
    with track_run("compare", f"{photo_set.name}, {config.backbone.name}", tags) as parent:
        parent.log_parameters(_parameters(config, bench))
        parent.log_file(folder / "config.yaml")
        test = gather_test_pairs(bench.folds)
        bootstrap = Bootstrap(settings.bootstrap_resamples, settings.seed)
        stage = Stage(config, settings, bench, test, bootstrap, folder, tags, parent, console)
        scores: dict[str, Scores] = {}
        results = []
        for name, is_trained in names.items():
            result, scores[name] = _compare_one(stage, name, is_trained, scores.get(BASELINE))
            results.append(result)
        comparison = _collect(stage, results, perf_counter() - started)
        write_report(
            comparison, test, scores, config_yaml, folder, _view_loader(settings.max_pixels)
        )
        for file in FILES:
            parent.log_file(folder / file)
    # Of use only to choose the best epoch; `train` keeps a checkpoint.
    shutil.rmtree(folder / EPOCHS, ignore_errors=True)
    print_table(comparison, console)
    _print_next(folder, console)


def _chosen_detectors(heads: Sequence[str], baselines: Sequence[str]) -> dict[str, bool]:
    """Return name -> whether it is a trained head, the baseline first.

    Raises:
        UserError: an unknown name, or nothing to compare.
    """
    for name in baselines:
        if name not in BASELINES:
            raise UserError(f"baselines: no {name!r}: choose from {', '.join(BASELINES)}")
    if not heads and not baselines:
        raise UserError("nothing to compare: choose heads (head=[l1,l2]) or baselines")
    first = [name for name in baselines if name == BASELINE]
    return (
        dict.fromkeys(first, False) | dict.fromkeys(heads, True) | dict.fromkeys(baselines, False)
    )


def _compare_one(
    stage: Stage, name: str, is_trained: bool, baseline: Scores | None
) -> tuple[DetectorResult, Scores]:
    """Fit, score and measure one detector, as an MLflow run below the comparison's."""
    folds = len(stage.bench.folds)
    with (
        track_run("compare", name, stage.tags, stage.parent) as tracked,
        show_progress(name, stage.console) as progress,
    ):
        make = (
            _head_maker(stage, name, tracked, progress)
            if is_trained
            else lambda _: _make_baseline(stage, name)
        )
        scores = score_folds(make, stage.bench.folds, stage.bench.described.rows)
        result = summarise_scores(name, is_trained, scores, baseline, stage.test, stage.bootstrap)
        progress(folds, folds)
        tracked.log_parameters({"detector": name, "folds": folds, "seed": stage.settings.seed})
        tracked.log_metrics(_metrics_to_track(result))
    return result, scores


def _head_maker(
    stage: Stage, name: str, tracked: TrackedRun, progress: Callable[[int, int], None]
) -> Callable[[int], Detector]:
    """Return what makes the detector of a fold from a head that is still to be trained."""
    config, folds = stage.config, len(stage.bench.folds)
    inputs = PixelDescriptor.name if config.backbone.trains else TrunkDescriptor.name

    def make(fold: int) -> Detector:
        trainer = net_trainer(
            config,
            name,
            stage.folder / EPOCHS / name / f"fold{fold}",
            stage.bench.unlabelled,
            tracked,
            fold if folds > 1 else None,
            False,
            lambda done, total, _: progress(fold * total + done, folds * total),
        )
        return CalibratedDetector(SiameseEvidence(trainer, inputs))

    return make


def _make_baseline(stage: Stage, name: str) -> Detector:
    settings = stage.settings
    if name == BASELINE:
        return CalibratedDetector(ZeroShot(cosine_similarity))
    if name == "whitened_cosine":
        whitening = settings.whitening
        return CalibratedDetector(
            WhitenedCosine(whitening.power, whitening.ridge, stage.bench.unlabelled)
        )
    if name == "histogram":
        return CalibratedDetector(ZeroShot(histogram_similarity))
    if name == "knn":
        return CalibratedDetector(
            NearestPairs(settings.knn.neighbours, settings.knn.max_pairs, settings.seed)
        )
    return CalibratedDetector(ZeroShot(hash_similarity(name)))


def _metrics_to_track(result: DetectorResult) -> dict[str, float]:
    metrics = {"fit_seconds": result.fit_seconds, "pairs_per_second": result.pairs_per_second}
    for name, interval in result.metrics.items():
        metrics[f"test/{name}"] = interval.value
        metrics[f"test/{name}_low"], metrics[f"test/{name}_high"] = interval.low, interval.high
    return {name: value for name, value in metrics.items() if np.isfinite(value)}


def _parameters(config: DictConfig, bench: Workbench) -> dict[str, object]:
    return {
        "data": bench.photo_set.name,
        "data_fingerprint": bench.fingerprint,
        "backbone": config.backbone.name,
        "git_commit": git_commit(),
        "seed": config.seed,
        "folds": len(bench.folds),
    }


def _collect(stage: Stage, results: list[DetectorResult], seconds: float) -> Comparison:
    config, bench = stage.config, stage.bench
    photos = bench.photo_set.photos
    best_first = sorted(results, key=lambda result: -result.metrics["average_precision"].value)
    return Comparison(
        data=bench.photo_set.name,
        data_fingerprint=bench.fingerprint,
        photos=len(photos),
        places=len({photo.place for photo in photos}),
        properties=len({photo.property for photo in photos if photo.property}),
        unreadable=tuple(
            UnreadableFile(str(file.path), file.reason.value, file.detail)
            for file in bench.unreadable
        ),
        backbone=config.backbone.name,
        weights=str(config.backbone.weights),
        seed=stage.settings.seed,
        folds=len(bench.folds),
        counts=count_tables(bench.folds),
        baseline=BASELINE,
        nearest_is_same_place=_measure_retrieval(stage),
        cluster=stage.test.cluster,
        clusters=stage.test.clusters,
        resamples=stage.bootstrap.resamples,
        detectors=tuple(best_first),
        seconds=seconds,
        command=shlex.join(["seentwice", "compare", *sys.argv[1:]]),
        git_commit=git_commit(),
        versions=library_versions(),
        machine=describe_machine(),
    )


def _measure_retrieval(stage: Stage) -> Interval | None:
    """The second form of the KNN baseline, over the test views of all folds."""
    if "knn" not in stage.settings.baselines:
        return None
    found = [
        retrieve_nearest(tables.test, stage.bench.described.rows) for tables in stage.bench.folds
    ]
    query = np.concatenate([retrieval.query for retrieval in found])
    views = stage.bench.plan.views
    cluster = codes_of([group_of(views[index].photo) for index in query])
    hits = np.concatenate([retrieval.hit for retrieval in found])
    return interval_of_share(hits, cluster, stage.bootstrap)


def _view_loader(max_pixels: int) -> Callable[[View], Image.Image]:
    def load(view: View) -> Image.Image:
        image = read_photo(view.photo.path, max_pixels)
        return apply_edit(image, view.edit) if view.edit else image

    return load


def _print_counts(bench: Workbench, console: Console) -> None:
    photos = bench.photo_set.photos
    console.print(
        f"{bench.photo_set.name}: {len(photos):,} photos of "
        f"{len({photo.place for photo in photos}):,} places, {len(bench.plan.views):,} views",
        markup=False,
        highlight=False,
    )
    for file in bench.unreadable:
        console.print(
            f"  no photo: {file.path}: {file.reason.value} ({file.detail})",
            markup=False,
            highlight=False,
            soft_wrap=True,
        )
    for count in count_tables(bench.folds):
        pairs = ", ".join(
            f"{number:,} {kind.replace('_', ' ')}" for kind, number in count.pairs.items() if number
        )
        console.print(f"  {count.split}: {count.views:,} views; {pairs}", highlight=False)


def _print_next(folder: Path, console: Console) -> None:
    lines = [
        f"Report:  {folder / REPORT}",
        f"Runs:    mlflow ui --backend-store-uri {tracking_uri()}",
        "Next:    seentwice compare data=folder data.root=PHOTOS backbone=mobilenet_v2",
        "         (photos named <room type>/<city>_<room id>_<k>.jpg; seentwice compare --help)",
    ]
    for line in lines:
        console.print(line, markup=False, highlight=False, soft_wrap=True)
