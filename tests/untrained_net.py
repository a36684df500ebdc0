"""A checkpoint of a net that learned nothing, for tests that need one to open."""

from pathlib import Path

from torch import nn

from seentwice.models.backbones import build_trunk
from seentwice.models.checkpoint import CheckpointRecord, Protocol, save_checkpoint
from seentwice.models.engines import Passing
from seentwice.models.nets import Architecture, SiameseNet, build_siamese
from seentwice.models.trunk import TrainedBlocks, Trunk, fingerprint_frozen

SLOPE, OFFSET = 1.5, -0.5
"""Of its calibration."""


def save_untrained(
    path: Path, blocks: TrainedBlocks = "all", head: str = "l2", shared: bool = True
) -> tuple[SiameseNet, Trunk]:
    """Write a net whose statistics are not those that a fresh one has; return it and its trunk."""
    architecture = Architecture(
        *("compact", "average", blocks, "eval", "linear", 8, head, {}), shared_towers=shared
    )
    trunk = build_trunk("compact", "none", "average", blocks, "eval", 3)
    net = build_siamese(architecture, trunk, 0)
    for module in net.modules():
        if isinstance(module, nn.Linear):
            nn.init.zeros_(module.bias)  # which drowns the features that nobody trained
        if isinstance(module, nn.BatchNorm2d):
            module.running_var *= 0.1
    record = CheckpointRecord(
        architecture=architecture,
        preprocessing=trunk.preprocessing,
        trunk_weights="none",
        trunk_seed=3,
        trunk_fingerprint=fingerprint_frozen(trunk),
        bundled=False,
        row_type="float32",
        passing=Passing(),
        calibration_slope=SLOPE,
        calibration_offset=OFFSET,
        threshold=0.5,
        data_name="rooms",
        data_fingerprint="f" * 64,
        mined_by="",
        seed=0,
        protocol=Protocol({}, {}, {}),
        test_metrics={},
        versions={},
        machine="",
        git_commit=None,
    )
    save_checkpoint(path, net, record)
    return net, trunk
