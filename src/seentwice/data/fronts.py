"""Rendered house fronts with their style and storeys: a data set of tags that needs no download."""

import csv
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import get_args

from numpy.random import PCG64, Generator
from PIL import Image

from seentwice.data.rendered_folder import (
    check_lowest,
    draw_in_processes,
    write_rendered_folder,
)
from seentwice.data.source import PhotoSet, Progress
from seentwice.errors import UserError
from seentwice.records import Photo
from seentwice.rendering.fronts.houses import STYLES, draw_storeys
from seentwice.rendering.fronts.photo import render_front
from seentwice.rendering.fronts.sides import Side

_ORIGIN = "rendered by seentwice prepare data=fronts"
PARAMETERS_FILE = "fronts.json"
TAGS_FILE = "tags.csv"
TAG_COLUMNS = ("photo", "split", "storeys", "style")

_JPEG_QUALITY = 90
_RENDERING = 1
"""Raised with every change of the pictures, so that old folders are not taken for new ones."""
_JOB_FRONTS = 16


@dataclass(frozen=True)
class _Parameters:
    """What decides every pixel of the data set."""

    seed: int
    train_fronts: int
    test_fronts: int
    width_px: int
    height_px: int
    rendering: int = _RENDERING


@dataclass(frozen=True, slots=True)
class TaggedFront:
    """A front to draw, and its row in the table of tags."""

    photo: str
    """Below the data set's folder."""
    split: Side
    storeys: str
    style: str
    seed: int


@dataclass(frozen=True, slots=True)
class FrontsSource:
    """Rendered house fronts; see `write_fronts` for the numbers."""

    root: Path
    seed: int
    train_fronts: int
    test_fronts: int
    width_px: int
    height_px: int
    workers: int | None = None

    def prepare(self, on_progress: Progress) -> None:
        """Render the photos, unless they are there."""
        write_fronts(
            Path(self.root),
            self.seed,
            self.train_fronts,
            self.test_fronts,
            (self.width_px, self.height_px),
            on_progress,
            self.workers,
        )

    def read(self) -> PhotoSet:
        """Return the photos, each a place and a home of its own, with its tags."""
        return read_fronts(Path(self.root))


def write_fronts(
    root: Path,
    seed: int,
    train_fronts: int,
    test_fronts: int,
    size_px: tuple[int, int] = (320, 240),
    on_progress: Progress | None = None,
    workers: int | None = None,
) -> None:
    """Write photos of rendered house fronts, unless this very data set is already there.

    Photo k is `root/{train,test}/<k>.jpg`: no name tells a tag. `root/tags.csv` has a row for
    each: its path, split, storeys and style. Styles are equally frequent, and so are storeys, but
    for chance; test fronts are drawn from ranges of colours, textures, proportions and cameras
    that training fronts are not drawn from. The folder appears at once, when it is whole.

    Args:
        root: Folder to write; absent, empty, or written by this function before.
        seed: Any number from 0; the same seed draws the same fronts on every machine.
        train_fronts: Photos below `train`, at least 0.
        test_fronts: Photos below `test`, at least 0.
        size_px: Width and height of the photos.
        on_progress: Called with the photos done so far and their total.
        workers: Processes to draw with, all processors if None. It does not change the photos.

    Raises:
        UserError: `root` holds something else, or fronts of other parameters; or a number is out
            of range.
    """
    parameters = _Parameters(seed, train_fronts, test_fronts, size_px[0], size_px[1])
    check_lowest(
        {
            "seed": (seed, 0),
            "train_fronts": (train_fronts, 0),
            "test_fronts": (test_fronts, 0),
            "width_px": (size_px[0], 16),
            "height_px": (size_px[1], 16),
        }
    )

    def draw(draft: Path) -> None:
        fronts = plan_fronts(seed, train_fronts, test_fronts)
        for split in ("train", "test"):
            (draft / split).mkdir()
        jobs = [fronts[at : at + _JOB_FRONTS] for at in range(0, len(fronts), _JOB_FRONTS)]
        draw_in_processes(
            partial(_draw_fronts, draft, size_px),
            jobs,
            len(fronts),
            on_progress,
            workers or os.cpu_count() or 1,
        )
        _write_tags(draft / TAGS_FILE, fronts)

    write_rendered_folder(root, "fronts", PARAMETERS_FILE, asdict(parameters), draw)


def plan_fronts(seed: int, train_fronts: int, test_fronts: int) -> list[TaggedFront]:
    """Draw the tags and the seed of every front up front, so that workers share no random state."""
    rng = Generator(PCG64(seed))
    fronts = []
    sides: tuple[tuple[Side, int], ...] = (("train", train_fronts), ("test", test_fronts))
    for side, count in sides:
        for number in range(count):
            style = STYLES[number % len(STYLES)]
            storeys = draw_storeys(rng, style)
            photo = f"{side}/{number + 1:06d}.jpg"
            fronts.append(TaggedFront(photo, side, storeys, style, int(rng.integers(1 << 62))))
    return fronts


def read_fronts(root: Path) -> PhotoSet:
    """Read what `write_fronts` wrote, by its table of tags.

    Raises:
        UserError: no such table, or another one.
    """
    table = root / TAGS_FILE
    try:
        rows = list(csv.reader(table.read_text(encoding="utf-8").splitlines()))
    except FileNotFoundError as error:
        raise UserError(
            f"{table}: no such file; seentwice prepare data=fronts data.root={root} renders it"
        ) from error
    if not rows or tuple(rows[0]) != TAG_COLUMNS:
        raise UserError(f"{table}:1: the columns must be {','.join(TAG_COLUMNS)}")
    for number, row in enumerate(rows[1:], 2):
        is_front = len(row) == len(TAG_COLUMNS) and row[1] in get_args(Side)
        if not (is_front and row[0].rpartition("/")[0] == row[1]):
            raise UserError(
                f"{table}:{number}: no row of a rendered front; delete {root} and prepare it again"
            )
    photos = tuple(
        Photo(
            path=root / photo,
            key=photo,
            place=photo,
            property=photo,
            room_type="frontal",
            split=split,
            tags=(("storeys", storeys), ("style", style)),
        )
        for photo, split, storeys, style in sorted(rows[1:])
    )
    return PhotoSet(name="fronts", photos=photos, origin=_ORIGIN)


def _write_tags(path: Path, fronts: Sequence[TaggedFront]) -> None:
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(TAG_COLUMNS)
        for front in fronts:
            writer.writerow((front.photo, front.split, front.storeys, front.style))


def _draw_fronts(draft: Path, size_px: tuple[int, int], fronts: Sequence[TaggedFront]) -> int:
    """Write the photos; return how many."""
    for front in fronts:
        pixels = render_front(front.seed, front.style, front.storeys, front.split, size_px)
        Image.fromarray(pixels).save(draft / front.photo, quality=_JPEG_QUALITY)
    return len(fronts)
