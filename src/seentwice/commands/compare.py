"""Fit detectors on one data set and put them side by side."""

import shlex
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Annotated

from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, OmegaConf
from pydantic import Field
from rich.console import Console

from seentwice.commands.banking import check_decoding, read_passing, read_row_type
from seentwice.commands.dataset_facts import describe_dataset
from seentwice.commands.decisions import check_decisions, read_threshold
from seentwice.commands.detectors import (
    BASELINE,
    ON_TRAINING_PAIRS,
    check_combine,
    choose_descriptors,
    make_baseline,
    make_head,
    name_detectors,
    needs_trunk,
)
from seentwice.commands.fingerprint import fingerprint_photos
from seentwice.commands.leaks import count_leaks, count_suspects, report_leaks
from seentwice.commands.looking import read_sampling
from seentwice.commands.mining import check_mining
from seentwice.commands.nets import check_nets, chosen_heads
from seentwice.commands.next_steps import NEXT, head_overrides, shared_overrides, write_command
from seentwice.commands.overrides import key_of
from seentwice.commands.pair_counts import print_tables
from seentwice.commands.place_batches import check_batches, overrides_of_one, tell_of_batches
from seentwice.commands.progress import (
    open_console,
    print_plainly,
    show_progress,
)
from seentwice.commands.provenance import describe_machine, git_commit, library_versions
from seentwice.commands.settings import read_settings
from seentwice.commands.tracked_values import metrics_to_track, parameters_to_track
from seentwice.commands.trunks import Trunks, name_backbone, read_trunks, tell_cut
from seentwice.commands.unlabelled import check_unlabelled
from seentwice.commands.workbench import Workbench, check_photo_settings, load_photos, set_up
from seentwice.compare.combining import combine_folds, measure_combination
from seentwice.compare.nearest import measure_nearest
from seentwice.compare.report import FILES, REPORT, write_report
from seentwice.compare.results import (
    CombinationResult,
    Comparison,
    DetectorResult,
    RetrievalResult,
    UnreadableFile,
)
from seentwice.compare.scoring import Scores, score_folds
from seentwice.compare.searches import Searches, plan_searches
from seentwice.compare.summary import (
    Bootstrap,
    HeldOutPairs,
    gather_test_pairs,
    summarise_scores,
)
from seentwice.compare.table import FOLDS_TO_TRY, best_head, has_folds_to_try, print_table
from seentwice.data.folds import most_folds
from seentwice.data.pairs import join_tables
from seentwice.data.source import Progress
from seentwice.data.splits import words_of
from seentwice.data.table_counts import count_tables
from seentwice.data.thumbnails import view_loader
from seentwice.detectors.combined import COMBINED
from seentwice.detectors.protocol import Detector
from seentwice.display import show_text
from seentwice.files import write_atomically
from seentwice.learn.dataset_inputs import log_dataset
from seentwice.learn.tracking import FOLDER_TAG, TrackedRun, check_store, shown_uri, track_run

EPOCHS = "epochs"  # the folder of Lightning's own files


@dataclass(frozen=True, slots=True)
class CompareSettings:
    """What stands at the top of the config."""

    baselines: tuple[str, ...]
    combine: tuple[str, ...] | None
    bootstrap_resamples: Annotated[int, Field(ge=1)]
    retrieval_pairs: Annotated[int, Field(ge=0)]
    folds: int | None
    seed: int
    max_pixels: int


@dataclass(frozen=True, slots=True)
class Stage:
    """What every detector of one comparison shares."""

    config: DictConfig
    settings: CompareSettings
    trunks: Trunks | None
    bench: Workbench
    test: HeldOutPairs
    searches: Searches | None
    bootstrap: Bootstrap
    folder: Path
    tags: Mapping[str, str]
    commit: str | None
    parent: TrackedRun
    console: Console


