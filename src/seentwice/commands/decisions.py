"""How a net's logits become probabilities, and probabilities decisions, as the config says."""

from dataclasses import dataclass
from functools import partial
from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from omegaconf import DictConfig
from pydantic import Field

from seentwice.commands.settings import read_settings
from seentwice.compare.scoring import ChooseThreshold
from seentwice.detectors.calibration import CALIBRATIONS, CalibrationName, FitCalibration
from seentwice.metrics import choose_threshold


@dataclass(frozen=True, slots=True)
class DecisionSettings:
    """What of it stands at the top of the config."""

    calibration: CalibrationName  # of nets
    threshold: Annotated[float, Field(ge=0, le=1)] | None


def check_decisions(config: DictConfig) -> None:
    """Raise UserError where calibration or threshold are none, before photos are read."""
    read_settings(DecisionSettings, config, None)


def read_calibration(config: DictConfig) -> FitCalibration:
    """Return how the logits of nets are calibrated.

    Raises:
        UserError: no such calibration.
    """
    return CALIBRATIONS[read_settings(DecisionSettings, config, None).calibration]


def read_threshold(config: DictConfig) -> ChooseThreshold:
    """Return what decides from which probability on a pair is called a duplicate.

    Raises:
        UserError: a threshold outside [0, 1].
    """
    threshold = read_settings(DecisionSettings, config, None).threshold
    return choose_threshold if threshold is None else partial(_keep_threshold, threshold)


def _keep_threshold(
    threshold: float, label: NDArray[np.bool_], score: NDArray[np.float64]
) -> float:
    return threshold
