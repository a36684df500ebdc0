"""Edits that cover a part of the photo: watermark, logo, caption, sticker."""

from dataclasses import dataclass
from math import sqrt
from random import Random
from typing import Annotated

from PIL import Image, ImageDraw, ImageFilter

from seentwice.edits.letters import draw_letters, fit_letters
from seentwice.edits.parameters import SEED, Parameter, share
from seentwice.edits.protocol import Edit

_Box = tuple[int, int, int, int]
_PLATE_OPACITY = 0.6
_LOGO_OPACITY = 0.85
_LOGO_PX = (180, 150)
_STICKER_PX = (256, 256)
_STICKER_WORDS = ("SOLD", "NEW", "SALE", "-20%")
_STICKER_COLOURS = ((214, 40, 40), (29, 120, 60), (250, 180, 20), (30, 80, 180))


@dataclass(frozen=True)
class _Mark(Edit):
    """A drawing that an agency lays over its photos, wholly inside them."""

    left: Annotated[float, share()]  # share of the room that the mark leaves beside it
    top: Annotated[float, share()]  # share of the room that the mark leaves above and below
    width: Annotated[float, Parameter(0, 1, ((0.2, 0.4),), excludes_lowest=True)]
    """The mark's, as a share of the photo's."""

    def place(self, image: Image.Image, drawing: Image.Image) -> _Box:
        """Return the box of the photo that the drawing covers."""
        across = max(1, round(self.width * image.width))
        down = min(image.height, max(1, round(across * drawing.height / drawing.width)))
        x = round(self.left * (image.width - across))
        y = round(self.top * (image.height - down))
        return x, y, x + across, y + down


@dataclass(frozen=True)
class Watermark(_Mark):
    """An agency's half-transparent plate with white letters."""

    name = "watermark"

    def apply(self, image: Image.Image) -> Image.Image:
        """Lay the plate over a copy."""
        letters = draw_letters("HOMES & ROOMS", 5, 3)
        box = self.place(image, letters)
        below = image.crop(box)
        plate = Image.new("RGB", below.size, "black")
        plate.paste("white", mask=letters.resize(below.size, Image.Resampling.BICUBIC))
        marked = image.copy()
        marked.paste(Image.blend(below, plate, _PLATE_OPACITY), box)
        return marked


@dataclass(frozen=True)
class Logo(_Mark):
    """A roof over an agency's letters, white with a dark rim."""

    name = "logo"

    def apply(self, image: Image.Image) -> Image.Image:
        """Lay the logo over a copy."""
        drawing = _draw_logo()
        box = self.place(image, drawing)
        size = (box[2] - box[0], box[3] - box[1])
        marked = image.copy()
        for colour, mask in (
            ("black", drawing.filter(ImageFilter.MaxFilter(7))),
            ("white", drawing),
        ):
            scaled = mask.resize(size, Image.Resampling.BICUBIC)
            marked.paste(colour, box, scaled.point([int(v * _LOGO_OPACITY) for v in range(256)]))
        return marked


@dataclass(frozen=True)
class Caption(Edit):
    """A dark bar with an offer in white letters over the photo's lower edge."""

    name = "caption"

    height: Annotated[float, Parameter(0.02, 0.5, ((0.08, 0.16),))]  # of the shorter side
    thousands: Annotated[float, Parameter(1, 9999, ((50, 1500),), is_whole=True)]  # of the price

    def apply(self, image: Image.Image) -> Image.Image:
        """Lay the bar over a copy."""
        height = max(1, round(self.height * min(image.size)))
        letters = fit_letters(
            draw_letters(f"FOR SALE  {int(self.thousands)} 000", 6, 2), (image.width, height)
        )
        titled = image.copy()
        top = image.height - height
        titled.paste((24, 28, 36), (0, top, image.width, image.height))
        titled.paste("white", (0, top, letters.width, top + letters.height), letters)
        return titled


@dataclass(frozen=True)
class Sticker(Edit):
    """A bright disc with a word, of the photo's proportions, wholly inside the photo."""

    name = "sticker"

    left: Annotated[float, share()]  # share of the room that the disc leaves beside it
    top: Annotated[float, share()]  # share of the room that the disc leaves above and below
    area: Annotated[float, Parameter(0.005, 0.7, ((0.18, 0.22),))]  # share of the photo it hides
    seed: Annotated[float, SEED]  # of colour and word

    def apply(self, image: Image.Image) -> Image.Image:
        """Stick the disc on a copy."""
        side = sqrt(self.area / 0.7853981633974483)  # a disc fills pi / 4 of its box
        width, height = (max(1, round(side * length)) for length in image.size)
        left, top = (
            round(self.left * (image.width - width)),
            round(self.top * (image.height - height)),
        )
        disc, mask = _draw_disc(Random(int(self.seed)))
        stuck = image.copy()
        stuck.paste(
            disc.resize((width, height), Image.Resampling.BICUBIC),
            (left, top),
            mask.resize((width, height), Image.Resampling.BICUBIC),
        )
        return stuck


def _draw_logo() -> Image.Image:
    width, height = _LOGO_PX
    logo = Image.new("L", _LOGO_PX, 0)
    draw = ImageDraw.Draw(logo)
    draw.line(((12, 82), (width // 2, 14), (width - 12, 82)), fill=255, width=13, joint="curve")
    draw.rectangle((130, 20, 144, 50), fill=255)  # the chimney
    letters = fit_letters(draw_letters("H&R", 0, 0), (width - 50, height - 85))
    logo.paste(letters, ((width - letters.width) // 2, 78))
    return logo


def _draw_disc(random: Random) -> tuple[Image.Image, Image.Image]:
    """Return the disc, RGB, and its mask, L."""
    colour = _STICKER_COLOURS[int(random.random() * len(_STICKER_COLOURS))]
    word = _STICKER_WORDS[int(random.random() * len(_STICKER_WORDS))]
    width, height = _STICKER_PX
    disc = Image.new("RGB", _STICKER_PX, colour)
    ImageDraw.Draw(disc).ellipse((14, 14, width - 15, height - 15), outline="white", width=6)
    letters = fit_letters(draw_letters(word, 1, 0), (width - 70, height - 70))
    left, top = (width - letters.width) // 2, (height - letters.height) // 2
    disc.paste("white", (left, top, left + letters.width, top + letters.height), letters)
    mask = Image.new("L", _STICKER_PX, 0)
    ImageDraw.Draw(mask).ellipse((0, 0, width - 1, height - 1), fill=255)
    return disc, mask