def run(config: DictConfig) -> None:
    """Score every detector on the same test pairs; print, write and track the comparison."""
    console = open_console()
    started = perf_counter()
    # Before anything else: what is edited while a run lasts is not what ran.
    commit = git_commit()
    folder = Path(HydraConfig.get().runtime.output_dir)
    settings = read_settings(CompareSettings, config, None)
    check_photo_settings(config)
    heads = chosen_heads(config)
    names = name_detectors(heads, settings.baselines)
    check_combine(settings.combine, names)
    learners = [name for name in settings.baselines if name in ON_TRAINING_PAIRS]
    check_batches(config, heads, learners, HydraConfig.get().overrides.task)
    trunks = read_trunks(config) if needs_trunk(heads, settings.baselines) else None
    check_unlabelled(config, trunks)
    check_nets(config, heads, trunks.own if trunks else None)
    check_decisions(config)
    check_mining(config, read_sampling(config))
    check_decoding(config, HydraConfig.get().overrides.task)
    check_store()
    descriptors = choose_descriptors(
        heads, settings.baselines, trunks, read_row_type(config), read_passing(config)
    )
    photo_set = load_photos(config, console)
    fingerprint = fingerprint_photos(photo_set, console)
    bench = set_up(
        config, photo_set, fingerprint, descriptors, trunks, settings.folds, True, console
    )
    print_tables(bench, folder, console)
    if trunks and heads:
        tell_cut(trunks.own, console)
    tell_of_batches(config, heads, console)
    report_leaks(bench, config, folder, console)
    config_yaml = OmegaConf.to_yaml(config, resolve=True)
    write_atomically(folder / "config.yaml", config_yaml)
    tags = {FOLDER_TAG: str(folder.resolve()), "seentwice.command": "compare"}
    with track_run("compare", f"{photo_set.name}, {name_backbone(config)}", tags) as parent:
        parent.log_parameters(parameters_to_track(config, bench, commit))
        log_dataset(parent, describe_dataset(bench))
        parent.log_file(folder / "config.yaml")
        tests = [tables.test for tables in bench.folds]
        test = gather_test_pairs(tests, bench.hashes)
        # Across folds a query's candidates are scored by several detectors: no one list of theirs.
        most = 0 if bench.splits[0].across else settings.retrieval_pairs
        searches = plan_searches(tests, test.view_cluster, most, settings.seed)
        bootstrap = Bootstrap(settings.bootstrap_resamples, settings.seed)
        stage = Stage(
            config=config,
            settings=settings,
            trunks=trunks,
            bench=bench,
            test=test,
            searches=searches,
            bootstrap=bootstrap,
            folder=folder,
            tags=tags,
            commit=commit,
            parent=parent,
            console=console,
        )
        scores: dict[str, Scores] = {}
        results = []
        for name, is_head in names.items():
            result, scores[name] = _compare_one(stage, name, is_head, scores)
            results.append(result)
        comparison = _collect(stage, results, scores, perf_counter() - started)
        with show_progress("Writing the report", console) as progress:
            load_view = view_loader(settings.max_pixels)
            write_report(comparison, test, scores, config_yaml, folder, load_view)
            for done, file in enumerate(FILES, 1):
                parent.log_file(folder / file)
                progress(done, len(FILES))
    # Of use only to choose the best epoch; `train` keeps a checkpoint.
    shutil.rmtree(folder / EPOCHS, ignore_errors=True)
    print_table(comparison, console)
    print_plainly(f"Report:  {folder / REPORT}", console)
    print_plainly(f"Runs:    mlflow ui --backend-store-uri {shown_uri()}", console)
    for line in _next_steps(comparison, config):
        print_plainly(line, console)


def _compare_one(
    stage: Stage, name: str, is_head: bool, others: Mapping[str, Scores]
) -> tuple[DetectorResult, Scores]:
    """Fit, score and measure one detector, as an MLflow run below the comparison's."""
    folds, find_threshold = stage.bench.folds, read_threshold(stage.config)
    with track_run("compare", name, stage.tags, stage.parent.run_id) as tracked:
        with show_progress(name, stage.console) as progress:
            searches = stage.searches.tables if stage.searches else ()
            if name == COMBINED:
                members = {one: others[one] for one in stage.settings.combine or others}
                scores = combine_folds(members, folds, searches, find_threshold)
            else:
                scores = score_folds(
                    lambda fold: _make_detector(stage, name, is_head, fold, tracked, progress),
                    folds,
                    stage.bench.described.rows,
                    searches,
                    find_threshold,
                )
            progress(1, 1)
        with show_progress(f"{name}: intervals", stage.console) as progress:
            baseline = others.get(BASELINE)
            result = summarise_scores(
                name,
                is_head,
                scores,
                baseline,
                stage.test,
                stage.searches,
                stage.bootstrap,
                progress,
            )
        tracked.log_parameters(
            {"detector": name, **parameters_to_track(stage.config, stage.bench, stage.commit)}
        )
        tracked.log_metrics(metrics_to_track(result))
    return result, scores


