"""Edits that move pixels: cuts, turns, mirrors and other sizes."""

from dataclasses import dataclass
from random import Random
from typing import Annotated, Self

from PIL import Image

from seentwice.edits.parameters import Parameter, draw_between, share
from seentwice.edits.protocol import Edit, Size

_SLANT = Parameter(-0.2, 0.2, ((-0.15, -0.05), (0.05, 0.15)))


@dataclass(frozen=True)
class Crop(Edit):
    """A rectangle of the photo, scaled back to the photo's size (85-95 %: the MLS study)."""

    name = "crop"

    left: Annotated[float, share(0, 0.15)]  # of the width, cut off on the left; to 1 - keep
    top: Annotated[float, share(0, 0.15)]  # of the height, cut off above; to 1 - keep
    keep: Annotated[float, Parameter(0, 1, ((0.85, 0.95),), excludes_lowest=True)]
    """Share of each side that stays."""

    def __post_init__(self) -> None:
        """Check that the rectangle lies inside the photo."""
        super().__post_init__()
        rest = 1 - self.keep + 1e-9  # decimals add up to 1 only nearly
        if max(self.left, self.top) > rest:
            raise ValueError("left and top lie in 0 to 1 - keep")

    @classmethod
    def draw(cls, random: Random) -> Self:
        """Draw how much stays, then where."""
        keep = draw_between(random, 0.85, 0.95)
        return cls(draw_between(random, 0, 1 - keep), draw_between(random, 0, 1 - keep), keep)

    def apply(self, image: Image.Image) -> Image.Image:
        """Cut a copy between pixels and scale it."""
        width = max(1, round(self.keep * image.width))
        height = max(1, round(self.keep * image.height))
        left = min(round(self.left * image.width), image.width - width)
        top = min(round(self.top * image.height), image.height - height)
        # Not `resize(box=...)`, which looks at pixels beyond the cut.
        kept = image.crop((left, top, left + width, top + height))
        return kept.resize(image.size, Image.Resampling.BICUBIC)


@dataclass(frozen=True)
class Half(Edit):
    """Half of the photo's area, upright or lying; the cut keeps its pixels, so it is smaller."""

    name = "half"

    left: Annotated[float, share()]  # share of the room that the cut leaves beside it
    top: Annotated[float, share()]  # share of the room that the cut leaves above and below
    width: Annotated[float, Parameter(0.5, 1, ((0.55, 0.9),))]  # the cut's share of the width

    def resized(self, size: Size) -> Size:
        """Return the cut's size."""
        width, height = size
        return max(1, round(self.width * width)), max(1, round(0.5 / self.width * height))

    def apply(self, image: Image.Image) -> Image.Image:
        """Cut a copy."""
        width, height = self.resized(image.size)
        left = round(self.left * (image.width - width))
        top = round(self.top * (image.height - height))
        return image.crop((left, top, left + width, top + height))


@dataclass(frozen=True)
class Rotate(Edit):
    """A turn about the centre; corners that it opens are white, as a scanned page shows them."""

    name = "rotate"

    degrees: Annotated[float, Parameter(-180, 180, ((-10, -2), (2, 10)))]  # counter-clockwise

    @classmethod
    def draw(cls, random: Random) -> Self:
        """Draw 2 to 10 degrees, either way: less is hardly a turn."""
        degrees = draw_between(random, 2, 10)
        return cls(degrees if random.random() < 0.5 else -degrees)

    def apply(self, image: Image.Image) -> Image.Image:
        """Turn a copy."""
        return image.rotate(self.degrees, Image.Resampling.BILINEAR, fillcolor="white")


@dataclass(frozen=True)
class HFlip(Edit):
    """The mirror image, left to right (SameSpace)."""

    name = "hflip"

    def apply(self, image: Image.Image) -> Image.Image:
        """Mirror a copy."""
        return image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)


@dataclass(frozen=True)
class Perspective(Edit):
    """The photo as a print that is seen from one side, on white.

    A point (u, v) of the photo, from its centre in half sides, goes to s (u, v) / (1 + turn u +
    tilt v); s = 1 - |turn| - |tilt| keeps all of it in the picture.
    """

    name = "perspective"

    turn: Annotated[float, _SLANT]  # above 0, the right side is farther away
    tilt: Annotated[float, _SLANT]  # above 0, the lower side is farther away

    def apply(self, image: Image.Image) -> Image.Image:
        """Project a copy."""
        width, height = image.size
        scale = 1 - abs(self.turn) - abs(self.tilt)
        # Pillow asks where a pixel comes from: (u, v) = (x, y) / (scale - turn x - tilt y), here
        # in pixels from the corner, and divided by what stands without x and y below the line.
        below = scale + self.turn + self.tilt
        coefficients = (
            (1 - self.turn, -self.tilt * width / height, (below - 1) * width / 2),
            (-self.turn * height / width, 1 - self.tilt, (below - 1) * height / 2),
            (-2 * self.turn / width, -2 * self.tilt / height),
        )
        return image.transform(
            image.size,
            Image.Transform.PERSPECTIVE,
            [value / below for row in coefficients for value in row],
            Image.Resampling.BILINEAR,
            fillcolor="white",
        )


@dataclass(frozen=True)
class Resize(Edit):
    """The photo in another size."""

    name = "resize"

    scale: Annotated[float, Parameter(0.05, 2, ((0.35, 0.8),))]  # of each side

    def resized(self, size: Size) -> Size:
        """Return the scaled size."""
        width, height = size
        return max(1, round(self.scale * width)), max(1, round(self.scale * height))

    def apply(self, image: Image.Image) -> Image.Image:
        """Scale a copy."""
        return image.resize(self.resized(image.size), Image.Resampling.BICUBIC)
