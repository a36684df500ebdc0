"""What a training takes of its machine: processor, memory, disk, network and graphics card."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from seentwice.learn.tracking import TrackedRun, tracking_uri

SAMPLING_SECONDS = 10
"""MLFLOW_SYSTEM_METRICS_SAMPLING_INTERVAL comes before it."""


@contextmanager
def watch_system(run: TrackedRun, wanted: bool) -> Iterator[None]:
    """Log `system/...` metrics into a run while the block runs, from a thread.

    A run that is gone on with goes on with its steps. A store that is busy for too long ends the
    watch, not the training.
    """
    if not wanted:
        yield
        return
    from mlflow.system_metrics.system_metrics_monitor import SystemMetricsMonitor

    monitor: Any = SystemMetricsMonitor(  # type: ignore[no-untyped-call]
        run.run_id, SAMPLING_SECONDS, resume_logging=True, tracking_uri=tracking_uri()
    )
    monitor.start()
    try:
        yield
    finally:
        monitor.finish()
