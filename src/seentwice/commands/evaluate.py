"""Measure a checkpoint on the test pairs of a data set."""

import math
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, OmegaConf
from rich.table import Table
from rich.text import Text

from seentwice.bootstrap import bootstrap_intervals
from seentwice.commands.fingerprint import Fingerprint, digest_name, fingerprint_photos
from seentwice.commands.next_steps import spell_value, write_command
from seentwice.commands.overrides import key_of
from seentwice.commands.progress import describe_unreadable, open_console, print_plainly
from seentwice.commands.training_job import STATE_FILE
from seentwice.commands.workbench import (
    PROTOCOL_SECTIONS,
    check_photo_settings,
    load_photos,
    set_up_test,
)
from seentwice.compare.results import to_json
from seentwice.compare.summary import gather_test_pairs
from seentwice.compare.table import describe_clusters, describe_few_clusters, format_interval
from seentwice.detectors.calibration import Calibration
from seentwice.detectors.trunk import describe_input
from seentwice.errors import UserError
from seentwice.files import write_atomically
from seentwice.learn.training import BEST, LAST
from seentwice.models.backbones import build_trunk
from seentwice.models.checkpoint import (
    CHECKPOINT_FILE,
    CheckpointRecord,
    load_checkpoint,
    read_record,
)
from seentwice.models.nets import pair_logits
from seentwice.models.openvino_engine import NoOpenVinoError
from seentwice.models.trunk import Trunk
from seentwice.models.weights import WeightsFileError


def run(config: DictConfig) -> None:
    """Score the test pairs with the checkpoint's own threshold; claimed beside measured."""
    console = open_console()
    check_photo_settings(config)
    overrides = HydraConfig.get().overrides.task
    path = _find_checkpoint(Path(str(config.checkpoint)))
    record = read_record(path)
    trunk = _build_trunk(record, _trunk_weights(config, path, record))
    net = load_checkpoint(path, record, trunk)
    try:
        seen = describe_input(trunk, record.row_type, record.passing)
    except NoOpenVinoError as error:
        raise UserError(
            f"checkpoint={path}: it was trained on features that OpenVINO computed, which is not "
            "installed: pip install 'seentwice[fast]'"
        ) from error
    photo_set = load_photos(config, console)
    fingerprint = fingerprint_photos(photo_set, console)
    same_data = fingerprint.text == record.data_fingerprint
    # On its own data the checkpoint's split decides, so no training photo is ever tested; on
    # other data the edits and pairs are that data's.
    kept = PROTOCOL_SECTIONS if same_data else ("split",)
    protocol = {section: asdict(record.protocol)[section] for section in kept}
    for word in overrides:
        if key_of(word).partition(".")[0] in kept:
            print_plainly(
                f"{word} has no effect: on its own data, edits and pairs are as the checkpoint "
                "had them",
                console,
            )
    own: Any = OmegaConf.to_container(config)
    # Whole sections: what another kind of table has no use for is not mixed into it.
    settings = OmegaConf.create({**own, **protocol, "seed": record.seed})
    bench = set_up_test(settings, photo_set, fingerprint, [seen], console)
    test = bench.test
    calibration = Calibration(record.calibration_slope, record.calibration_offset)
    logits = pair_logits(
        net,
        torch.from_numpy(bench.described.rows[seen.name]),
        torch.from_numpy(test.left),
        torch.from_numpy(test.right),
    )
    score = calibration(logits.double().numpy())
    pairs = gather_test_pairs([test], bench.hashes)
    measured = bootstrap_intervals(
        test.label, score, score >= record.threshold, pairs.left_cluster, pairs.right_cluster
    )
    unreadable = (*photo_set.unreadable, *bench.described.unreadable)
    for file in unreadable:
        print_plainly(describe_unreadable(file), console)
    learned = set(record.learned_photos)
    known = sum(digest_name(fingerprint.files[index]) in learned for index in bench.tested)
    if not same_data:
        print_plainly(_tell_of_other_data(record, fingerprint), console)
    if known:
        miner = " or the net that mined its negatives" if record.mined_by else ""
        print_plainly(
            f"Of {len(bench.tested):,} tested photos {known:,} trained or validated the "
            f"checkpoint{miner}: measured is not of unseen photos alone",
            console,
        )
    print_plainly(f"95 % intervals over {describe_clusters(pairs)}", console)
    for line in describe_few_clusters(pairs):
        print_plainly(line, console)
    table = Table("metric", "claimed", "measured", "95 % interval")
    for name, interval in measured.items():
        claimed = record.test_metrics.get(name, math.nan)
        cells = name, f"{claimed:.4f}", f"{interval.value:.4f}", format_interval(interval)
        table.add_row(*map(Text, cells))
    console.print(table)
    folder = Path(HydraConfig.get().runtime.output_dir)
    result = {
        "checkpoint": str(path),
        "data": photo_set.name,
        "data_fingerprint": fingerprint.text,
        "tested_photos": len(bench.tested),
        "photos_decoded": bench.described.decoded,
        "tested_photos_learned_from": known,
        "mined_by": record.mined_by,
        "cluster": pairs.cluster,
        "clusters": pairs.clusters,
        "unreadable": [file.name for file in unreadable],
        "claimed": record.test_metrics,
        "measured": {name: interval.value for name, interval in measured.items()},
        "low": {name: interval.low for name, interval in measured.items()},
        "high": {name: interval.high for name, interval in measured.items()},
    }
    write_atomically(folder / "metrics.json", to_json(result))
    print_plainly(f"Written: {folder / 'metrics.json'}", console)


