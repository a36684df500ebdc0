"""Runs in MLflow: sqlite in the working folder unless MLFLOW_TRACKING_URI names a server."""

import logging
import os
import re
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from seentwice.display import hide_values, one_line, show_text
from seentwice.errors import UserError

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Run
    from pytorch_lightning.loggers import MLFlowLogger

_FILE_STORE = "sqlite:///"
DEFAULT_URI = f"{_FILE_STORE}mlflow.db"
ARTIFACTS = Path("mlartifacts")  # where a store without a server of its own keeps its files
FOLDER_TAG = "seentwice.folder"  # where a run's own files are, for `resume`
RUN_FILE = "mlflow_run_id.txt"  # among these files, the run's id
SHORT_ID = 8  # characters of a run's id that tables show, and that name a run
_PARAMETER_LENGTH = 500  # MLflow's oldest stores refuse longer values
_NO_SUCH_RUN = ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE")  # the latter: no id at all


@dataclass(frozen=True, slots=True)
class TrackedRun:
    """One open MLflow run."""

    client: "MlflowClient"
    experiment: str
    run_id: str

    def log_parameters(self, parameters: Mapping[str, object]) -> None:
        """Log settings; long values are cut, the config artifact holds them whole."""
        from mlflow.entities import Param

        texts = {name: _storable(str(value)) for name, value in parameters.items()}
        self.client.log_batch(
            self.run_id,
            params=[Param(name, text[:_PARAMETER_LENGTH]) for name, text in texts.items()],
        )

    def log_missing_parameters(self, parameters: Mapping[str, object]) -> None:
        """Log those settings that the run does not have yet.

        A resumed run has some, of which MLflow lets none change, such as the commit.
        """
        known = self.client.get_run(self.run_id).data.params
        self.log_parameters(
            {name: value for name, value in parameters.items() if name not in known}
        )

    def log_metrics(self, metrics: Mapping[str, float]) -> None:
        """Log final values; of those that are logged again, the last count."""
        from mlflow.entities import Metric

        now_ms = time.time_ns() // 1_000_000
        self.client.log_batch(
            self.run_id, [Metric(name, value, now_ms, 0) for name, value in metrics.items()]
        )

    def log_file(self, path: Path) -> None:
        """Copy a file into the run's artifacts."""
        self.client.log_artifact(self.run_id, str(path))


def tracking_uri() -> str:
    """Return the store's address: MLFLOW_TRACKING_URI or the sqlite file."""
    return os.environ.get("MLFLOW_TRACKING_URI") or DEFAULT_URI


def shown_uri(uri: str | None = None) -> str:
    """Return the store's address, or another's, as it may be shown, without a password."""
    address = uri or tracking_uri()
    return show_text(_hide_password(address, address))


@contextmanager
def track_run(
    experiment: str,
    name: str,
    tags: Mapping[str, str],
    parent_id: str | None = None,
    resumed_id: str | None = None,
) -> Iterator[TrackedRun]:
    """Open a run, and close it as FINISHED, FAILED or, after Ctrl-C, KILLED.

    Args:
        experiment: created where it does not exist.
        name: of the run.
        tags: set at the start.
        parent_id: of the run that is shown above this one in MLflow's page.
        resumed_id: go on with this run; a new one is made where the store does not know it.

    Raises:
        UserError: the store cannot be used, now or later in the block.
    """
    with store_errors():
        client = connect()
        found = _find_run(client, resumed_id) if resumed_id is not None else None
        if found is not None and found.info.lifecycle_stage == "active":
            run_id = found.info.run_id
            client.update_run(run_id, status="RUNNING")
        else:
            every_tag = {**tags, **({"mlflow.parentRunId": parent_id} if parent_id else {})}
            run_id = client.create_run(
                _experiment_id(client, experiment),
                run_name=_storable(name),
                tags={key: _storable(value) for key, value in every_tag.items()},
            ).info.run_id
        tracked = TrackedRun(client, experiment, run_id)
        try:
            yield tracked
        except BaseException as error:
            # A store that is gone does not hide what ended the run.
            with suppress(*_store_faults()):
                status = "KILLED" if isinstance(error, KeyboardInterrupt) else "FAILED"
                client.set_terminated(run_id, status)
            raise
        client.set_terminated(run_id, "FINISHED")


def check_store() -> None:
    """Open the store, so that one that cannot be used is told before the work is done.

    Raises:
        UserError: its address is none, or nobody answers there.
    """
    with store_errors(), _alone_with_file_store():
        connect().search_experiments(max_results=1)


@contextmanager
def _alone_with_file_store() -> Iterator[None]:
    """Let no other process in: two that make the tables of one new sqlite file break each other."""
    from filelock import FileLock

    uri = tracking_uri()
    if not uri.startswith(_FILE_STORE):
        yield
        return
    file = Path(uri.removeprefix(_FILE_STORE).partition("?")[0])
    _require_writable(file.absolute().parent)  # where it is not, the lock would be waited for
    with FileLock(f"{file}.lock"):
        yield


