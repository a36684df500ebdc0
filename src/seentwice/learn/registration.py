"""A trained net as a model that MLflow loads, serves and keeps versions of."""

import base64
import json
import os
import re
import shutil
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from importlib.metadata import version
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from PIL import Image

import seentwice
from seentwice.errors import UserError
from seentwice.learn.pair_rows import CHECKPOINT, CONTENTS, PATHS
from seentwice.learn.tracking import TrackedRun, connect, store_errors
from seentwice.models.checkpoint import CHECKPOINT_FILE, CheckpointRecord, save_checkpoint
from seentwice.models.nets import SiameseNet
from seentwice.models.trunk import Trunk

if TYPE_CHECKING:
    from mlflow.entities import LoggedModel
    from mlflow.models import ModelSignature

MODEL_NAME = "photo_pairs"
"""Of the model below its run; versions of it are registered under a name of the user's."""

_CODE = Path(__file__).with_name("served_model.py")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")  # no quoting in shells, addresses or URIs
_REQUIREMENTS = (
    *("mlflow", "numpy", "pandas", "pillow", "pydantic", "safetensors", "scikit-learn", "scipy"),
    *("torch", "torchvision"),
)
"""Packages that scoring imports; the code of this one is in the model."""


@dataclass(frozen=True, slots=True)
class RegisteredModel:
    """One version of a model."""

    name: str
    version: str

    @property
    def uri(self) -> str:
        """What `mlflow models serve -m` takes."""
        return f"models:/{self.name}/{self.version}"


def check_registry(name: str) -> None:
    """Refuse a name, or a store, that no model can be registered by, before the work is done.

    Raises:
        UserError: it is such.
    """
    if _NAME.fullmatch(name) is None:
        raise UserError(
            f"tracking.register={name!r}: give a name of 1 to 100 letters, digits, dots, dashes "
            "and underscores that begins with a letter or digit"
        )
    with store_errors():
        connect().search_registered_models(max_results=1)


def register_model(
    run: TrackedRun, name: str, net: SiameseNet, record: CheckpointRecord, trunk: Trunk
) -> RegisteredModel:
    """Log the model of a run that is open, and register it.

    It holds a checkpoint with the frozen stages of its trunk, and this package's code, so it works
    where neither weights nor seentwice are. It holds no pickle.

    Args:
        run: gets the model.
        name: a new version of this is made.
        net: its weights.
        record: of the net.
        trunk: that it was trained on.

    Raises:
        UserError: the store cannot be used.
    """
    from mlflow.entities import LoggedModelOutput

    client = run.client
    info = client.get_run(run.run_id).info
    logged = client.create_logged_model(info.experiment_id, MODEL_NAME, run.run_id)
    with _finished(run, logged):
        client.log_outputs(run.run_id, [LoggedModelOutput(logged.model_id, step=0)])
        with TemporaryDirectory() as folder:
            model = Path(folder, "model")
            _write_model(model, run, logged, net, record, trunk)
            client.log_model_artifacts(logged.model_id, str(model))
    return _register(run, name, logged)


@contextmanager
def _finished(run: TrackedRun, logged: "LoggedModel") -> Iterator[None]:
    try:
        yield
    except BaseException:
        with suppress(Exception):  # a store that is gone does not hide what went wrong
            run.client.finalize_logged_model(logged.model_id, "FAILED")
        raise
    run.client.finalize_logged_model(logged.model_id, "READY")


def _write_model(
    folder: Path,
    run: TrackedRun,
    logged: "LoggedModel",
    net: SiameseNet,
    record: CheckpointRecord,
    trunk: Trunk,
) -> None:
    """Write the folder of a model; see https://mlflow.org/docs/latest/ml/model/models-from-code."""
    with warnings.catch_warnings():  # its import warns of a type hint of its own
        warnings.filterwarnings("ignore", message=".*type hint is inferred as AnyType.*")
        from mlflow.pyfunc import save_model
    from mlflow.models import Model

    os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
    with TemporaryDirectory() as beside:
        # Both files lie here, since MLflow writes down where it had them from.
        checkpoint = Path(beside, CHECKPOINT_FILE)
        whole = replace(record, bundled=trunk.cut > 0)
        save_checkpoint(checkpoint, net, whole, trunk.frozen if whole.bundled else None)
        save_model(
            str(folder),
            python_model=shutil.copy(_CODE, beside),
            artifacts={CHECKPOINT: str(checkpoint)},
            code_paths=[str(Path(seentwice.__file__).parent)],
            signature=_signature(),
            input_example=_example(),
            pip_requirements=_requirements(record),
            mlflow_model=Model(
                artifact_path=logged.artifact_location,
                run_id=run.run_id,
                model_uuid=logged.model_id,
                model_id=logged.model_id,
            ),
        )


def _requirements(record: CheckpointRecord) -> list[str]:
    names = [*_REQUIREMENTS]
    if record.architecture.backbone.startswith("timm/"):
        names.append("timm")
    if record.passing.engine == "openvino":
        names.append("openvino")
    return [f"{name}=={version(name)}" for name in names]


def _signature() -> "ModelSignature":
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, DataType, Schema
    from mlflow.types.schema import TensorSpec

    asked: list[ColSpec | TensorSpec] = [
        ColSpec(DataType.string, name, required=False) for name in (*CONTENTS, *PATHS)
    ]
    answered: list[ColSpec | TensorSpec] = [
        ColSpec(DataType.double, "score", required=False),
        ColSpec(DataType.boolean, "duplicate", required=False),
        ColSpec(DataType.string, "error", required=False),
    ]
    return ModelSignature(Schema(asked), Schema(answered))


def _example() -> list[dict[str, str]]:
    """Return a request of two photos of one pixel, black and white."""
    photos = []
    for colour in ("black", "white"):
        content = BytesIO()
        Image.new("RGB", (1, 1), colour).save(content, "PNG")
        photos.append(base64.b64encode(content.getvalue()).decode("ascii"))
    return [dict(zip(CONTENTS, photos, strict=True))]


def _register(run: TrackedRun, name: str, logged: "LoggedModel") -> RegisteredModel:
    from mlflow.exceptions import MlflowException

    try:
        run.client.create_registered_model(name)
    except MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise
    # By its place: "models:/ID" would be looked up in whatever store the process uses by default.
    made = run.client.create_model_version(
        name, logged.artifact_location, run.run_id, model_id=logged.model_id
    )
    # By which MLflow's pages find the version from the model.
    versions = json.dumps([{"name": name, "version": made.version}])
    run.client.set_logged_model_tags(logged.model_id, {"mlflow.modelVersions": versions})
    return RegisteredModel(name, str(made.version))
