"""What every edit is."""

from abc import ABC, abstractmethod
from dataclasses import astuple, dataclass
from random import Random
from typing import ClassVar, Self

from PIL import Image

from seentwice.edits.parameters import parameters_of

Size = tuple[int, int]
"""Width and height in pixels, at least 1 each."""


@dataclass(frozen=True)
class Edit(ABC):
    """One edit; `parse_edit(str(edit)) == edit`.

    Each field is annotated with its `Parameter`. Nothing but the fields and the photo decides the
    pixels; the same Pillow gives the same ones on every machine.

    Raises:
        ValueError: a parameter is out of its range.
    """

    name: ClassVar[str]

    def __post_init__(self) -> None:
        """Check each parameter by itself."""
        for name, parameter in parameters_of(type(self)).items():
            parameter.check(name, getattr(self, name))

    def __str__(self) -> str:
        numbers = ",".join(repr(float(value)).removesuffix(".0") for value in astuple(self))
        return f"{self.name}:{numbers}" if numbers else self.name

    @classmethod
    def form(cls) -> str:
        """Return how its text looks, such as "crop:<left>,<top>,<keep>"."""
        names = ",".join(f"<{name}>" for name in parameters_of(cls))
        return f"{cls.name}:{names}" if names else cls.name

    @classmethod
    def draw(cls, random: Random) -> Self:
        """Draw the parameters, in the order of the text."""
        return cls(*(parameter.draw(random) for parameter in parameters_of(cls).values()))

    def resized(self, size: Size) -> Size:
        """Return how large the copy of a photo of some size is, without making it."""
        return size

    @abstractmethod
    def apply(self, image: Image.Image) -> Image.Image:
        """Return an edited copy of an RGB image, as large as `resized` says."""
