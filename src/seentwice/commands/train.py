"""Train one Siamese network and write its checkpoint."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, OmegaConf
from rich.console import Console
from yaml import YAMLError

from seentwice.commands.banking import (
    check_decoding,
    read_bank_folder,
    read_passing,
    read_row_type,
)
from seentwice.commands.decisions import check_decisions, read_calibration, read_threshold
from seentwice.commands.fingerprint import Fingerprint, digest_name, fingerprint_photos
from seentwice.commands.leaks import report_leaks
from seentwice.commands.looking import read_sampling
from seentwice.commands.mining import check_mining
from seentwice.commands.nets import check_nets, chosen_heads, net_trainer, read_architecture
from seentwice.commands.next_steps import NEXT, data_overrides, spell_value, write_command
from seentwice.commands.objectives import tell_distance
from seentwice.commands.overrides import key_of
from seentwice.commands.pair_counts import print_tables
from seentwice.commands.place_batches import check_batches, check_own_table, tell_of_batches
from seentwice.commands.progress import open_console, print_plainly, show_progress
from seentwice.commands.provenance import git_commit, library_versions
from seentwice.commands.settings import read_settings, read_source
from seentwice.commands.trunks import name_backbone, read_trunks, tell_cut
from seentwice.commands.unlabelled import check_unlabelled
from seentwice.commands.workbench import (
    PROTOCOL_SECTIONS,
    Workbench,
    check_photo_settings,
    load_photos,
    set_up,
)
from seentwice.data.views import EditChoice
from seentwice.detectors.calibration import CalibratedDetector
from seentwice.detectors.siamese import SiameseEvidence
from seentwice.detectors.trunk import describe_input
from seentwice.display import one_line
from seentwice.errors import UserError
from seentwice.files import write_atomically
from seentwice.learn.tracking import FOLDER_TAG, check_store, find_run_folder, track_run
from seentwice.learn.training import LAST, check_resumable
from seentwice.metrics import pair_metrics
from seentwice.models.checkpoint import (
    CHECKPOINT_FILE,
    CheckpointRecord,
    Protocol,
    save_checkpoint,
)
from seentwice.models.trunk import Trunk, fingerprint_frozen

CONFIG_FILE = "config.yaml"
STATE_FILE = "training.json"  # marks the folder of a training; compare has a config as well
RUN_FILE = "mlflow_run_id.txt"


@dataclass(frozen=True, slots=True)
class Job:
    """One training, new or resumed."""

    config: DictConfig  # its paths are absolute
    folder: Path
    resumed: bool
    run_id: str | None  # the interrupted MLflow run, where its folder knows it
    fingerprint: str | None  # of the photos it was started with, where it is resumed


def run(config: DictConfig) -> None:
    """Train, choose the threshold on validation pairs, measure the test pairs, write it all."""
    console = open_console()
    job = _choose_job(config)
    with _tell_how_to_resume(job.folder, console):
        _train(job, console)


def _train(job: Job, console: Console) -> None:
    if job.resumed:
        check_resumable(job.folder)
    check_photo_settings(job.config)
    heads = chosen_heads(job.config)
    if len(heads) != 1:
        raise UserError(f"head={','.join(heads)}: train takes one head; compare takes several")
    check_own_table(job.config, heads)
    check_batches(job.config, heads, (), HydraConfig.get().overrides.task)
    trunks = read_trunks(job.config)
    check_unlabelled(job.config, trunks)
    check_nets(job.config, heads, trunks.own)
    check_decisions(job.config)
    check_mining(job.config, read_sampling(job.config))
    check_decoding(job.config, HydraConfig.get().overrides.task)
    check_store()
    seen = describe_input(trunks.own, read_row_type(job.config), read_passing(job.config))
    if job.resumed:
        _tell_of_resumed(job.folder, console)
    photo_set = load_photos(job.config, console)
    fingerprint = fingerprint_photos(photo_set, console)
    if job.fingerprint not in (None, fingerprint.text):
        raise UserError(
            f"resume={job.folder}: the photos are not those it was started with; "
            "bring those back, or start a new training"
        )
    bench = set_up(job.config, photo_set, fingerprint, [seen], trunks, None, True, console)
    print_tables(bench, job.folder, console)
    tell_cut(trunks.own, console)
    tell_of_batches(job.config, heads, console)
    report_leaks(bench, job.config, job.folder, console)
    # Not before: of a run that ended until here there is nothing to go on with.
    write_atomically(job.folder / CONFIG_FILE, OmegaConf.to_yaml(job.config, resolve=True))
    _write_state(job.folder, fingerprint.text)
    tables, rows = bench.folds[0], bench.described.rows
    tags = {FOLDER_TAG: str(job.folder.resolve()), "seentwice.command": "train"}
    with track_run("train", heads[0], tags, resumed_id=job.run_id) as tracked:
        write_atomically(job.folder / RUN_FILE, f"{tracked.run_id}\n")
        tracked.log_file(job.folder / CONFIG_FILE)
        # MLflow lets no parameter change, such as the commit, and the run may have some already.
        known = tracked.client.get_run(tracked.run_id).data.params
        parameters = _parameters(job.config, heads[0], bench)
        tracked.log_parameters({name: parameters[name] for name in parameters if name not in known})
        with show_progress(f"Training {heads[0]}", console) as progress:
            evidence = SiameseEvidence(
                net_trainer(
                    job.config,
                    heads[0],
                    trunks.own,
                    job.folder,
                    bench.unlabelled,
                    tracked,
                    None,
                    job.resumed,
                    progress,
                ),
                seen.name,
            )
            detector = CalibratedDetector(evidence, read_calibration(job.config))
            detector.fit(tables.train, tables.validation, rows)
        threshold = read_threshold(job.config)(
            tables.validation.label, detector.score(tables.validation, rows)
        )
        score = detector.score(tables.test, rows)
        metrics = pair_metrics(tables.test.label, score, score >= threshold)
        path = job.folder / CHECKPOINT_FILE
        record = _record(
            job.config, heads[0], bench, fingerprint, trunks.own, detector, threshold, metrics
        )
        save_checkpoint(path, evidence.net, record)
        tracked.log_metrics({f"test/{name}": value for name, value in metrics.items()})
        tracked.log_file(path)
    assert detector.calibration is not None
    tell_distance(evidence.net.head, detector.calibration, threshold, console)
    for name, value in metrics.items():
        print_plainly(f"  test/{name:<24}{value:.4f}", console)
    words = [f"checkpoint={spell_value(str(path.absolute()))}", *_evaluation_overrides(job.config)]
    print_plainly(NEXT + write_command("evaluate", words), console)


@contextmanager
def _tell_how_to_resume(folder: Path, console: Console) -> Iterator[None]:
    try:
        yield
    except KeyboardInterrupt:
        if (folder / LAST).is_file():
            going_on = write_command("train", [f"resume={spell_value(str(folder.absolute()))}"])
            print_plainly(f"Stopped; go on with: {going_on}", console)
        else:
            print_plainly(
                "Stopped before the end of an epoch: nothing was kept to resume; give the same "
                "command again",
                console,
            )
        raise


def _tell_of_resumed(folder: Path, console: Console) -> None:
    if (folder / CHECKPOINT_FILE).is_file():
        told = f"already finished: it is not trained any further, {CHECKPOINT_FILE} is written anew"
    elif (folder / LAST).is_file():
        return
    else:
        told = f"no {LAST}: starts from the first epoch"
    print_plainly(f"{folder}: {told}", console)


def _evaluation_overrides(config: DictConfig) -> list[str]:
    """Return what `evaluate` needs to measure the checkpoint on the same photos."""
    words = data_overrides(config)
    if config.backbone.weights not in ("none", "imagenet"):
        # The checkpoint knows the file's name alone.
        words.append(f"weights={spell_value(str(config.backbone.weights))}")
    return words


def _choose_job(config: DictConfig) -> Job:
    """Return this run, or the interrupted one that `resume` names with the config it had.

    Raises:
        UserError: nothing to resume, or other overrides beside `resume`.
    """
    if config.resume is None:
        folder = Path(HydraConfig.get().runtime.output_dir)
        own = _with_absolute_paths(config)
        return Job(own, folder, resumed=False, run_id=None, fingerprint=None)
    beside = [word for word in HydraConfig.get().overrides.task if key_of(word) != "resume"]
    if beside:
        raise UserError(
            f"resume goes on with the configuration that the training had: leave out {beside[0]}"
        )
    name = str(config.resume)
    found = Path(name) if Path(name).is_dir() else find_run_folder(name)
    if found is None or not (found / CONFIG_FILE).is_file() or not (found / STATE_FILE).is_file():
        raise UserError(f"resume={name}: neither an MLflow run of train nor the folder of one")
    try:
        stored = OmegaConf.load(found / CONFIG_FILE)
    except (YAMLError, UnicodeDecodeError) as error:
        raise _damaged(found, CONFIG_FILE, one_line(error)) from error
    if not isinstance(stored, DictConfig):
        raise _damaged(found, CONFIG_FILE, "it holds no keys")
    lacking = [str(key) for key in config if key not in stored]
    if lacking:
        raise _damaged(found, CONFIG_FILE, f"it lacks {', '.join(lacking)}")
    OmegaConf.set_struct(stored, True)
    run_file = found / RUN_FILE
    run_id = run_file.read_text().strip() if run_file.is_file() else None
    return Job(stored, found, resumed=True, run_id=run_id, fingerprint=_read_state(found))


def _damaged(folder: Path, file: str, what: str) -> UserError:
    return UserError(
        f"resume={folder}: {file} is damaged ({what}), so the training cannot go on; start a new "
        "one, without resume"
    )


def _with_absolute_paths(config: DictConfig) -> DictConfig:
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


def _write_state(folder: Path, fingerprint: str) -> None:
    write_atomically(folder / STATE_FILE, json.dumps({"data_fingerprint": fingerprint}))


def _read_state(folder: Path) -> str:
    """Return the fingerprint of the photos that a training was started with."""
    try:
        return str(json.loads((folder / STATE_FILE).read_text())["data_fingerprint"])
    except (ValueError, KeyError, TypeError) as error:
        raise _damaged(folder, STATE_FILE, "it names no photos") from error


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
    head: str,
    bench: Workbench,
    fingerprint: Fingerprint,
    trunk: Trunk,
    detector: CalibratedDetector,
    threshold: float,
    metrics: dict[str, float],
) -> CheckpointRecord:
    architecture = read_architecture(config, head, trunk)
    assert detector.calibration is not None
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
        # Its name alone: where it lies on this computer is nobody else's business.
        trunk_weights=Path(trunk.weights).name,
        trunk_seed=config.seed,
        trunk_fingerprint=fingerprint_frozen(trunk),
        row_type=read_row_type(config),
        passing=read_passing(config),
        calibration_slope=detector.calibration.slope,
        calibration_offset=detector.calibration.offset,
        threshold=threshold,
        data_name=bench.photo_set.name,
        data_fingerprint=fingerprint.text,
        learned_photos=tuple(sorted(learned)),
        mined_by=mined_by,
        seed=config.seed,
        protocol=Protocol(**protocol),
        test_metrics=metrics,
        versions=library_versions(),
        git_commit=git_commit(),
    )
