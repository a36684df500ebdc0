"""Edits that put the photo into something larger: a border, a screenshot, a collage."""

from dataclasses import dataclass
from random import Random
from typing import Annotated

from PIL import Image, ImageDraw

from seentwice.edits.letters import draw_letters, fit_letters
from seentwice.edits.parameters import SEED, Parameter
from seentwice.edits.protocol import Edit, Size

_BAR = Parameter(0.01, 0.3, ((0.06, 0.12),))
_SHADE = Parameter(0, 255, ((0, 40), (215, 255)), is_whole=True)
_TILE_PX = (96, 72)


@dataclass(frozen=True)
class Border(Edit):
    """A plain frame around the photo, which makes the picture larger."""

    name = "border"

    width: Annotated[float, Parameter(0.005, 0.3, ((0.02, 0.08),))]  # of the shorter side
    shade: Annotated[float, _SHADE]  # 0 black to 255 white

    def resized(self, size: Size) -> Size:
        """Return the photo's size with the frame on every side."""
        width = _share_of(size, self.width)
        return size[0] + 2 * width, size[1] + 2 * width

    def apply(self, image: Image.Image) -> Image.Image:
        """Frame a copy."""
        width = _share_of(image.size, self.width)
        framed = Image.new("RGB", self.resized(image.size), (int(self.shade),) * 3)
        framed.paste(image, (width, width))
        return framed


@dataclass(frozen=True)
class Screenshot(Edit):
    """A telephone's bars above (clock, battery) and below (keys), which make the picture higher."""

    name = "screenshot"

    top: Annotated[float, _BAR]  # height of the upper bar, as a share of the shorter side
    bottom: Annotated[float, _BAR]  # height of the lower bar, likewise
    shade: Annotated[float, _SHADE]  # of the bars, 0 black to 255 white

    def resized(self, size: Size) -> Size:
        """Return the photo's size with both bars."""
        return size[0], size[1] + _share_of(size, self.top) + _share_of(size, self.bottom)

    def apply(self, image: Image.Image) -> Image.Image:
        """Put a copy between the bars."""
        top, bottom = _share_of(image.size, self.top), _share_of(image.size, self.bottom)
        ground = (int(self.shade),) * 3
        ink = "black" if self.shade >= 128 else "white"
        shot = Image.new("RGB", self.resized(image.size), ground)
        shot.paste(image, (0, top))
        draw = ImageDraw.Draw(shot)
        clock = fit_letters(draw_letters("12:30", 2, 2), (image.width // 4, top))
        shot.paste(ink, (top // 2, 0, top // 2 + clock.width, clock.height), clock)
        left, unit = image.width - 2 * top, top // 4
        draw.rectangle((left, unit, left + 5 * unit, top - unit), outline=ink)
        draw.rectangle((left, unit, left + 3 * unit, top - unit), fill=ink)
        middle, radius = top + image.height + bottom // 2, bottom // 4
        for quarter in (1, 2, 3):
            centre = quarter * image.width // 4
            box = (centre - radius, middle - radius, centre + radius, middle + radius)
            draw.ellipse(box, outline=ink, width=max(1, radius // 4))
        return shot


@dataclass(frozen=True)
class Collage(Edit):
    """The photo in one corner of a sheet with three drawn pictures, as large as the photo was."""

    name = "collage"

    corner: Annotated[float, Parameter(0, 3, ((0, 3),), is_whole=True)]
    """0 upper left, 1 upper right, 2 lower left, 3 lower right."""
    width: Annotated[float, Parameter(0.3, 1, ((0.5, 0.7),))]  # of the sheet's sides: the photo's
    seed: Annotated[float, SEED]  # of the other pictures

    def apply(self, image: Image.Image) -> Image.Image:
        """Lay out a copy."""
        column, row = int(self.corner) % 2, int(self.corner) // 2
        columns = _split(image.width, self.width, column)
        rows = _split(image.height, self.width, row)
        random = Random(int(self.seed))
        sheet = Image.new("RGB", image.size)
        for down, (top, height) in enumerate(rows):
            for across, (left, width) in enumerate(columns):
                is_photo = (across, down) == (column, row)
                picture = image if is_photo else draw_picture(random)
                if width and height:
                    part = picture.resize((width, height), Image.Resampling.BICUBIC)
                    sheet.paste(part, (left, top))
        return sheet


def _share_of(size: Size, share: float) -> int:
    """Return a share of the shorter side, at least a pixel."""
    return max(1, round(share * min(size)))


def _split(length: int, width: float, place: int) -> tuple[tuple[int, int], tuple[int, int]]:
    """Return start and length of both parts of a side; the one at `place` gets the share."""
    large = max(1, round(width * length))
    first = length - large if place else large
    return (0, first), (first, length - first)


def draw_picture(random: Random) -> Image.Image:
    """Draw some room: a wall with a window and a picture, a floor, a bed or a table before them."""
    width, height = _TILE_PX
    picture = Image.new("RGB", _TILE_PX, _colour(random, 150, 235, 0.12))
    draw = ImageDraw.Draw(picture)
    floor = int(height * _between(random, 0.6, 0.75))
    draw.rectangle((0, floor, width, height), fill=_colour(random, 80, 150, 0.3))
    window = int(width * _between(random, 0.05, 0.6))
    sky = _colour(random, 190, 240, 0.15)
    draw.rectangle((window, 10, window + 26, 36), fill=sky, outline="white", width=2)
    draw.rectangle(
        (window + 2, 27, window + 24, 34), fill=(90, int(_between(random, 110, 150)), 70)
    )
    frame = (window + 48) % width
    draw.rectangle((frame, 14, frame + 13, 24), fill=_colour(random, 60, 200, 0.4), outline="black")
    left = int(width * _between(random, 0.05, 0.4))
    right = left + int(width * _between(random, 0.3, 0.5))
    top = floor - int(_between(random, 4, 14))
    draw.rectangle((left, top - 10, left + 4, floor + 12), fill=_colour(random, 40, 90, 0.2))
    draw.rectangle((left, top, right, floor + 10), fill=_colour(random, 90, 220, 0.4))
    draw.rectangle((left + 4, top, right, top + 3), fill=_colour(random, 170, 240, 0.1))
    return picture


def _colour(random: Random, low: int, high: int, spread: float) -> tuple[int, int, int]:
    """Draw a colour of some lightness; channels differ from it by at most a share `spread`."""
    light = _between(random, low, high)
    red, green, blue = (
        int(min(255, light * _between(random, 1 - spread, 1 + spread))) for _ in range(3)
    )
    return red, green, blue


def _between(random: Random, low: float, high: float) -> float:
    return low + (high - low) * random.random()
