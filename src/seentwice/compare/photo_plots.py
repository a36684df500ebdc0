"""Photos in pictures: rows of them, what a net saw in them, and a map on which they lie."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from io import BytesIO

import numpy as np
from matplotlib import colormaps
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.offsetbox import AnnotationBbox, OffsetImage
from numpy.typing import ArrayLike, NDArray
from PIL import Image, ImageOps

from seentwice.plots import COLOURS, DOTS_PER_INCH, INK, make_figure

RIGHT, WRONG = COLOURS[2], COLOURS[1]
"""Frames of what a net found rightly, and of what it did not."""

_JPEG_QUALITY = 80
_CAPTION_INCHES = 0.24  # a line above a photo
_DIVERGING = colormaps["RdBu_r"]  # red above 0, blue below; both are told apart in grey by place
_CLIPPED = 99.5  # percentile of a map at which its colours end, since single pixels are extreme
_OPACITY = 0.75  # of the strongest colour over a photo
_MANY = colormaps["tab20"]
_MAP_INCHES = (9.0, 7.0)
_MAP_ROOM = 0.06  # share of the map's extent, on every side
_POINTS_PER_INCH = 72  # in which an OffsetImage counts its pixels

Pixels = NDArray[np.uint8]
"""RGB (h, w, 3)."""


@dataclass(frozen=True, slots=True)
class PhotoPicture:
    """A picture made of photos, which as a PNG would weigh ten times as much."""

    jpeg: bytes = field(repr=False)
    alt: str  # what it shows, for those who cannot see it

    def _repr_jpeg_(self) -> bytes:
        """Be shown by a notebook."""
        return self.jpeg


@dataclass(frozen=True, slots=True, eq=False)
class ShownPhoto:
    """A photo in a row."""

    pixels: Pixels
    caption: str = ""  # a line above it
    frame: str = ""  # its colour; "" is none


def fit_photo(image: Image.Image, width_px: int, height_px: int) -> Pixels:
    """Return a photo made smaller as a whole, in the middle of white where its shape is another."""
    return np.asarray(ImageOps.pad(image.convert("RGB"), (width_px, height_px), color="white"))


def lay_over(pixels: Pixels, values: ArrayLike) -> Pixels:
    """Return a photo in grey under the colours of a map: red where it is above 0, blue below.

    Args:
        pixels: the photo.
        values: (r, c) the map, drawn over the whole of it; its strongest colours are its own.
    """
    height, width = pixels.shape[:2]
    # Smoothly, so that a map of few values is no mosaic.
    strength = np.asarray(
        Image.fromarray(np.asarray(values, np.float32)).resize(
            (width, height), Image.Resampling.BILINEAR
        )
    )
    most = float(np.percentile(np.abs(strength), _CLIPPED)) or 1.0
    share = np.clip(strength / most, -1, 1)
    grey = np.asarray(Image.fromarray(pixels).convert("L"), np.float64)[..., None] / 255
    colour = _DIVERGING((share + 1) / 2)[..., :3]
    opacity = _OPACITY * np.abs(share)[..., None]
    mixed: Pixels = np.rint(255 * (opacity * colour + (1 - opacity) * grey)).astype(np.uint8)
    return mixed


def draw_photos(
    rows: Sequence[Sequence[ShownPhoto]], alt: str, width_px: int = 150
) -> PhotoPicture:
    """Draw rows of photos, each under its caption.

    Args:
        rows: of at least one photo each; rows may differ in length.
        alt: what the picture shows.
        width_px: of a photo.

    Raises:
        ValueError: there is no photo.
    """
    if not any(rows):
        raise ValueError("a picture needs at least one photo")
    width = width_px / DOTS_PER_INCH
    shapes = [photo.pixels.shape[0] / photo.pixels.shape[1] for row in rows for photo in row]
    height = width * max(shapes) + _CAPTION_INCHES
    columns = max(map(len, rows))
    figure = make_figure(columns * width * 1.06, len(rows) * height)
    grid = figure.subplots(len(rows), columns, squeeze=False)
    for axes in grid.flat:
        axes.set_axis_off()
    for line, row in zip(grid, rows, strict=True):
        for axes, photo in zip(line, row, strict=False):
            axes.imshow(photo.pixels, interpolation="antialiased")
            axes.set_title(
                photo.caption, fontsize=7.5, color=photo.frame or INK, pad=3, parse_math=False
            )
            if photo.frame:
                tall, wide = photo.pixels.shape[:2]
                corners = [-0.5, wide - 0.5, wide - 0.5, -0.5, -0.5]
                sides = [-0.5, -0.5, tall - 0.5, tall - 0.5, -0.5]
                axes.plot(corners, sides, color=photo.frame, linewidth=2.5, clip_on=False)
    return PhotoPicture(_to_jpeg(figure), alt)


def draw_photo_map(
    points: ArrayLike, photos: Sequence[Pixels], groups: Sequence[str], alt: str
) -> PhotoPicture:
    """Draw photos where they lie on a map; lines of one colour hold those of a group together.

    Args:
        points: (n, 2).
        photos: n, small as they are to be seen.
        groups: (n,) names; colours repeat after twenty.
        alt: what the picture shows.

    Raises:
        ValueError: there is no photo, or not one for each point and group.
    """
    placed = np.asarray(points, np.float64)
    names = np.asarray(groups, dtype=object)
    if not len(photos) or placed.shape != (len(photos), 2) or names.shape != (len(photos),):
        raise ValueError("a map needs a point, a photo and a group each, and at least one")
    figure = make_figure(*_MAP_INCHES)
    axes = figure.add_subplot()
    axes.set_axis_off()
    low, high = placed.min(axis=0), placed.max(axis=0)
    room = np.maximum(high - low, 1e-9) * _MAP_ROOM
    axes.set_xlim(low[0] - room[0], high[0] + room[0])
    axes.set_ylim(low[1] - room[1], high[1] + room[1])
    for number, name in enumerate(dict.fromkeys(groups)):
        colour = to_hex(_MANY(number % _MANY.N))
        members = np.flatnonzero(names == name).tolist()
        centre = placed[members].mean(axis=0)
        for member in members:
            ends = np.stack([centre, placed[member]])
            axes.plot(*ends.T, color=colour, linewidth=1.6, zorder=1)
            frame = {"edgecolor": colour, "linewidth": 2.0}
            small = OffsetImage(photos[member], zoom=_POINTS_PER_INCH / DOTS_PER_INCH)
            axes.add_artist(AnnotationBbox(small, placed[member], pad=0.1, bboxprops=frame))
    return PhotoPicture(_to_jpeg(figure), alt)


def _to_jpeg(figure: Figure) -> bytes:
    buffer = BytesIO()
    options = {"quality": _JPEG_QUALITY, "optimize": True}
    figure.savefig(buffer, format="jpeg", pil_kwargs=options)
    return buffer.getvalue()
