"""Runs in MLflow: sqlite in the working folder unless MLFLOW_TRACKING_URI names a server."""

import logging
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Run
    from pytorch_lightning.loggers import MLFlowLogger

DEFAULT_URI = "sqlite:///mlflow.db"
ARTIFACTS = Path("mlartifacts")  # where a store without a server of its own keeps its files
FOLDER_TAG = "seentwice.folder"  # where a run's own files are, for `resume`
_PARAMETER_LENGTH = 500  # MLflow's oldest stores refuse longer values


@dataclass(frozen=True, slots=True)
class TrackedRun:
    """One open MLflow run."""

    client: "MlflowClient"
    experiment: str
    run_id: str

    def log_parameters(self, parameters: Mapping[str, object]) -> None:
        """Log settings; long values are cut, the config artifact holds them whole."""
        for name, value in parameters.items():
            self.client.log_param(self.run_id, name, str(value)[:_PARAMETER_LENGTH])

    def log_metrics(self, metrics: Mapping[str, float]) -> None:
        """Log final values."""
        for name, value in metrics.items():
            self.client.log_metric(self.run_id, name, value)

    def log_file(self, path: Path) -> None:
        """Copy a file into the run's artifacts."""
        self.client.log_artifact(self.run_id, str(path))

    def tag(self, name: str, value: str) -> None:
        """Set a tag."""
        self.client.set_tag(self.run_id, name, value)


def tracking_uri() -> str:
    """Return the store's address: MLFLOW_TRACKING_URI or the sqlite file."""
    return os.environ.get("MLFLOW_TRACKING_URI") or DEFAULT_URI


@contextmanager
def track_run(
    experiment: str,
    name: str,
    tags: Mapping[str, str],
    parent: TrackedRun | None = None,
    resumed_id: str | None = None,
) -> Iterator[TrackedRun]:
    """Open a run, and close it as FINISHED, FAILED or, after Ctrl-C, KILLED.

    Args:
        experiment: created where it does not exist.
        name: of the run.
        tags: set at the start.
        parent: shown above this run in MLflow's page.
        resumed_id: go on with this run; a new one is made where the store does not know it.
    """
    client = _connect()
    if resumed_id is not None and _find_run(client, resumed_id) is not None:
        run_id = resumed_id
        client.update_run(run_id, status="RUNNING")
    else:
        every_tag = {**tags, **({"mlflow.parentRunId": parent.run_id} if parent else {})}
        experiment_id = _experiment_id(client, experiment)
        run_id = client.create_run(experiment_id, run_name=name, tags=every_tag).info.run_id
    tracked = TrackedRun(client, experiment, run_id)
    status = "FAILED"
    try:
        yield tracked
        status = "FINISHED"
    except KeyboardInterrupt:
        status = "KILLED"
        raise
    finally:
        client.set_terminated(tracked.run_id, status)


def find_run_folder(run_id: str) -> Path | None:
    """Return the output folder that a run recorded, or None if there is no such run."""
    run = _find_run(_connect(), run_id)
    folder = run.data.tags.get(FOLDER_TAG) if run is not None else None
    return Path(folder) if folder else None


def _find_run(client: "MlflowClient", run_id: str) -> "Run | None":
    from mlflow.exceptions import MlflowException

    try:
        return client.get_run(run_id)
    except MlflowException:
        return None


def _connect() -> "MlflowClient":
    # Nobody is told about a user's runs, and a machine without network does not wait for it.
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    from mlflow import MlflowClient

    for talkative in ("alembic", "mlflow"):  # they tell of every table they make
        logging.getLogger(talkative).setLevel(logging.WARNING)
    return MlflowClient(tracking_uri())


def _experiment_id(client: "MlflowClient", name: str) -> str:
    found = client.get_experiment_by_name(name)
    if found is not None:
        return found.experiment_id
    own_store = tracking_uri().startswith("sqlite:")
    return client.create_experiment(
        name, artifact_location=ARTIFACTS.absolute().as_uri() if own_store else None
    )


def epoch_logger(run: TrackedRun, prefix: str) -> "MLFlowLogger":
    """Return a Lightning logger that writes each epoch's metrics into an open run."""
    from pytorch_lightning.loggers import MLFlowLogger

    return MLFlowLogger(
        experiment_name=run.experiment,
        tracking_uri=tracking_uri(),
        run_id=run.run_id,
        prefix=prefix,
    )
