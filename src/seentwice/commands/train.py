"""Train one Siamese network and write its checkpoint."""

from dataclasses import dataclass
from pathlib import Path

from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, OmegaConf

from seentwice.commands.fingerprint import fingerprint_photos
from seentwice.commands.nets import check_nets, chosen_heads, net_trainer, read_architecture
from seentwice.commands.progress import open_console, show_progress
from seentwice.commands.provenance import git_commit, library_versions
from seentwice.commands.workbench import (
    PROTOCOL_SECTIONS,
    Workbench,
    load_photos,
    read_trunk,
    set_up,
)
from seentwice.detectors.calibration import CalibratedDetector
from seentwice.detectors.describe import Descriptor
from seentwice.detectors.siamese import SiameseEvidence
from seentwice.detectors.trunk import PixelDescriptor, TrunkDescriptor
from seentwice.errors import UserError
from seentwice.files import write_atomically
from seentwice.learn.tracking import FOLDER_TAG, find_run_folder, track_run
from seentwice.metrics import choose_threshold, pair_metrics
from seentwice.models.backbones import Trunk
from seentwice.models.checkpoint import CheckpointRecord, save_checkpoint

EXAMPLES = """\
  seentwice train head=l2                         on the embedded rooms
  seentwice train head=l1 seed=0,1,2 --multirun   three seeds
  seentwice train resume=outputs/train/...        go on after Ctrl-C
"""

CONFIG_FILE = "config.yaml"
CHECKPOINT_FILE = "checkpoint.safetensors"
RUN_FILE = "mlflow_run_id.txt"


@dataclass(frozen=True, slots=True)
class Job:
    """One training, new or resumed."""

    config: DictConfig
    folder: Path
    resumed: bool
    run_id: str | None  # the interrupted MLflow run, where its folder knows it


def run(config: DictConfig) -> None:
    """Train, choose the threshold on validation pairs, measure the test pairs, write it all."""
    console = open_console()
    job = _choose_job(config)
    heads = chosen_heads(job.config)
    if len(heads) != 1:
        raise UserError(f"head={','.join(heads)}: train takes one head; compare takes several")
    check_nets(job.config, heads)
    trunk = read_trunk(job.config)
    seen: Descriptor = (
        PixelDescriptor(trunk.preprocessing)
        if job.config.backbone.trains
        else TrunkDescriptor(trunk)
    )
    photo_set = load_photos(job.config, console)
    fingerprint = fingerprint_photos(photo_set, console)
    bench = set_up(job.config, photo_set, fingerprint, [seen], trunk, None, console)
    tables, rows = bench.folds[0], bench.described.rows
    tags = {FOLDER_TAG: str(job.folder.resolve()), "seentwice.command": "train"}
    with track_run("train", heads[0], tags, resumed_id=job.run_id) as tracked:
        write_atomically(job.folder / RUN_FILE, f"{tracked.run_id}\n")
        tracked.log_file(job.folder / CONFIG_FILE)
        tracked.log_parameters({"head": heads[0], "data": bench.photo_set.name})
        with show_progress(f"Training {heads[0]}", console) as progress:
            evidence = SiameseEvidence(
                net_trainer(
                    job.config,
                    heads[0],
                    job.folder,
                    bench.unlabelled,
                    tracked,
                    None,
                    job.resumed,
                    lambda done, total, value: progress(done, total),
                ),
                seen.name,
            )
            detector = CalibratedDetector(evidence)
            detector.fit(tables.train, tables.validation, rows)
        threshold = choose_threshold(
            tables.validation.label, detector.score(tables.validation, rows)
        )
        score = detector.score(tables.test, rows)
        metrics = pair_metrics(tables.test.label, score, score >= threshold)
        path = job.folder / CHECKPOINT_FILE
        record = _record(job.config, heads[0], bench, trunk, detector, threshold, metrics)
        save_checkpoint(path, evidence.net, record)
        tracked.log_metrics({f"test/{name}": value for name, value in metrics.items()})
        tracked.log_file(path)
    for name, value in metrics.items():
        console.print(f"  test/{name:<24}{value:.4f}")
    console.print(f"Next: seentwice evaluate checkpoint={path}", soft_wrap=True)


def _choose_job(config: DictConfig) -> Job:
    """Return this run, or the interrupted one that `resume` names with the config it had."""
    if config.resume is None:
        folder = Path(HydraConfig.get().runtime.output_dir)
        write_atomically(folder / CONFIG_FILE, OmegaConf.to_yaml(config, resolve=True))
        return Job(config, folder, resumed=False, run_id=None)
    name = str(config.resume)
    found = Path(name) if Path(name).is_dir() else find_run_folder(name)
    if found is None or not (found / CONFIG_FILE).is_file():
        raise UserError(f"resume={name}: neither an MLflow run of train nor the folder of one")
    stored = OmegaConf.load(found / CONFIG_FILE)
    assert isinstance(stored, DictConfig)
    run_file = found / RUN_FILE
    run_id = run_file.read_text().strip() if run_file.is_file() else None
    return Job(stored, found, resumed=True, run_id=run_id)


def _record(
    config: DictConfig,
    head: str,
    bench: Workbench,
    trunk: Trunk,
    detector: CalibratedDetector,
    threshold: float,
    metrics: dict[str, float],
) -> CheckpointRecord:
    architecture = read_architecture(config, head)
    assert detector.calibration is not None
    return CheckpointRecord(
        architecture=architecture,
        trunk_weights=trunk.weights,
        trunk_seed=config.seed,
        trunk_fingerprint="" if architecture.trunk_trains else trunk.fingerprint,
        calibration_slope=detector.calibration.slope,
        calibration_offset=detector.calibration.offset,
        threshold=threshold,
        data_name=bench.photo_set.name,
        data_fingerprint=bench.fingerprint,
        seed=config.seed,
        protocol={
            section: OmegaConf.to_container(config[section], resolve=True)
            for section in PROTOCOL_SECTIONS
        },
        test_metrics=metrics,
        versions=library_versions(),
        git_commit=git_commit(),
    )
