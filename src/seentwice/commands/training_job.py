"""One training, from a composed configuration to its checkpoint: what train and sweep share."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
from omegaconf import DictConfig, OmegaConf
from rich.console import Console

from seentwice.commands.banking import (
    check_decoding,
    read_bank_folder,
    read_passing,
    read_row_type,
)
from seentwice.commands.dataset_facts import describe_dataset
from seentwice.commands.decisions import check_decisions, read_calibration, read_threshold
from seentwice.commands.fingerprint import Fingerprint, digest_name, fingerprint_photos
from seentwice.commands.leaks import report_leaks
from seentwice.commands.looking import read_sampling
from seentwice.commands.mining import check_mining
from seentwice.commands.nets import check_nets, chosen_heads, net_trainer, read_architecture
from seentwice.commands.objectives import tell_of_early_stop
from seentwice.commands.pair_counts import print_tables
from seentwice.commands.place_batches import check_batches, check_own_table, tell_of_batches
from seentwice.commands.progress import Remembered, print_plainly, show_progress
from seentwice.commands.provenance import describe_machine, git_commit, library_versions
from seentwice.commands.settings import BundleSettings, read_settings, read_source
from seentwice.commands.tracking_settings import check_tracking, read_tracking
from seentwice.commands.trunks import Trunks, name_backbone, read_trunks, tell_cut
from seentwice.commands.unlabelled import check_unlabelled
from seentwice.commands.workbench import (
    PROTOCOL_SECTIONS,
    Workbench,
    check_photo_settings,
    load_photos,
    set_up,
)
from seentwice.data.views import EditChoice
from seentwice.detectors.calibration import CalibratedDetector, Calibration
from seentwice.detectors.descriptor import Descriptor
from seentwice.detectors.siamese import SiameseEvidence
from seentwice.detectors.trunk import describe_input
from seentwice.errors import UserError
from seentwice.files import write_atomically
from seentwice.learn.dataset_inputs import log_dataset
from seentwice.learn.registration import RegisteredModel, register_model
from seentwice.learn.system_metrics import watch_system
from seentwice.learn.tensorboard_files import write_final
from seentwice.learn.tracking import FOLDER_TAG, RUN_FILE, check_store, shown_uri, track_run
from seentwice.learn.training import Watcher
from seentwice.metrics import pair_metrics
from seentwice.models.checkpoint import (
    CHECKPOINT_FILE,
    CheckpointRecord,
    Protocol,
    save_checkpoint,
)
from seentwice.models.nets import SiameseNet
from seentwice.models.trunk import Trunk, fingerprint_frozen

CONFIG_FILE = "config.yaml"
STATE_FILE = "training.json"  # marks the folder of a training; compare has a config as well


@dataclass(frozen=True, slots=True)
class Settings:
    """What a configuration asks for, checked before any photo is read."""

    head: str
    trunks: Trunks
    seen: Descriptor  # what the net takes of a view


@dataclass(frozen=True, slots=True)
class Material:
    """What nets are trained on; the same for all that differ in head, optimizer or budget alone."""

    bench: Workbench
    fingerprint: Fingerprint  # of the photos


@dataclass(frozen=True, slots=True)
class Job:
    """One training, new or resumed."""

    config: DictConfig  # its paths are absolute
    folder: Path
    resumed: bool
    run_id: str | None = None  # the interrupted MLflow run, where its folder knows it
    started_with: str | None = None  # the fingerprint of the photos, where it is resumed
    experiment: str = "train"  # MLflow's
    run_name: str | None = None  # None is the head's
    parent_id: str | None = None  # of the MLflow run above its own
    tags: Mapping[str, str] | None = None  # of its own, beside those of every job
    watchers: Sequence[Watcher] = ()  # see `fit_task`
    stop_after: int | None = None  # likewise


@dataclass(frozen=True, slots=True)
class Trained:
    """What came of a training."""

    checkpoint: Path
    net: SiameseNet
    calibration: Calibration
    threshold: float
    test_metrics: dict[str, float]
    registered: RegisteredModel | None  # where `tracking.register` names a model


def with_absolute_paths(config: DictConfig) -> DictConfig:
    """Return a copy that means the same files in whatever folder it is resumed from."""
    own = config.copy()
    source: Any = read_source(config)
    for field in fields(source):
        value = getattr(source, field.name)
        if isinstance(value, Path):
            own.data[field.name] = str(value.absolute())
    bank_folder = read_bank_folder(config)
    if bank_folder is not None:
        own.bank.folder = str(bank_folder.absolute())
    if config.mining.checkpoint is not None:
        own.mining.checkpoint = str(Path(str(config.mining.checkpoint)).absolute())
    if config.unlabelled is not None:
        own.unlabelled = str(Path(str(config.unlabelled)).absolute())
    if config.backbone.weights not in ("none", "imagenet"):
        own.backbone.weights = str(Path(str(config.backbone.weights)).absolute())
    return own


def check_settings(config: DictConfig, overrides: Sequence[str]) -> Settings:
    """Read every setting once, so that a wrong one is told before photos are read.

    Args:
        config: the composed configuration.
        overrides: that it was composed with.

    Raises:
        UserError: a setting is wrong, or of no use beside others; or MLflow's store cannot be used.
    """
    settings = check_values(config, overrides)
    check_store()
    return settings


def check_values(config: DictConfig, overrides: Sequence[str]) -> Settings:
    """Do what `check_settings` does, but for MLflow's store, which is not even made.

    Raises:
        UserError: a setting is wrong, or of no use beside others.
    """
    check_photo_settings(config)
    heads = chosen_heads(config)
    if len(heads) != 1:
        raise UserError(f"head={','.join(heads)}: train takes one head; compare takes several")
    check_own_table(config, heads)
    check_batches(config, heads, (), overrides)
    trunks = read_trunks(config)
    check_unlabelled(config, trunks)
    check_nets(config, heads, trunks.own)
    check_decisions(config)
    read_settings(BundleSettings, config, None)
    check_mining(config, read_sampling(config))
    check_decoding(config, overrides)
    check_tracking(config)
    seen = describe_input(trunks.own, read_row_type(config), read_passing(config))
    return Settings(heads[0], trunks, seen)


def gather_material(job: Job, settings: Settings, console: Console) -> Material:
    """Find the photos and make what nets train on.

    Raises:
        UserError: unusable data, or other photos than a training was started with.
    """
    config = job.config
    photo_set = load_photos(config, console)
    fingerprint = fingerprint_photos(photo_set, console)
    if job.started_with not in (None, fingerprint.text):
        raise UserError(
            f"resume={job.folder}: the photos are not those it was started with; "
            "bring those back, or start a new training"
        )
    bench = set_up(
        config, photo_set, fingerprint, [settings.seen], settings.trunks, None, True, console
    )
    return Material(bench, fingerprint)


def train_net(job: Job, settings: Settings, material: Material, console: Console) -> Trained:
    """Train, choose the threshold on validation pairs, measure the test pairs, write it all.

    Raises:
        KeyboardInterrupt: passed on; the epochs finished so far can be resumed.
        UserError: the training diverged, or there is no such accelerator.
    """
    bench, trunk = material.bench, settings.trunks.own
    print_tables(bench, job.folder, console)
    tell_cut(trunk, console)
    tell_of_batches(job.config, (settings.head,), console)
    report_leaks(bench, job.config, job.folder, console)
    # Not before: of a run that ended until here there is nothing to go on with.
    write_atomically(job.folder / CONFIG_FILE, OmegaConf.to_yaml(job.config, resolve=True))
    _write_state(job.folder, bench.fingerprint)
    tables, rows = bench.folds[0], bench.described.rows
    tags = {FOLDER_TAG: str(job.folder.resolve()), "seentwice.command": job.experiment}
    tags |= job.tags or {}
    name = job.run_name or settings.head
    tracking = read_tracking(job.config)
    board = job.folder if tracking.tensorboard else None
    with (
        track_run(job.experiment, name, tags, job.parent_id, job.run_id) as tracked,
        watch_system(tracked, tracking.system_metrics),
    ):
        if job.run_id not in (None, tracked.run_id):
            print_plainly(
                f"MLflow run {job.run_id} is not in {shown_uri()}: what comes now is in a new "
                f"run there, {tracked.run_id}",
                console,
            )
        write_atomically(job.folder / RUN_FILE, f"{tracked.run_id}\n")
        tracked.log_file(job.folder / CONFIG_FILE)
        tracked.log_missing_parameters(_parameters(job.config, settings.head, bench))
        log_dataset(tracked, describe_dataset(bench))
        with show_progress(f"Training {settings.head}", console) as progress:
            epochs = Remembered(progress)
            evidence = SiameseEvidence(
                net_trainer(
                    job.config,
                    settings.head,
                    trunk,
                    job.folder,
                    bench.unlabelled,
                    tracked,
                    None,
                    job.resumed,
                    epochs,
                    job.watchers,
                    job.stop_after,
                    board,
                ),
                settings.seen.name,
            )
            detector = CalibratedDetector(evidence, read_calibration(job.config))
            detector.fit(tables.train, tables.validation, rows)
        if not job.watchers:
            tell_of_early_stop(job.config, settings.head, epochs.done, epochs.total, console)
        threshold = read_threshold(job.config)(
            tables.validation.label, detector.score(tables.validation, rows)
        )
        score = detector.score(tables.test, rows)
        if np.ptp(score) == 0:
            print_plainly(
                f"{settings.head} gives every test pair the same score: it has learned nothing; "
                "try a smaller optimizer.lr, or more epochs",
                console,
            )
        metrics = pair_metrics(tables.test.label, score, score >= threshold)
        path = job.folder / CHECKPOINT_FILE
        assert detector.calibration is not None
        record = _record(job.config, settings, material, detector.calibration, threshold, metrics)
        save_checkpoint(path, evidence.net, record, trunk.frozen if record.bundled else None)
        final = {f"test/{name}": value for name, value in metrics.items()}
        tracked.log_metrics(final)
        tracked.log_file(path)
        if board is not None:
            write_final(board, final)
        registered = None
        if tracking.register is not None:
            registered = register_model(tracked, tracking.register, evidence.net, record, trunk)
    return Trained(path, evidence.net, detector.calibration, threshold, metrics, registered)


def _write_state(folder: Path, fingerprint: str) -> None:
    write_atomically(folder / STATE_FILE, json.dumps({"data_fingerprint": fingerprint}))


def _parameters(config: DictConfig, head: str, bench: Workbench) -> dict[str, object]:
    return {
        "head": head,
        "backbone": name_backbone(config),
        "tower": config.tower.name,
        "data": bench.photo_set.name,
        "data_fingerprint": bench.fingerprint,
        "leaks": bench.leaks.total,
        "suspects": bench.suspects.total,
        "git_commit": git_commit(),
        "seed": config.seed,
        **(bench.mining.parameters if bench.mining else {}),
    }


def _record(
    config: DictConfig,
    settings: Settings,
    material: Material,
    calibration: Calibration,
    threshold: float,
    metrics: dict[str, float],
) -> CheckpointRecord:
    trunk: Trunk = settings.trunks.own
    bench, fingerprint = material.bench, material.fingerprint
    architecture = read_architecture(config, settings.head, trunk)
    own = np.union1d(bench.splits[0].train, bench.splits[0].validation)
    learned = {digest_name(fingerprint.files[n]) for n in own}
    mined_by = ""
    if bench.mining is not None:
        # What the miner took for near says something of the photos that it has learned from.
        learned.update(bench.mining.learned_photos)
        mined_by = bench.mining.sha256
    protocol: dict[str, Any] = {
        section: OmegaConf.to_container(config[section], resolve=True)
        for section in PROTOCOL_SECTIONS
    }
    # Whole, not by the names of strengths, whose edits another version may change.
    protocol["edits"] = asdict(read_settings(EditChoice, config, "edits"))
    return CheckpointRecord(
        architecture=architecture,
        preprocessing=trunk.preprocessing,
        # Its name alone: where it lies on this computer is nobody else's business.
        trunk_weights=Path(trunk.weights).name,
        trunk_seed=config.seed,
        trunk_fingerprint=fingerprint_frozen(trunk),
        # Where nothing is frozen, all of it is a part of the net.
        bundled=read_settings(BundleSettings, config, None).bundle and trunk.cut > 0,
        row_type=read_row_type(config),
        passing=read_passing(config),
        calibration_slope=calibration.slope,
        calibration_offset=calibration.offset,
        threshold=threshold,
        data_name=bench.photo_set.name,
        data_fingerprint=fingerprint.text,
        learned_photos=tuple(sorted(learned)),
        mined_by=mined_by,
        seed=config.seed,
        protocol=Protocol(**protocol),
        test_metrics=metrics,
        versions=library_versions(),
        machine=describe_machine(),
        git_commit=git_commit(),
    )
