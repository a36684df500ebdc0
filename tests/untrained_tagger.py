"""A tagger that learned nothing, for tests that need one to open."""

from pathlib import Path

import torch

from seentwice.models.backbones import build_trunk
from seentwice.models.engines import Passing
from seentwice.models.photo_tagger import PhotoTagger, TaggerArchitecture, build_tagger
from seentwice.models.tagger_checkpoint import TaggerRecord, save_tagger
from seentwice.models.trunk import TrainedBlocks, Trunk, fingerprint_frozen
from seentwice.records import TagHead

HEADS = (TagHead("front", ("front", "room")), TagHead("storeys", ("one", "two", "three_or_more")))


def save_untrained_tagger(
    path: Path, blocks: TrainedBlocks = 0, seed: int = 0, bundled: bool = False
) -> tuple[PhotoTagger, Trunk]:
    """Write a tagger whose projection is not the identity; return it and its trunk."""
    trunk = build_trunk("compact", "none", "average", blocks, "eval", 3)
    architecture = TaggerArchitecture("compact", "average", blocks, "eval", HEADS, 8)
    tagger = build_tagger(architecture, trunk, seed)
    generator = torch.Generator().manual_seed(7)
    tagger.projection.start_from(torch.rand(40, trunk.feature_size, generator=generator), 0.5, 1.0)
    tagger.temperatures.copy_(torch.tensor([0.5, 2.0]))
    save_tagger(
        path,
        tagger,
        TaggerRecord(
            architecture=architecture,
            preprocessing=trunk.preprocessing,
            trunk_weights="none",
            trunk_seed=3,
            trunk_fingerprint=fingerprint_frozen(trunk),
            bundled=bundled,
            row_type="float32",
            passing=Passing(),
            data_name="rooms",
            data_fingerprint="f" * 64,
            seed=seed,
            split={"seed": 0},
            test_metrics={"front/accuracy": 0.5, "front/roc_auc": float("nan")},
            versions={},
            machine="",
            git_commit=None,
            learned_photos=("0123456789abcdef",),
        ),
        trunk.frozen if bundled else None,
    )
    return tagger.eval(), trunk