def _require_writable(folder: Path) -> None:
    """Make the folder of a file store.

    Raises:
        UserError: it cannot be made or written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        reason = str(error.strerror)
    else:
        if os.access(folder, os.W_OK):
            return
        reason = "it cannot be written"
    raise UserError(
        f"MLflow store {shown_uri()}: {show_text(str(folder))}: {reason}; work in "
        f"a folder that you may write to, or set MLFLOW_TRACKING_URI={_FILE_STORE}FILE"
    )


def end_run(run_id: str, tags: Mapping[str, str]) -> None:
    """Set tags of a run that nobody is in any more; one that was left open is closed as FAILED.

    One that the store does not know, or that was deleted, is passed over.

    Raises:
        UserError: the store cannot be used.
    """
    with store_errors():
        client = connect()
        run = _find_run(client, run_id)
        if run is None or run.info.lifecycle_stage != "active":
            return
        for key, value in tags.items():
            if run.data.tags.get(key) != _storable(value):
                client.set_tag(run_id, key, _storable(value))
        if run.info.status == "RUNNING":
            client.set_terminated(run_id, "FAILED")


def find_run_folder(run_id: str) -> Path | None:
    """Return the output folder that a run recorded, or None if there is no such run.

    Args:
        run_id: whole, or its first `SHORT_ID` characters or more.

    Raises:
        UserError: the store cannot be used; several runs have ids that begin so.
    """
    with store_errors():
        client = connect()
        run = _find_run(client, run_id) or _find_by_beginning(client, run_id)
    folder = run.data.tags.get(FOLDER_TAG) if run is not None else None
    return Path(folder) if folder else None


def _find_run(client: "MlflowClient", run_id: str) -> "Run | None":
    from mlflow.exceptions import MlflowException

    try:
        return client.get_run(_storable(run_id))
    except MlflowException as error:
        # A store that cannot be reached may well know the run.
        if error.error_code in _NO_SUCH_RUN:
            return None
        raise


def _find_by_beginning(client: "MlflowClient", beginning: str) -> "Run | None":
    if re.fullmatch(f"[0-9a-f]{{{SHORT_ID},}}", beginning) is None:
        return None
    experiments = [one.experiment_id for one in client.search_experiments()]
    looks_so = f"attributes.run_id LIKE '{beginning}%'"
    found = client.search_runs(experiments, filter_string=looks_so, max_results=2)
    if len(found) > 1:
        ids = " and ".join(run.info.run_id for run in found)
        raise UserError(f"MLflow run {beginning}: {ids} begin so; give more of the id")
    return found[0] if found else None


@contextmanager
def store_errors(uri: str | None = None, advice: str | None = None) -> Iterator[None]:
    """Tell of a store that cannot be used.

    Args:
        uri: of the store; None is that of `tracking_uri`.
        advice: what to do; None is about the environment variable.

    Raises:
        UserError: in place of what MLflow and the database raise.
    """
    try:
        yield
    except _store_faults() as error:
        # The address may be in the error, too, and one line may end in its middle.
        reason = one_line(Exception(_hide_password(str(error), uri or tracking_uri())))
        remedy = advice or f"set MLFLOW_TRACKING_URI, or unset it for {DEFAULT_URI}"
        raise UserError(f"MLflow store {shown_uri(uri)}: {reason}; {remedy}") from error


def _store_faults() -> tuple[type[Exception], ...]:
    from mlflow.exceptions import MlflowException
    from sqlalchemy.exc import SQLAlchemyError

    return MlflowException, SQLAlchemyError


def _hide_password(text: str, uri: str) -> str:
    """Return a text that may hold a store's address, without the passwords in that."""
    # Not by `urllib.parse`, for which a slash ends the password; for databases it does not.
    found = re.search("://[^:/@]*:(.*)@", uri, re.DOTALL)
    shown = uri.replace(f":{found[1]}@", ":***@") if found else uri
    hidden = text.replace(f":{found[1]}@", ":***@") if found else text
    for pair in shown.partition("?")[2].split("&"):
        hidden = hidden.replace(pair, hide_values(pair)) if pair else hidden
    return hidden


def _storable(text: str) -> str:
    """Replace bytes of file names that are not UTF-8 by "?": no store takes them."""
    return text.encode("utf-8", "replace").decode("utf-8")


def connect(uri: str | None = None) -> "MlflowClient":
    """Return a client of a store; None is that of `tracking_uri`."""
    # Nobody is told about a user's runs, and a machine without network does not wait for it.
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    from mlflow import MlflowClient

    for talkative in ("alembic", "mlflow"):  # they tell of every table they make
        logging.getLogger(talkative).setLevel(logging.WARNING)
    # It tells of every error at length before it raises it.
    logging.getLogger("mlflow.store.db.utils").setLevel(logging.CRITICAL)
    return MlflowClient(uri or tracking_uri())


def _experiment_id(client: "MlflowClient", name: str) -> str:
    from mlflow.exceptions import MlflowException

    found = client.get_experiment_by_name(name)
    if found is None:
        own_store = tracking_uri().startswith("sqlite:")
        place = ARTIFACTS.absolute().as_uri() if own_store else None
        try:
            return client.create_experiment(name, artifact_location=place)
        except MlflowException as error:
            # Another run may have made it in between.
            if error.error_code != "RESOURCE_ALREADY_EXISTS":
                raise
            found = client.get_experiment_by_name(name)
            if found is None:
                raise
    if found.lifecycle_stage != "active":
        raise UserError(
            f"MLflow experiment {name!r} is deleted: bring it back with "
            f"mlflow experiments restore --experiment-id {found.experiment_id}"
        )
    return found.experiment_id


def epoch_logger(run: TrackedRun, prefix: str) -> "MLFlowLogger":
    """Return a Lightning logger that writes each epoch's metrics into an open run."""
    from pytorch_lightning.loggers import MLFlowLogger

    return MLFlowLogger(
        experiment_name=run.experiment,
        tracking_uri=tracking_uri(),
        run_id=run.run_id,
        prefix=prefix,
    )
