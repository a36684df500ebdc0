"""What a backbone sees in a view: the rows at its cut, its features, and their zero-shot cosine."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from importlib.metadata import version
from types import TracebackType
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from seentwice.bank.recipe import Recipe
from seentwice.data.pairs import PairTable
from seentwice.detectors.descriptor import Rows
from seentwice.detectors.similarity import blockwise
from seentwice.errors import UserError
from seentwice.models.engines import (
    BATCH,
    Passing,
    embed_looks_with,
    open_engine,
    open_passing_threads,
)
from seentwice.models.preprocessing import Preprocessing
from seentwice.models.trunk import Trunk, fingerprint_frozen

FEATURES = "trunk"
"""Name of the rows of a trunk that is frozen as a whole."""

RowType = Literal["float32", "float16"]
EXACT = Passing()
"""What experiments use unless told otherwise: float32, equal to the plain stages to 1e-5."""
CODE = "1"
"""Counts the changes of our own code that change a row: of cuts, pooling, folding, compact."""


class PixelDescriptor:
    """The input of a trunk of which nothing is frozen: uint8 RGB, (3, h, w) a view."""

    name = "pixels"

    def __init__(self, preprocessing: Preprocessing) -> None:
        self.preprocessing = preprocessing
        size = (3, preprocessing.height_px, preprocessing.width_px)
        self.recipe = Recipe(self.name, (("resize", "bicubic"),), size, "uint8")

    def look(self, image: Image.Image) -> NDArray[np.uint8]:
        """Return the photo at the trunk's input size."""
        return self.preprocessing.look(image)

    def finish(self, looks: NDArray[Any]) -> NDArray[Any]:
        """Return the pixels as they are."""
        return looks


class TrunkDescriptor:
    """What comes out of the frozen stages of a trunk: features (d,) or maps (c, h, w) a view.

    A context manager: the threads that pass photos are kept from one `finish` to the next.
    """

    def __init__(self, trunk: Trunk, dtype: RowType, passing: Passing = EXACT) -> None:
        """Take the frozen stages of a trunk.

        Args:
            trunk: with at least one frozen stage.
            dtype: of the rows.
            passing: how they are computed.

        Raises:
            UserError: the engine is not installed, or cannot take these stages.
        """
        self.engine = open_engine(trunk.frozen, trunk.preprocessing, passing)
        self.preprocessing = trunk.preprocessing
        self.name = input_name(trunk)
        self._weights = trunk.weights
        self._threads = ExitStack()
        self._pool: ThreadPoolExecutor | None = None
        library = "timm" if trunk.backbone.startswith("timm/") else "torchvision"
        parts = (
            ("code", CODE),
            ("library", f"{library} {version(library)}"),
            ("backbone", trunk.backbone),
            ("cut", f"{trunk.cut} of {len(trunk.stages)} stages"),
            ("weights", fingerprint_frozen(trunk)),
            ("preprocessing", repr(trunk.preprocessing)),
            ("engine", self.engine.name),
        )
        self.recipe = Recipe(self.name, parts, self.engine.row_shape, dtype)

    @property
    def at_least(self) -> tuple[int, int]:
        """The size, (width, height), to which a photo may be decoded for these rows."""
        return self.preprocessing.width_px, self.preprocessing.height_px

    def look(self, image: Image.Image) -> NDArray[np.uint8]:
        """Return the photo at the trunk's input size."""
        return self.preprocessing.look(image)

    def finish(self, looks: NDArray[Any]) -> NDArray[Any]:
        """Pass the photos through the frozen stages: (b, ...).

        Raises:
            UserError: a value is not finite, or too large for the type of the rows.
        """
        if self._pool is None:
            with self:
                return self.finish(looks)
        found = embed_looks_with(self.engine, looks, self._pool)
        with np.errstate(over="ignore"):
            rows = found.astype(self.recipe.dtype, copy=False)
        if np.isfinite(rows).all():
            return rows
        if np.isfinite(found).all():
            raise UserError(
                f"bank.dtype={self.recipe.dtype}: this backbone gives values up to "
                f"{np.abs(found).max():,.0f}, which it cannot hold; choose bank.dtype=float32"
            )
        raise UserError(
            f"backbone.weights={self._weights}: photos give values that are no numbers (NaN or "
            "infinite); choose other weights"
        )

    @property
    def looks_at_once(self) -> int:
        """The looks that give each thread a batch."""
        return BATCH * torch.get_num_threads()

    def __enter__(self) -> "TrunkDescriptor":
        self._pool = self._threads.enter_context(open_passing_threads(torch.get_num_threads()))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._pool = None
        self._threads.close()


def input_name(trunk: Trunk) -> str:
    """Return the name of the rows at a trunk's cut: pixels, maps, or its features."""
    if trunk.cut == 0:
        return PixelDescriptor.name
    return FEATURES if trunk.cut == len(trunk.stages) else "maps"


def describe_input(
    trunk: Trunk, dtype: RowType, passing: Passing = EXACT
) -> PixelDescriptor | TrunkDescriptor:
    """Return what a net takes of a view: the rows at the trunk's cut.

    Raises:
        UserError: the engine is not installed, or cannot take the frozen stages.
    """
    if trunk.cut == 0:
        return PixelDescriptor(trunk.preprocessing)
    return TrunkDescriptor(trunk, dtype, passing)


def cosine_similarity(pairs: PairTable, rows: Rows) -> NDArray[np.float64]:
    """Return the cosine of the two feature vectors, -1 to 1: (n,)."""
    return blockwise(
        pairs, unit_rows(rows[FEATURES]), lambda left, right: (left * right).sum(axis=1)
    )


def unit_rows(rows: NDArray[np.floating[Any]]) -> NDArray[np.float32]:
    """Scale each row (v, d) to length 1; a row of zeros stays zero."""
    wide = np.asarray(rows, np.float32)
    length = np.linalg.norm(wide, axis=1, keepdims=True)
    unit: NDArray[np.float32] = wide / np.maximum(length, np.finfo(np.float32).tiny)
    return unit
