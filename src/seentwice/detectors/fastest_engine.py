"""The fastest engine that there is for the stages of a finished net."""

from torch import nn

from seentwice.errors import UserError
from seentwice.models.engines import Engine, Passing, Precision, open_engine
from seentwice.models.preprocessing import Preprocessing


def open_fastest(
    stages: nn.Sequential, preprocessing: Preprocessing, precision: Precision
) -> Engine:
    """Pass whole stages by OpenVINO, or by torch where it is missing or cannot take them.

    Args:
        stages: of a trunk, with the blocks that were trained; put into eval mode.
        preprocessing: of photos.
        precision: in which is computed.
    """
    stages.eval()
    try:
        return open_engine(stages, preprocessing, Passing("openvino", precision))
    except UserError:
        return open_engine(stages, preprocessing, Passing("torch", precision))