def _make_detector(
    stage: Stage, name: str, is_head: bool, fold: int, tracked: TrackedRun, progress: Progress
) -> Detector:
    """Return a fresh detector for one fold, whose progress counts towards that of all folds."""
    folds = len(stage.bench.folds)

    def advance(done: int, total: int) -> None:
        progress(fold * total + done, folds * total)

    if not is_head:
        bench = stage.bench
        return make_baseline(
            stage.config, name, bench.unlabelled, bench.unlabelled_windows, advance
        )
    assert stage.trunks is not None
    return make_head(
        stage.config,
        name,
        stage.trunks.own,
        stage.folder / EPOCHS / name / f"fold{fold}",
        stage.bench.unlabelled,
        tracked,
        fold if folds > 1 else None,
        advance,
    )


def _collect(
    stage: Stage, results: list[DetectorResult], scores: Mapping[str, Scores], seconds: float
) -> Comparison:
    config, bench = stage.config, stage.bench
    photos = bench.readable_photos
    best_first = sorted(results, key=lambda result: -result.metrics["average_precision"].value)
    return Comparison(
        data=show_text(bench.photo_set.name),
        data_fingerprint=bench.fingerprint,
        unlabelled_fingerprint=bench.unlabelled_fingerprint,
        photos=len(photos),
        places=len({photo.place for photo in photos}),
        properties=len({photo.property for photo in photos if photo.property}),
        unreadable=tuple(
            UnreadableFile(show_text(file.name), file.reason.value, file.detail)
            for file in bench.unreadable
        ),
        backbone=name_backbone(config),
        weights=str(config.backbone.weights),
        seed=stage.settings.seed,
        folds=len(bench.folds),
        most_folds=most_folds(bench.photo_set.photos, bench.rule),
        held_out=words_of(photos, bench.rule.by)[1],
        split_remarks=tuple(map(show_text, bench.split_remarks)),
        counts=count_tables(bench.folds),
        leaks=count_leaks(bench),
        suspects=count_suspects(bench),
        baseline=BASELINE,
        retrieval=_measure_nearest(stage),
        searches=stage.searches.count() if stage.searches else None,
        combination=_measure_combination(stage, scores),
        cluster=stage.test.cluster,
        clusters=stage.test.clusters,
        triplets=len(stage.test.triplets),
        resamples=stage.bootstrap.resamples,
        detectors=tuple(best_first),
        seconds=seconds,
        looking_seconds=bench.looking_seconds,
        photos_decoded=bench.described.decoded,
        # Of this job alone, also where it is one of a --multirun.
        command=shlex.join(["seentwice", "compare", *HydraConfig.get().overrides.task]),
        git_commit=stage.commit,
        versions=library_versions(),
        machine=describe_machine(),
    )


def _measure_nearest(stage: Stage) -> RetrievalResult | None:
    if "knn" not in stage.settings.baselines:
        return None
    tests = [tables.test for tables in stage.bench.folds]
    if stage.bench.splits[0].across:
        tests = [join_tables(tests)]
    rows = stage.bench.described.rows
    return measure_nearest(tests, rows, stage.test.view_cluster, stage.bootstrap)


def _measure_combination(stage: Stage, scores: Mapping[str, Scores]) -> CombinationResult | None:
    """What the combination adds to the best of the others; None where it is not compared."""
    if COMBINED not in scores:
        return None
    with show_progress(f"{COMBINED}: gain", stage.console) as progress:
        progress(0, 1)
        found = measure_combination(COMBINED, scores, stage.test, stage.bootstrap)
        progress(1, 1)
    return found


def _next_steps(comparison: Comparison, config: DictConfig) -> list[str]:
    """Return what to do next: with photos of one's own, with folds, for a checkpoint."""
    if HydraConfig.get().runtime.choices["data"] == "rooms":
        words = ["data=folder", "data.root=PHOTOS", "backbone=mobilenet_v2"]
        return [
            NEXT + write_command("compare", words),
            "  (photos named <room type>/<home>_<room>_<k>.jpg; seentwice compare --help)",
        ]
    lines = []
    if has_folds_to_try(comparison):
        words = [word for word in HydraConfig.get().overrides.task if key_of(word) != "folds"]
        lines.append(NEXT + write_command("compare", [*words, f"folds={FOLDS_TO_TRY}"]))
        lines.append("  (every photo is tested once)")
    best = best_head(comparison)
    if best is not None:
        words = overrides_of_one(config, best.name, shared_overrides("train"))
        words = [*head_overrides(config, best.name), *words]
        lines.append(NEXT + write_command("train", words))
        lines.append("  (a checkpoint of the best head)")
    return lines
