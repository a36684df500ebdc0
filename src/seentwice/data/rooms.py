"""Rendered rooms in the layout of the Airbnb data: a data set that needs no download."""

import os
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path

from numpy.random import PCG64, Generator
from PIL import Image

from seentwice.data.folder import read_folder
from seentwice.data.rendered_folder import (
    check_lowest,
    draw_in_processes,
    write_rendered_folder,
)
from seentwice.data.source import PhotoSet, Progress
from seentwice.rendering.layouts import draw_scene
from seentwice.rendering.palettes import ROOM_TYPES
from seentwice.rendering.photo import render_view
from seentwice.rendering.views import draw_view

_ORIGIN = "rendered by seentwice prepare data=rooms"
TRAIN_FOLDER = "Training Data"
TEST_FOLDER = "Test Data"
PARAMETERS_FILE = "rooms.json"
CITIES = ("amsterdam", "berlin", "lisbon", "madrid", "oslo", "prague", "rome", "vienna")

_JPEG_QUALITY = 90
_RENDERING = 1
"""Raised with every change of the pictures, so that old folders are not taken for new ones."""


@dataclass(frozen=True)
class _Parameters:
    """What decides every pixel of the data set."""

    seed: int
    train_places: int
    test_places: int
    views_per_place: int
    width_px: int
    height_px: int
    rendering: int = _RENDERING


@dataclass(frozen=True)
class _Place:
    """One room to draw, and where its photos go."""

    folder: str
    """Relative to the data set."""
    stem: str
    room_type: str
    scene_seed: int
    view_seeds: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class RoomsSource:
    """Rendered rooms; see `write_rooms` for the numbers."""

    root: Path
    seed: int
    train_places: int
    test_places: int
    views_per_place: int
    width_px: int
    height_px: int
    workers: int | None = None

    def prepare(self, on_progress: Progress) -> None:
        """Render the photos, unless they are there."""
        write_rooms(
            Path(self.root),
            self.seed,
            self.train_places,
            self.test_places,
            self.views_per_place,
            (self.width_px, self.height_px),
            on_progress,
            self.workers,
        )

    def read(self) -> PhotoSet:
        """Find the photos; see `read_folder`."""
        found = read_folder(Path(self.root))
        return replace(found, name="rooms", homes_hint="", zones_hint="", origin=_ORIGIN)


def write_rooms(
    root: Path,
    seed: int,
    train_places: int,
    test_places: int,
    views_per_place: int,
    size_px: tuple[int, int] = (320, 240),
    on_progress: Progress | None = None,
    workers: int | None = None,
) -> None:
    """Write photos of rendered rooms, unless this very data set is already there.

    Photo k (from 1) of a room is
    `root/{Training Data,Test Data}/<room type>/<city>_<room id>_<k>.jpg`. The folder appears at
    once, when it is whole: an interrupted call leaves no `root`.

    Args:
        root: Folder to write; absent, empty, or written by this function before.
        seed: Any number from 0; the same seed draws the same rooms on every machine.
        train_places: Rooms under `Training Data`, at least 0.
        test_places: Rooms under `Test Data`, at least 0; none of them is a training room.
        views_per_place: Photos of each room, at least 1.
        size_px: Width and height of the photos.
        on_progress: Called with the photos done so far and their total.
        workers: Processes to draw with, all processors if None. It does not change the photos.

    Raises:
        UserError: `root` holds something else, or rooms of other parameters; or a number is out
            of range.
    """
    parameters = _Parameters(
        seed, train_places, test_places, views_per_place, size_px[0], size_px[1]
    )
    check_lowest(
        {
            "seed": (seed, 0),
            "train_places": (train_places, 0),
            "test_places": (test_places, 0),
            "views_per_place": (views_per_place, 1),
            "width_px": (size_px[0], 16),
            "height_px": (size_px[1], 16),
        }
    )

    def draw(draft: Path) -> None:
        places = _plan_places(parameters)
        for folder in sorted({place.folder for place in places}):
            (draft / folder).mkdir(parents=True)
        _draw_places(draft, places, size_px, on_progress, workers or os.cpu_count() or 1)

    write_rendered_folder(root, "rooms", PARAMETERS_FILE, asdict(parameters), draw)


def _plan_places(parameters: _Parameters) -> list[_Place]:
    """Draw every seed and name up front, so that workers share no random state."""
    rng = Generator(PCG64(parameters.seed))
    count = parameters.train_places + parameters.test_places
    room_ids: dict[int, None] = {}
    while len(room_ids) < count:
        room_ids[int(rng.integers(100_000, 10_000_000))] = None
    places = []
    for number, room_id in enumerate(room_ids):
        in_test = number - parameters.train_places
        split, position = (TRAIN_FOLDER, number) if in_test < 0 else (TEST_FOLDER, in_test)
        room_type = ROOM_TYPES[position % len(ROOM_TYPES)]
        scene_seed, *view_seeds = rng.integers(
            1 << 62, size=1 + parameters.views_per_place
        ).tolist()
        places.append(
            _Place(
                folder=f"{split}/{room_type}",
                stem=f"{CITIES[int(rng.integers(len(CITIES)))]}_{room_id}",
                room_type=room_type,
                scene_seed=scene_seed,
                view_seeds=tuple(view_seeds),
            )
        )
    return places


def _draw_places(
    draft: Path,
    places: list[_Place],
    size_px: tuple[int, int],
    on_progress: Progress | None,
    workers: int,
) -> None:
    total = sum(len(place.view_seeds) for place in places)
    draw = partial(_draw_place, draft, size_px)
    draw_in_processes(draw, places, total, on_progress, workers)


def _draw_place(draft: Path, size_px: tuple[int, int], place: _Place) -> int:
    """Write all photos of one place; return how many."""
    scene = draw_scene(place.scene_seed, place.room_type)
    for number, view_seed in enumerate(place.view_seeds, start=1):
        pixels = render_view(scene, draw_view(scene, view_seed), size_px)
        path = draft / place.folder / f"{place.stem}_{number}.jpg"
        Image.fromarray(pixels).save(path, quality=_JPEG_QUALITY)
    return len(place.view_seeds)
