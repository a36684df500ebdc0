"""HTML pages that need nothing but themselves: pictures inside, every text escaped.

A page is built of the small records below and written by one template. It fetches nothing, and
says so to the browser, so a page about private photos can be mailed and opened anywhere.
"""

from base64 import b64encode
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cache
from io import BytesIO
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined, Template
from markupsafe import Markup
from PIL import Image

from seentwice.display import show_text
from seentwice.errors import UserError
from seentwice.files import open_atomically

THUMBNAIL_QUALITY = 80  # a photo of 240 px weighs about 8 kB
_GENERATOR = b'<meta name="generator" content="seentwice">'  # which each page has
_HEAD_BYTES = 1_024  # of a page, which hold it


@dataclass(frozen=True, slots=True)
class Column:
    """The head of a column."""

    name: str
    is_numeric: bool = False  # right-aligned, and a press on the head sorts by it
    hint: str = ""  # shown while the pointer rests on the head


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell of a table."""

    text: str
    detail: str = ""  # smaller, below the text: an interval for example
    value: float | None = None  # what the column sorts by; cells without one come last
    is_best: bool = False  # set in bold


@dataclass(frozen=True, slots=True)
class Table:
    """A table whose first column names its rows."""

    caption: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]

    def __post_init__(self) -> None:
        for row in self.rows:
            if len(row) != len(self.columns):
                raise ValueError(
                    f"table {self.caption!r} has {len(self.columns)} columns, a row {len(row)}"
                )


@dataclass(frozen=True, slots=True)
class Facts:
    """Names and values, such as the data and the seed of an experiment."""

    facts: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Code:
    """Text to be shown letter by letter: a command, a configuration."""

    text: str
    title: str = ""  # with one, the text stays folded until the title is pressed


@dataclass(frozen=True, slots=True)
class Picture:
    """A plot."""

    png: bytes = field(repr=False)
    alt: str  # what it shows, for those who cannot see it

    def _repr_png_(self) -> bytes:
        """Be shown by a notebook."""
        return self.png


@dataclass(frozen=True, slots=True)
class Thumbnail:
    """A small photo, or in its place why there is none."""

    jpeg: bytes | None
    name: str  # the photo's name, read out in place of the photo
    problem: str = ""


@dataclass(frozen=True, slots=True)
class PhotoPair:
    """Two photos side by side."""

    left: Thumbnail
    right: Thumbnail
    lines: tuple[str, ...]  # what there is to say about them


@dataclass(frozen=True, slots=True)
class Gallery:
    """Pairs of photos under one title."""

    title: str
    pairs: tuple[PhotoPair, ...]


@dataclass(frozen=True, slots=True)
class PhotoShot:
    """One photo and what there is to say about it, its name first."""

    photo: Thumbnail
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PhotoGrid:
    """Photos one by one."""

    shots: tuple[PhotoShot, ...]


Block = Table | Facts | Code | Picture | Gallery | PhotoGrid


@dataclass(frozen=True, slots=True)
class Section:
    """A part of a page."""

    title: str
    text: str = ""
    blocks: tuple[Block, ...] = ()


def make_thumbnail(image: Image.Image, side_px: int = 240) -> bytes:
    """A small JPEG of the pixels alone: no EXIF, comment or colour profile, so no place or owner.

    Args:
        image: Upright, since the orientation in its EXIF is dropped as well.
        side_px: Length of the longer side; smaller photos stay as they are.

    Returns:
        The bytes of a JPEG file; transparent parts are white.
    """
    copy = image.convert("RGBA") if image.has_transparency_data else image.convert("RGB")
    copy.thumbnail((side_px, side_px), Image.Resampling.LANCZOS)
    # Pasted onto a new image, because pillow copies a comment from `info` into the file.
    clean = Image.new("RGB", copy.size, "white")
    clean.paste(copy, mask=copy if copy.mode == "RGBA" else None)
    buffer = BytesIO()
    clean.save(buffer, format="JPEG", quality=THUMBNAIL_QUALITY, optimize=True)
    return buffer.getvalue()


def render_page(title: str, summary: str, sections: Sequence[Section]) -> str:
    """The page as one HTML document.

    Args:
        title: The heading, and the name of the browser's tab.
        summary: What the page says, in a sentence or two.
        sections: Its parts, in order; more than two are listed below the summary.
    """
    template = load_template("page.html.jinja")
    return template.render(title=title, summary=summary, sections=sections)


def check_replaceable(option: str, path: Path) -> None:
    """Let nothing be overwritten but a page of this program.

    Args:
        option: that names the file.
        path: of the page.

    Raises:
        UserError: There is something else, which is left as it is.
    """
    if not path.exists():
        return
    begin = b""
    if path.is_file():  # not opened otherwise: a FIFO would hang
        with path.open("rb") as file:
            begin = file.read(_HEAD_BYTES)
    if _GENERATOR not in begin:
        raise UserError(
            f"{option} {show_text(str(path))}: is there already and no page of seentwice, so it is "
            "not overwritten; name another file"
        )


def write_page(path: Path, html: str) -> None:
    """Write a page, whole or not at all.

    Raises:
        OSError: If the folder is missing or cannot be written.
    """
    write_pieces(path, (html,))


def write_pieces(path: Path, pieces: Iterable[str]) -> None:
    """Write a page that is too long to be held as one text, whole or not at all.

    Args:
        path: In a folder that exists.
        pieces: The document in order; each is written before the next is asked for.

    Raises:
        OSError: If the folder is missing or cannot be written.
    """
    with open_atomically(path) as file:
        for piece in pieces:
            # Bytes of a file name that are not UTF-8 would make the document one that is not.
            file.write(piece.encode("utf-8", "backslashreplace"))


def embed(data: bytes, kind: str) -> Markup:
    """A picture as a data URI, `kind` being `png` or `jpeg`."""
    return Markup(f"data:image/{kind};base64,{b64encode(data).decode('ascii')}")


@cache
def load_template(name: str) -> Template:
    """A template of the package by its file's name; it escapes every text."""
    environment = Environment(
        loader=PackageLoader("seentwice"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["embed"] = embed
    # A block is written by the macro that is named after it.
    environment.filters["kind"] = lambda block: type(block).__name__
    return environment.get_template(name)
