"""Edits of light and colour: each value of a channel becomes another, wherever it stands."""

from dataclasses import dataclass
from typing import Annotated

from PIL import Image

from seentwice.edits.parameters import Parameter
from seentwice.edits.protocol import Edit


@dataclass(frozen=True)
class Brightness(Edit):
    """A darker or a lighter photo."""

    name = "brightness"

    factor: Annotated[float, Parameter(0.1, 5, ((0.5, 0.8), (1.25, 1.7)))]  # of all values

    def apply(self, image: Image.Image) -> Image.Image:
        """Scale a copy's values."""
        return image.point([_clip(self.factor * value) for value in range(256)] * 3)


@dataclass(frozen=True)
class Contrast(Edit):
    """A flatter or a harder photo."""

    name = "contrast"

    factor: Annotated[float, Parameter(0.1, 5, ((0.5, 0.75), (1.35, 1.8)))]
    """Of the distances from middle grey, 128."""

    def apply(self, image: Image.Image) -> Image.Image:
        """Stretch a copy's values."""
        return image.point([_clip(128 + self.factor * (value - 128)) for value in range(256)] * 3)


@dataclass(frozen=True)
class Cast(Edit):
    """The colours of warmer or of colder light."""

    name = "cast"

    warmth: Annotated[float, Parameter(-0.9, 0.9, ((-0.3, -0.12), (0.12, 0.3)))]
    """What red gains and blue loses, as a share."""

    def apply(self, image: Image.Image) -> Image.Image:
        """Scale a copy's red and blue."""
        gains = (1 + self.warmth, 1.0, 1 - self.warmth)
        return image.point([_clip(gain * value) for gain in gains for value in range(256)])


@dataclass(frozen=True)
class Grey(Edit):
    """The photo without its colours (ITU-R 601 luma), as Pillow's own integers give it."""

    name = "grey"

    def apply(self, image: Image.Image) -> Image.Image:
        """Take the colours from a copy."""
        return image.convert("L").convert("RGB")


def _clip(value: float) -> int:
    return max(0, min(255, round(value)))
