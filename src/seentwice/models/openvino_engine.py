"""OpenVINO, of the extra `fast`: on processors it is faster than torch."""

import sys
import threading
import warnings
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from seentwice.display import one_line
from seentwice.errors import UserError
from seentwice.models.preprocessing import Preprocessing
from seentwice.models.trunk import shape_after

_TYPES = {"float32": "f32", "bfloat16": "bf16"}


class NoOpenVinoError(UserError):
    """OpenVINO is not installed."""


def _import_quietly() -> Any:
    """Return OpenVINO, which tells nobody that it is used.

    Its import and each conversion would post that to its makers from a process of their own, which
    waits for the network where there is none. Without this package it posts nothing.

    Raises:
        ImportError: it is not installed.
    """
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]
    import openvino

    return openvino


class OpenVinoEngine:
    """Stages compiled by OpenVINO for the processor, with a stream for each of torch's threads."""

    def __init__(
        self,
        stages: nn.Sequential,
        preprocessing: Preprocessing,
        precision: Literal["float32", "bfloat16"],
    ) -> None:
        """Convert and compile stages in eval mode: some seconds.

        Raises:
            NoOpenVinoError: OpenVINO is not installed.
            UserError: it cannot convert the stages.
        """
        try:
            openvino = _import_quietly()
        except ImportError as error:
            raise NoOpenVinoError(
                "bank.engine=openvino: not installed: pip install 'seentwice[fast]', or choose "
                "bank.engine=torch"
            ) from error
        self.name = f"openvino {openvino.__version__} {precision}"
        self.preprocessing = preprocessing
        self.row_shape = shape_after(stages, preprocessing)
        size = (preprocessing.height_px, preprocessing.width_px)
        streams = torch.get_num_threads()
        settings = {
            "PERFORMANCE_HINT": "THROUGHPUT",
            "NUM_STREAMS": streams,
            "INFERENCE_NUM_THREADS": streams,
            "INFERENCE_PRECISION_HINT": _TYPES[precision],
        }
        try:
            with warnings.catch_warnings():
                # It traces with torch.jit, which torch calls deprecated; some networks compare
                # sizes in Python, of which the trace warns.
                warnings.simplefilter("ignore")
                model = openvino.convert_model(
                    stages, input=[-1, 3, *size], example_input=torch.zeros(2, 3, *size)
                )
            self._compiled = openvino.Core().compile_model(model, "CPU", settings)
        except Exception as error:
            raise UserError(
                f"bank.engine=openvino: cannot convert this backbone ({one_line(error)}); choose "
                "bank.engine=torch"
            ) from error
        self._requests = threading.local()

    def embed(self, looks: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Map looks (b, 3, h, w) to rows (b, ...); called from several threads."""
        photos = self.preprocessing.normalise(torch.from_numpy(looks))
        rows: NDArray[np.float32] = self._request().infer({0: photos.numpy()})[0]
        # The request writes its next rows to the same place.
        return rows.copy()

    def _request(self) -> Any:
        """Return this thread's own request: one that is shared fails while it is in use."""
        if not hasattr(self._requests, "own"):
            self._requests.own = self._compiled.create_infer_request()
        return self._requests.own
