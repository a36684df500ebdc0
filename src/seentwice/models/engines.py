"""What passes photos through the frozen stages of a trunk: torch, or OpenVINO.

An engine takes a batch in the thread that calls it, and no other: several threads that each pass a
batch of their own are faster than a batch that many threads share, which wait for each other in
every layer, and leave processors to the threads that decode. Torch uses a graphics card where there
is one.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass
from typing import Literal, Protocol, get_args, runtime_checkable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from seentwice.errors import UserError
from seentwice.models.folding import fold_batchnorm
from seentwice.models.openvino_engine import OpenVinoEngine
from seentwice.models.preprocessing import Preprocessing
from seentwice.models.trunk import shape_after

BATCH = 16
"""Photos at once through the stages; maps of many more no longer fit the cache of a processor."""

EngineName = Literal["torch", "openvino"]
Precision = Literal["float32", "bfloat16"]


@dataclass(frozen=True, slots=True)
class Passing:
    """How photos pass frozen stages; it decides the last decimals of a row."""

    engine: EngineName = "torch"
    precision: Precision = "float32"  # in which is computed; rows come out as float32


@runtime_checkable
class Engine(Protocol):
    """Passes batches through stages; called from several threads."""

    name: str  # with versions: engines of one name give the same rows
    preprocessing: Preprocessing
    row_shape: tuple[int, ...]  # (d,), or (c, h, w) of stages that end at a map

    def embed(self, looks: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Map looks (b, 3, h, w) to rows (b, ...)."""
        ...


class TorchEngine:
    """Torch, with maps whose channels lie together, and without BatchNorm where it folds."""

    def __init__(
        self, stages: nn.Sequential, preprocessing: Preprocessing, precision: Precision
    ) -> None:
        """Take stages in eval mode; what is done to them later may or may not be seen."""
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self.name = f"torch {torch.__version__} {self.device} {precision}, BatchNorm folded"
        self.row_shape = shape_after(stages, preprocessing)
        folded = fold_batchnorm(stages)
        if self.device.type != "cpu":  # a copy: what is not folded is shared, and moves in place
            folded = deepcopy(folded).to(self.device)
        self.stages = folded
        # Of float32 it keeps 10 bits of 23. Set once: the threads that embed share the switch.
        if self.device.type == "cuda":
            torch.backends.cudnn.allow_tf32 = False
        self.preprocessing = preprocessing
        self.precision = precision

    @torch.inference_mode()
    def embed(self, looks: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Map looks (b, 3, h, w) to rows (b, ...)."""
        pixels = torch.from_numpy(looks).to(self.device, memory_format=torch.channels_last)
        photos = self.preprocessing.normalise(pixels)
        faster = self.precision == "bfloat16"
        with torch.autocast(self.device.type, torch.bfloat16, enabled=faster):
            rows = self.stages(photos)
        found: NDArray[np.float32] = rows.float().cpu().numpy()
        return found


def open_engine(stages: nn.Sequential, preprocessing: Preprocessing, passing: Passing) -> Engine:
    """Make ready what passes photos through stages in eval mode.

    Raises:
        UserError: OpenVINO is not installed, or cannot convert the stages; an engine or a
            precision that there is none of; or an argument of another kind.
    """
    arguments: tuple[tuple[str, object, type, str], ...] = (
        ("stages", stages, nn.Sequential, "trunk.frozen"),
        ("preprocessing", preprocessing, Preprocessing, "trunk.preprocessing"),
        ("passing", passing, Passing, 'Passing("torch", "float32")'),
    )
    for what, given, kind, right in arguments:
        if not isinstance(given, kind):
            raise UserError(f"{what}: a {type(given).__name__}; give {right}")
    for what, name, names in (
        ("engine", passing.engine, get_args(EngineName)),
        ("precision", passing.precision, get_args(Precision)),
    ):
        if name not in names:
            raise UserError(f"{what} {name!r}: choose one of {', '.join(names)}")
    if passing.engine == "openvino":
        return OpenVinoEngine(stages, preprocessing, passing.precision)
    return TorchEngine(stages, preprocessing, passing.precision)


@contextmanager
def open_passing_threads(count: int) -> Iterator[ThreadPoolExecutor]:
    """Threads for an engine, each of which computes alone."""
    before = torch.get_num_threads()
    pool = ThreadPoolExecutor(count, initializer=torch.set_num_threads, initargs=(1,))
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)
        # What a thread sets is the number of threads that are started later, too.
        torch.set_num_threads(before)


def embed_looks_with(
    engine: Engine, looks: NDArray[np.uint8], pool: ThreadPoolExecutor
) -> NDArray[np.float32]:
    """Pass any number of looks (n, 3, h, w) in batches, as many at once as there are threads."""
    batches = [looks[start : start + BATCH] for start in range(0, len(looks), BATCH)]
    return np.concatenate(list(pool.map(engine.embed, batches)))
