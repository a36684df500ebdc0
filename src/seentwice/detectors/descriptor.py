"""What a detector sees of a view: the protocol of everything that makes rows."""

from collections.abc import Mapping
from types import TracebackType
from typing import Any, Protocol, runtime_checkable

from numpy.typing import NDArray
from PIL import Image

from seentwice.bank.recipe import Recipe

Rows = Mapping[str, NDArray[Any]]
"""Rows by descriptor name; row i of each belongs to view i."""


class Descriptor(Protocol):
    """Turns a view into one row of numbers, in two steps."""

    name: str

    @property
    def recipe(self) -> Recipe:
        """Everything that decides a row besides the view's pixels."""
        ...

    def look(self, image: Image.Image) -> NDArray[Any]:
        """Reduce one RGB photo to what the second step needs; called from several threads."""
        ...

    def finish(self, looks: NDArray[Any]) -> NDArray[Any]:
        """Turn a stack of b looks into b rows, in one thread."""
        ...


@runtime_checkable
class ThreadedDescriptor(Protocol):
    """A descriptor whose second step has threads, which are kept while it is entered."""

    @property
    def looks_at_once(self) -> int:
        """The least number of looks that give each thread something to do."""
        ...

    def __enter__(self) -> object: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...


@runtime_checkable
class SplittingDescriptor(Protocol):
    """A descriptor whose row holds what several kinds of detectors look for."""

    def split(self, rows: NDArray[Any]) -> Rows:
        """Name the parts of its rows (v, ...), each (v, ...); views of them, no copies."""
        ...
