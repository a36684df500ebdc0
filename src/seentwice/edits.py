"""Seeded edits of photos, each written as one line of text that alone decides the pixels.

The copies are those of the MLS study (slides on a Siamese VGG-16 in BigDL: a watermark at a
random place, a crop of 85-95 %, a rotation by a random angle), and the mirroring of SameSpace.
"""

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass, fields
from random import Random
from typing import ClassVar, Self

from PIL import Image, ImageDraw, ImageFont

from seentwice.errors import UserError


@dataclass(frozen=True)
class Edit(ABC):
    """One edit; `parse_edit(str(edit)) == edit`.

    Raises:
        ValueError: a parameter is out of its range.
    """

    form: ClassVar[str]  # how its text looks

    def __str__(self) -> str:
        name = self.form.partition(":")[0]
        numbers = ",".join(repr(float(value)).removesuffix(".0") for value in astuple(self))
        return f"{name}:{numbers}" if numbers else name

    @classmethod
    @abstractmethod
    def draw(cls, random: Random) -> Self:
        """Draw the parameters."""

    @abstractmethod
    def apply(self, image: Image.Image) -> Image.Image:
        """Return an edited copy of an RGB image, of the same size."""


@dataclass(frozen=True)
class Watermark(Edit):
    """An agency's half-transparent plate with white letters, wholly inside the photo."""

    form = "watermark:<left>,<top>,<width>"

    left: float  # 0 to 1: share of the room that the plate leaves beside it; any is drawn
    top: float  # 0 to 1: share of the room that the plate leaves above and below; any is drawn
    width: float  # above 0, to 1: the plate's, as a share of the photo's; 0.2 to 0.4 is drawn

    def __post_init__(self) -> None:
        _require(0 <= self.left <= 1 and 0 <= self.top <= 1, "left and top lie in 0 to 1")
        _require(0 < self.width <= 1, "width lies above 0 and up to 1")

    @classmethod
    def draw(cls, random: Random) -> Self:
        """Draw a plate of 20-40 % of the width, anywhere."""
        return cls(_between(random, 0, 1), _between(random, 0, 1), _between(random, 0.2, 0.4))

    def apply(self, image: Image.Image) -> Image.Image:
        """Lay the plate over a copy."""
        letters = _letters()
        width = max(1, round(self.width * image.width))
        height = min(image.height, max(1, round(width * letters.height / letters.width)))
        corner = (
            round(self.left * (image.width - width)),
            round(self.top * (image.height - height)),
        )
        box = (*corner, corner[0] + width, corner[1] + height)
        below = image.crop(box)
        plate = Image.new("RGB", below.size, "black")
        plate.paste("white", mask=letters.resize(below.size, Image.Resampling.BICUBIC))
        marked = image.copy()
        marked.paste(Image.blend(below, plate, _OPACITY), box)
        return marked


@dataclass(frozen=True)
class Crop(Edit):
    """A rectangle of the photo, scaled back to the photo's size."""

    form = "crop:<left>,<top>,<keep>"

    left: float  # 0 to 1 - keep: share of the width that is cut off on the left
    top: float  # 0 to 1 - keep: share of the height that is cut off above
    keep: float  # above 0, to 1: share of each side that stays; 0.85 to 0.95 is drawn

    def __post_init__(self) -> None:
        _require(0 < self.keep <= 1, "keep lies above 0 and up to 1")
        rest = 1 - self.keep + 1e-9  # decimals add up to 1 only nearly
        inside = 0 <= self.left <= rest and 0 <= self.top <= rest
        _require(inside, "left and top lie in 0 to 1 - keep")

    @classmethod
    def draw(cls, random: Random) -> Self:
        """Draw a crop that keeps 85-95 % of each side."""
        keep = _between(random, 0.85, 0.95)
        return cls(_between(random, 0, 1 - keep), _between(random, 0, 1 - keep), keep)

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
class Rotate(Edit):
    """A turn about the centre; corners that it opens are white, as a scanned page shows them."""

    form = "rotate:<degrees>"

    degrees: float  # -180 to 180, counter-clockwise; 2 to 10 either way is drawn

    def __post_init__(self) -> None:
        _require(-180 <= self.degrees <= 180, "degrees lie in -180 to 180")

    @classmethod
    def draw(cls, random: Random) -> Self:
        """Draw 2 to 10 degrees, either way: less is hardly a turn."""
        degrees = _between(random, 2, 10)
        return cls(degrees if random.random() < 0.5 else -degrees)

    def apply(self, image: Image.Image) -> Image.Image:
        """Turn a copy."""
        return image.rotate(self.degrees, Image.Resampling.BILINEAR, fillcolor="white")


