from threading import Event

import pytest
from mlflow import MlflowClient
from mlflow.system_metrics.system_metrics_monitor import SystemMetricsMonitor

from seentwice.learn.system_metrics import watch_system
from seentwice.learn.tracking import track_run


def test_what_a_run_takes_of_its_machine_is_logged(monkeypatch: pytest.MonkeyPatch) -> None:
    published = Event()
    publish = SystemMetricsMonitor.publish_metrics

    def tell(monitor: SystemMetricsMonitor, metrics: dict[str, float]) -> None:
        publish(monitor, metrics)
        published.set()

    monkeypatch.setattr(SystemMetricsMonitor, "publish_metrics", tell)
    monkeypatch.setenv("MLFLOW_SYSTEM_METRICS_SAMPLING_INTERVAL", "0.01")
    with track_run("system", "watched", {}) as run, watch_system(run, True):
        assert published.wait(60)
    metrics = MlflowClient().get_run(run.run_id).data.metrics
    assert 0 < metrics["system/system_memory_usage_percentage"] <= 100
    assert "system/cpu_utilization_percentage" in metrics


def test_unasked_nothing_is_watched() -> None:
    with track_run("system", "unwatched", {}) as run, watch_system(run, False):
        pass
    assert MlflowClient().get_run(run.run_id).data.metrics == {}
