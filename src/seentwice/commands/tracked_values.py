"""What MLflow keeps of a comparison, besides its files."""

import numpy as np
from omegaconf import DictConfig

from seentwice.commands.trunks import name_backbone
from seentwice.commands.workbench import Workbench
from seentwice.compare.results import DetectorResult
from seentwice.display import show_text


def metrics_to_track(result: DetectorResult) -> dict[str, float]:
    """Return the metrics of one detector by name, `test/...` with the bounds of their intervals."""
    metrics = {"fit_seconds": result.fit_seconds, "pairs_per_second": result.pairs_per_second}
    for name, interval in (*result.metrics.items(), *result.retrieval.items()):
        metrics[f"test/{name}"] = interval.value
        metrics[f"test/{name}_low"], metrics[f"test/{name}_high"] = interval.low, interval.high
    return {name: value for name, value in metrics.items() if np.isfinite(value)}


def parameters_to_track(
    config: DictConfig, bench: Workbench, commit: str | None
) -> dict[str, object]:
    """Return what a comparison is of.

    Args:
        config: the composed configuration.
        bench: its photos.
        commit: of the code; None outside a checkout.
    """
    return {
        "data": show_text(bench.photo_set.name),
        "data_fingerprint": bench.fingerprint,
        "unlabelled_fingerprint": bench.unlabelled_fingerprint,
        "backbone": name_backbone(config),
        "git_commit": commit,
        "seed": config.seed,
        "folds": len(bench.folds),
        "leaks": bench.leaks.total,
        "suspects": bench.suspects.total,
        **(bench.mining.parameters if bench.mining else {}),
    }