def _tell_of_other_data(record: CheckpointRecord, fingerprint: Fingerprint) -> str:
    """Say whether most of the photos that a checkpoint has learned from are in a data set."""
    here = {digest_name(digest) for digest in fingerprint.files}
    learned = len(record.learned_photos)
    gone = sum(name not in here for name in record.learned_photos)
    if 2 * gone >= learned:
        return (
            f"Other data than the checkpoint's ({record.data_name}): measured is a transfer result"
        )
    what = (
        f"{gone:,} of the {learned:,} photos that the checkpoint learned from differ"
        if gone
        else "labels, or photos that the checkpoint did not learn from, differ"
    )
    return f"{record.data_name} has changed since the training: {what}"


def _find_checkpoint(path: Path) -> Path:
    """Return the file itself, also where the folder of the training that wrote it is given.

    Raises:
        UserError: the training has not come to its end, or this is a file of its epochs.
    """
    if path.name in (LAST, BEST):
        raise UserError(
            f"checkpoint={path}: only its training can go on with it; give {CHECKPOINT_FILE}, or "
            "the folder"
        )
    if not path.is_dir():
        return path
    if (path / STATE_FILE).is_file() and not (path / CHECKPOINT_FILE).is_file():
        going_on = write_command("train", [f"resume={spell_value(str(path.absolute()))}"])
        raise UserError(f"checkpoint={path}: this training was stopped; go on with: {going_on}")
    return path / CHECKPOINT_FILE


def _build_trunk(record: CheckpointRecord, weights: str) -> Trunk:
    """Build the trunk of a checkpoint.

    Raises:
        UserError: weights that cannot be had, or another network's.
    """
    architecture = record.architecture
    try:
        return build_trunk(
            architecture.backbone,
            weights,
            architecture.pooling,
            architecture.trained_blocks,
            architecture.frozen_batchnorm,
            record.trunk_seed,
            architecture.normalisation,
        )
    except WeightsFileError as error:
        if weights == "imagenet":  # a published file, which none of its keys names
            raise
        raise UserError(
            f"weights={weights}: {error.fault}; give the weights of {architecture.backbone} "
            "that the checkpoint was trained on"
        ) from error


def _trunk_weights(config: DictConfig, path: Path, record: CheckpointRecord) -> str:
    """Return where a trunk like the checkpoint's comes from: none, imagenet or a file.

    Raises:
        UserError: it came from a file that is not here.
    """
    if not record.trunk_fingerprint:
        return "none"
    weights = str(config.weights or record.trunk_weights)
    if weights in ("none", "imagenet") or Path(weights).is_file():
        return weights
    if config.weights:
        raise UserError(f"weights={weights}: no such file")
    raise UserError(
        f"checkpoint {path}: its frozen trunk came from {weights}, which is not here; "
        "give weights=FILE"
    )
