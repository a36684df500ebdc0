"""Small records, for tests that change some field of one."""

from pathlib import Path

from seentwice.models.checkpoint import CheckpointRecord, Protocol
from seentwice.models.engines import Passing
from seentwice.models.nets import Architecture
from seentwice.models.trunk import Trunk, fingerprint_frozen


def small_record(trunk: Trunk, trained_blocks: int = 0) -> CheckpointRecord:
    """The record of an L2 head on a trunk."""
    return CheckpointRecord(
        architecture=Architecture(
            trunk.backbone, "average", trained_blocks, "eval", "linear", 2, "l2", {}
        ),
        preprocessing=trunk.preprocessing,
        trunk_weights=Path(trunk.weights).name,
        trunk_seed=3,
        trunk_fingerprint=fingerprint_frozen(trunk),
        bundled=False,
        row_type="float32",
        passing=Passing(),
        calibration_slope=1.5,
        calibration_offset=-0.25,
        threshold=0.5,
        data_name="rooms",
        data_fingerprint="f" * 64,
        mined_by="",
        seed=0,
        protocol=Protocol({"seed": 0}, {}, {}),
        test_metrics={"f1": 0.75},
        versions={"torch": "2.12"},
        machine="a processor",
        git_commit=None,
        learned_photos=("0123456789abcdef",),
    )
