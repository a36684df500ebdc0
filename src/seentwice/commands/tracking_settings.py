"""What a training is tracked with beside its metrics in MLflow."""

from dataclasses import dataclass

from omegaconf import DictConfig

from seentwice.commands.settings import read_settings
from seentwice.learn.registration import check_registry
from seentwice.learn.tensorboard_files import check_tensorboard


@dataclass(frozen=True, slots=True)
class TrackingSettings:
    """The section `tracking`."""

    register: str | None
    tensorboard: bool
    system_metrics: bool


def read_tracking(config: DictConfig) -> TrackingSettings:
    """Read the section `tracking`.

    Raises:
        UserError: a wrong value.
    """
    return read_settings(TrackingSettings, config, "tracking")


def check_tracking(config: DictConfig) -> None:
    """Try what the section `tracking` asks for, before any photo is read.

    Raises:
        UserError: a wrong value; no TensorBoard; a name or a store that takes no model.
    """
    settings = read_tracking(config)
    if settings.tensorboard:
        check_tensorboard()
    if settings.register is not None:
        check_registry(settings.register)
