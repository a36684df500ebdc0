from pathlib import Path

import pytest
from mlflow import MlflowClient
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from seentwice.errors import UserError
from seentwice.learn import tensorboard_files
from seentwice.learn.tensorboard_files import FOLDER, check_tensorboard
from seentwice.learn.tracking import RUN_FILE


def test_tensorboard_gets_the_metrics_that_mlflow_gets(registered_training: Path) -> None:
    run_id = (registered_training / RUN_FILE).read_text().strip()
    found: dict[str, list[float]] = {}
    for file in sorted((registered_training / FOLDER).glob("events.*")):
        events = EventAccumulator(str(file)).Reload()
        for tag in events.Tags()["scalars"]:
            found.setdefault(tag, []).extend(event.value for event in events.Scalars(tag))
    metrics = MlflowClient().get_run(run_id).data.metrics
    assert set(found) == set(metrics)
    for name, values in found.items():
        tracked = [one.value for one in MlflowClient().get_metric_history(run_id, name)]
        assert values == pytest.approx(tracked, rel=1e-6, nan_ok=True)


def test_without_tensorboard_its_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tensorboard_files, "find_spec", lambda name: None)
    with pytest.raises(UserError, match=r"pip install 'seentwice\[tensorboard\]'$"):
        check_tensorboard()