@dataclass(frozen=True)
class HFlip(Edit):
    """The mirror image, left to right."""

    form = "hflip"

    @classmethod
    def draw(cls, random: Random) -> Self:
        """Return the only one there is."""
        return cls()

    def apply(self, image: Image.Image) -> Image.Image:
        """Mirror a copy."""
        return image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)


EDITS: Mapping[str, type[Edit]] = {
    "watermark": Watermark,
    "crop": Crop,
    "rotate": Rotate,
    "hflip": HFlip,
}
"""Edits by name. In texts and names `|` joins a chain, applied from left to right."""


def draw_edits(key: str, names: Sequence[str], seed: int) -> tuple[str, ...]:
    """Draw one text a name for the photo `key`.

    The parameters of an edit follow from the seed, the key and the edit's name alone; each edit
    of a chain is drawn as if it stood by itself.

    Args:
        key: The photo's name; see `Photo.key`.
        names: Keys of `EDITS`, or chains of them such as "rotate|hflip".
        seed: Other seeds draw other parameters.

    Raises:
        UserError: no such edit; the message lists the valid names.
    """
    return tuple("|".join(_draw_one(key, part, seed) for part in name.split("|")) for name in names)


def parse_edit(text: str) -> Edit:
    """Read one edit, no chain, from its text.

    Raises:
        UserError: no edit looks so, or a parameter is out of its range.
    """
    name, colon, rest = text.partition(":")
    kind = EDITS.get(name)
    numbers = rest.split(",") if colon else []
    if kind is None or len(numbers) != len(fields(kind)):
        raise _malformed(text, "is no edit")
    try:
        return kind(*(float(number) for number in numbers))
    except ValueError as error:
        raise _malformed(text, str(error)) from error


def apply_edit(image: Image.Image, text: str) -> Image.Image:
    """Return an edited copy of an RGB image, of the same size.

    Args:
        image: RGB, of at least one pixel; it stays as it is.
        text: An edit, or a chain of them such as "rotate:7.25|hflip".

    Raises:
        UserError: the text is malformed; the message names the valid forms.
        ValueError: the image is not RGB.
    """
    if image.mode != "RGB":
        raise ValueError(f"edits are for RGB images, got {image.mode}")
    for part in text.split("|"):
        image = parse_edit(part).apply(image)
    return image


_OPACITY = 0.6
_WORDS = "HOMES & ROOMS"
_DECIMALS = 4


def _draw_one(key: str, name: str, seed: int) -> str:
    if name not in EDITS:
        raise UserError(
            f"edits: {name!r} is no edit; choose from {', '.join(EDITS)}, "
            "or a chain of them such as 'rotate|hflip'"
        )
    digest = hashlib.sha256(f"{seed}\0{key}\0{name}".encode("utf-8", "surrogateescape")).digest()
    # Python promises the same numbers from a seed in every version, which NumPy does not.
    return str(EDITS[name].draw(Random(int.from_bytes(digest))))


def _between(random: Random, low: float, high: float) -> float:
    return round(low + (high - low) * random.random(), _DECIMALS)


def _letters() -> Image.Image:
    """Draw the plate's letters with margins, (17, 88) px of L; the font is a bitmap in Pillow."""
    font = ImageFont.load_default_imagefont()
    _, _, width, height = font.getbbox(_WORDS)
    letters = Image.new("L", (int(width) + 10, int(height) + 6), 0)
    ImageDraw.Draw(letters).text((5, 3), _WORDS, fill=255, font=font)
    return letters


def _require(condition: bool, message: str) -> None:
    if not condition:
        raise ValueError(message)


def _malformed(text: str, problem: str) -> UserError:
    forms = ", ".join(edit.form for edit in EDITS.values())
    return UserError(f"edit {text!r}: {problem}; edits look like {forms}, joined by '|'")
