"""Train one classifier of photos, write its checkpoint and measure it; or measure one again."""

from collections.abc import Sequence
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, OmegaConf
from rich.console import Console

from seentwice.commands.banking import read_passing, read_row_type
from seentwice.commands.fingerprint import digest_name
from seentwice.commands.progress import open_console, print_plainly, show_progress
from seentwice.commands.provenance import describe_machine, git_commit, library_versions
from seentwice.commands.settings import BundleSettings, SeedSettings, read_settings
from seentwice.commands.splits import choose_splits
from seentwice.commands.tagger_again import measure_tagger
from seentwice.commands.tagger_bench import INCOMPLETE, TaggerBench, set_up_tagger
from seentwice.commands.tagger_fitting import answer_photos, fit_on_split
from seentwice.commands.tagger_report import TaggerReport, report_answers, write_tagger_report
from seentwice.commands.tagger_settings import (
    TaggerSettings,
    check_measuring,
    check_training,
    choose_labels,
    read_tagger_architecture,
)
from seentwice.commands.trunks import read_trunks, tell_cut
from seentwice.commands.workbench import check_photo_settings, load_photos
from seentwice.data.splits import Split
from seentwice.detectors.trunk import describe_input
from seentwice.errors import UserError
from seentwice.files import write_atomically
from seentwice.learn.tracking import FOLDER_TAG, RUN_FILE, check_store, track_run
from seentwice.models.checkpoint import CHECKPOINT_FILE
from seentwice.models.tagger_checkpoint import (
    TaggerRecord,
    open_tagger_checkpoint,
    save_tagger,
)
from seentwice.models.trunk import Trunk, fingerprint_frozen


def run(config: DictConfig) -> int:
    """Train on the training photos and measure the test photos, of one split or of folds.

    Returns:
        1 where some files gave no photo, or a checkpoint's own data do not give what it claims,
        otherwise 0.
    """
    console = open_console()
    check_photo_settings(config)
    settings = read_settings(TaggerSettings, config, None)
    if settings.checkpoint is not None:
        check_measuring(HydraConfig.get().overrides.task)
        opened = open_tagger_checkpoint(settings.checkpoint, settings.weights, "weights=")
        return measure_tagger(config, opened, console)
    if settings.weights is not None:
        raise UserError(
            f"weights={settings.weights}: of which checkpoint? add checkpoint=FILE; those of a "
            "trunk to train on are backbone.weights="
        )
    trunk = read_trunks(config).own
    check_training(config, trunk)
    check_store()
    return INCOMPLETE if _train(config, settings, trunk, console).is_incomplete else 0


def _train(
    config: DictConfig, settings: TaggerSettings, trunk: Trunk, console: Console
) -> TaggerBench:
    folder = Path(HydraConfig.get().runtime.output_dir)
    photo_set = load_photos(config, console)
    labels = choose_labels(config, photo_set, console)
    splits = choose_splits(config, photo_set, settings.folds, True, console).splits
    seen = describe_input(trunk, read_row_type(config), read_passing(config))
    tell_cut(trunk, console)
    bench = set_up_tagger(config, photo_set, labels, seen, console)
    tags = {FOLDER_TAG: str(folder.resolve()), "seentwice.command": "tagger"}
    with track_run("tagger", "+".join(head.name for head in labels.tags.heads), tags) as tracked:
        write_atomically(folder / RUN_FILE, f"{tracked.run_id}\n")
        answers, taggers = [], []
        started = perf_counter()
        with show_progress("Training", console) as progress:
            for fold, split in enumerate(splits):

                def advance(done: int, total: int, before: int = fold) -> None:
                    progress(before * total + done, len(splits) * total)

                prefix = f"fold{fold}" if len(splits) > 1 else ""
                tagger = fit_on_split(config, bench, split, trunk, folder, tracked, prefix, advance)
                answers.append(answer_photos(tagger, bench, split.test))
                taggers.append(tagger)
        report = report_answers(
            bench,
            answers,
            [tagger.temperatures.tolist() for tagger in taggers],
            _count_photos(bench, splits),
            perf_counter() - started,
        )
        files = write_tagger_report(report, bench, answers, config, folder, console)
        tracked.log_parameters(
            {"data": photo_set.name, "backbone": trunk.backbone, "seed": config.seed}
        )
        tracked.log_metrics({f"test/{name}": value for name, value in report.metrics.items()})
        if settings.folds is None:
            path = folder / CHECKPOINT_FILE
            record = _record(config, trunk, bench, splits[0], report)
            save_tagger(path, taggers[0], record, trunk.frozen if record.bundled else None)
            files.append(path)
            print_plainly(f"Checkpoint: {path}", console)
        for file in files:
            tracked.log_file(file)
    return bench


def _count_photos(bench: TaggerBench, splits: Sequence[Split]) -> dict[str, int]:
    """Return how many photos train, validate and are tested, all folds together."""
    return {
        f"{part}_photos": sum(len(bench.known(getattr(split, part))) for split in splits)
        for part in ("train", "validation", "test")
    }


def _record(
    config: DictConfig, trunk: Trunk, bench: TaggerBench, split: Split, report: TaggerReport
) -> TaggerRecord:
    files = bench.fingerprint.files
    own = np.union1d(bench.known(split.train), bench.known(split.validation))
    section: Any = OmegaConf.to_container(config.split, resolve=True)
    return TaggerRecord(
        architecture=read_tagger_architecture(config, trunk, bench.labels.tags),
        preprocessing=trunk.preprocessing,
        # Its name alone: where it lies on this computer is nobody else's business.
        trunk_weights=Path(trunk.weights).name,
        trunk_seed=read_settings(SeedSettings, config, None).seed,
        trunk_fingerprint=fingerprint_frozen(trunk),
        # Where nothing is frozen, all of it is a part of the tagger.
        bundled=read_settings(BundleSettings, config, None).bundle and trunk.cut > 0,
        row_type=read_row_type(config),
        passing=read_passing(config),
        data_name=bench.photo_set.name,
        data_fingerprint=bench.fingerprint.text,
        seed=read_settings(SeedSettings, config, None).seed,
        split=section,
        test_metrics=report.metrics,
        versions=library_versions(),
        machine=describe_machine(),
        git_commit=git_commit(),
        learned_photos=tuple(sorted({digest_name(files[n]) for n in own})),
    )
