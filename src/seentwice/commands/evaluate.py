"""Measure a checkpoint on the test pairs of a data set."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Literal

import torch
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, OmegaConf
from rich.console import Console
from rich.table import Table
from rich.text import Text

from seentwice.bootstrap import bootstrap_intervals
from seentwice.commands.claims import (
    Claim,
    ToleranceSettings,
    compare_claims,
    describe_changes,
    describe_verdict,
    format_difference,
    format_metric,
    is_reproduced,
    list_changes,
)
from seentwice.commands.fingerprint import Fingerprint, digest_name, fingerprint_photos
from seentwice.commands.next_steps import spell_value, write_command
from seentwice.commands.overrides import key_of
from seentwice.commands.progress import describe_unreadable, open_console, print_plainly
from seentwice.commands.settings import read_settings
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
from seentwice.display import show_text
from seentwice.errors import UserError
from seentwice.files import write_atomically
from seentwice.learn.resume_files import BEST, LAST
from seentwice.models.checkpoint import CHECKPOINT_FILE, CheckpointRecord
from seentwice.models.nets import pair_logits
from seentwice.models.opened_checkpoint import open_checkpoint
from seentwice.models.openvino_engine import NoOpenVinoError
from seentwice.records import Interval

Data = Literal["own", "changed", "other"]
"""The very photos and labels that the checkpoint knows, most of them, or another data set."""


def run(config: DictConfig) -> int:
    """Score the test pairs with the checkpoint's own threshold; claimed beside measured.

    Returns:
        1 where the checkpoint's own data do not give what it claims, otherwise 0.
    """
    console = open_console()
    check_photo_settings(config)
    tolerance = read_settings(ToleranceSettings, config, None).tolerance
    given = Path(str(config.checkpoint))
    _require_end(given)
    weights = None if config.weights is None else str(config.weights)
    opened = open_checkpoint(given, weights, "weights=")
    record = opened.record
    _require_data(opened.path, record)
    try:
        seen = describe_input(opened.trunk, record.row_type, record.passing)
    except NoOpenVinoError as error:
        raise UserError(
            f"checkpoint={given}: it was trained on features that OpenVINO computed, which is not "
            "installed: pip install 'seentwice[fast]'"
        ) from error
    photo_set = load_photos(config, console)
    fingerprint = fingerprint_photos(photo_set, console)
    data = _recognise(record, fingerprint)
    if data != "own":
        print_plainly(_tell_of_other_data(record, fingerprint, data), console)
    settings = _settings_of(config, record, data, console)
    bench = set_up_test(settings, photo_set, fingerprint, [seen], console)
    test = bench.test
    calibration = Calibration(record.calibration_slope, record.calibration_offset)
    logits = pair_logits(
        opened.net,
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
    values = {name: interval.value for name, interval in measured.items()}
    claims = compare_claims(record.test_metrics, values)
    _print_claims(claims, measured, console)
    # What is claimed of other photos can be neither reproduced nor missed.
    reproduced = None if data == "other" else is_reproduced(claims, tolerance)
    folder = Path(HydraConfig.get().runtime.output_dir)
    result = {
        "checkpoint": str(opened.path),
        "data": photo_set.name,
        "data_fingerprint": fingerprint.text,
        "data_is": data,
        "tested_photos": len(bench.tested),
        "tested_photos_learned_from": known,
        "mined_by": record.mined_by,
        "cluster": pairs.cluster,
        "clusters": pairs.clusters,
        "unreadable": [file.name for file in unreadable],
        "threshold": record.threshold,
        "reproduced": reproduced,
        "tolerance": tolerance,
        "claimed": record.test_metrics,
        "measured": values,
        "difference": {claim.name: claim.difference for claim in claims},
        "low": {name: interval.low for name, interval in measured.items()},
        "high": {name: interval.high for name, interval in measured.items()},
        "changed_since_training": list_changes(record),
    }
    write_atomically(folder / "metrics.json", to_json(result))
    print_plainly(f"Written: {folder / 'metrics.json'}", console)
    if data != "other":
        print_plainly(describe_verdict(claims, tolerance), console)
    if reproduced is False:
        print_plainly(describe_changes(record), console)
    return 1 if reproduced is False else 0


def _settings_of(
    config: DictConfig, record: CheckpointRecord, data: Data, console: Console
) -> DictConfig:
    """Return the configuration with what the checkpoint decides, and tell which overrides go.

    The checkpoint's split decides, so no training photo is ever tested on its own data; on other
    data the edits and pairs are that data's.
    """
    kept = ("split",) if data == "other" else PROTOCOL_SECTIONS
    protocol = {section: asdict(record.protocol)[section] for section in kept}
    for word in HydraConfig.get().overrides.task:
        if key_of(word).partition(".")[0] in kept:
            print_plainly(
                f"{word} has no effect: on its own data, edits and pairs are as the checkpoint "
                "had them",
                console,
            )
    own: Any = OmegaConf.to_container(config)
    # Whole sections: what another kind of table has no use for is not mixed into it.
    return OmegaConf.create({**own, **protocol, "seed": record.seed})


def _print_claims(
    claims: Sequence[Claim], measured: Mapping[str, Interval], console: Console
) -> None:
    table = Table()
    for header in ("metric", "claimed", "measured", "difference", "95 % interval"):
        table.add_column(header, justify="left" if header == "metric" else "right")
    for claim in claims:
        cells = (
            claim.name,
            format_metric(claim.claimed),
            format_metric(claim.measured),
            format_difference(claim),
            format_interval(measured[claim.name]) if claim.name in measured else "–",
        )
        table.add_row(*(Text(show_text(cell)) for cell in cells))
    console.print(table)


def _recognise(record: CheckpointRecord, fingerprint: Fingerprint) -> Data:
    if fingerprint.text == record.data_fingerprint:
        return "own"
    # Most of the photos that it has learned from are not here.
    is_other = 2 * _count_gone(record, fingerprint) >= len(record.learned_photos)
    return "other" if is_other else "changed"


def _count_gone(record: CheckpointRecord, fingerprint: Fingerprint) -> int:
    """Count the photos that a checkpoint has learned from and that are not in a data set."""
    here = {digest_name(digest) for digest in fingerprint.files}
    return sum(name not in here for name in record.learned_photos)


def _require_data(path: Path, record: CheckpointRecord) -> None:
    """Refuse the default data, unasked for, in the place of a checkpoint's own.

    Raises:
        UserError: no word says which data, and the checkpoint's have another name.
    """
    default = "rooms"  # of configs/evaluate.yaml, and the name that these photos give themselves
    words = (key_of(word).partition(".")[0] for word in HydraConfig.get().overrides.task)
    if record.data_name != default and "data" not in words:
        raise UserError(
            f"checkpoint {path}: learned from {record.data_name}, and no data are given; name its "
            "photos, such as data=folder data.root=PHOTOS, or others for a transfer result "
            f"(data={default})"
        )


def _tell_of_other_data(record: CheckpointRecord, fingerprint: Fingerprint, data: Data) -> str:
    gone, learned = _count_gone(record, fingerprint), len(record.learned_photos)
    if data == "other":
        return (
            f"Other data than the checkpoint's: {gone:,} of the {learned:,} photos of "
            f"{record.data_name} that it learned from are not among them; measured is a transfer "
            "result"
        )
    what = (
        f"{gone:,} of the {learned:,} photos that the checkpoint learned from differ"
        if gone
        else "labels, or photos that the checkpoint did not learn from, differ"
    )
    return f"{record.data_name} has changed since the training: {what}"


def _require_end(path: Path) -> None:
    """Refuse what a training goes on with, and the folder of one that has not come to its end.

    Raises:
        UserError: it is such.
    """
    if path.name in (LAST, BEST):
        raise UserError(
            f"checkpoint={path}: only its training can go on with it; give {CHECKPOINT_FILE}, or "
            "the folder"
        )
    if (path / STATE_FILE).is_file() and not (path / CHECKPOINT_FILE).is_file():
        going_on = write_command("train", [f"resume={spell_value(str(path.absolute()))}"])
        raise UserError(f"checkpoint={path}: this training was stopped; go on with: {going_on}")
