"""Rendered rooms in the layout of the Airbnb data: a data set that needs no download."""

import json
import os
import shutil
import tempfile
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass, replace
from multiprocessing import get_context
from pathlib import Path

from numpy.random import PCG64, Generator
from PIL import Image

from seentwice.data.folder import read_folder
from seentwice.data.source import PhotoSet, Progress
from seentwice.errors import UserError
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
    _check_ranges(parameters)
    if _is_written(root, parameters):
        return
    root.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=f".{root.name}-", dir=root.parent))
    try:
        places = _plan_places(parameters)
        for folder in sorted({place.folder for place in places}):
            (draft / folder).mkdir(parents=True)
        _draw_places(draft, places, size_px, on_progress, workers or os.cpu_count() or 1)
        (draft / PARAMETERS_FILE).write_text(json.dumps(asdict(parameters), indent=2) + "\n")
        # mkdtemp makes a folder that only its owner can read; a data set is no secret.
        draft.chmod(0o755)
        _publish(draft, root, parameters)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _check_ranges(parameters: _Parameters) -> None:
    for name, lowest in (
        ("seed", 0),
        ("train_places", 0),
        ("test_places", 0),
        ("views_per_place", 1),
        ("width_px", 16),
        ("height_px", 16),
    ):
        value = getattr(parameters, name)
        if value < lowest:
            raise UserError(f"{name} is {value}; it must be at least {lowest}")


def _is_written(root: Path, parameters: _Parameters) -> bool:
    """Say whether root already is the data set; raise if it is something else."""
    if not root.exists() or (root.is_dir() and not any(root.iterdir())):
        return False
    if not (root / PARAMETERS_FILE).is_file():
        raise UserError(
            f"{root} holds something other than rendered rooms; choose an empty or a new folder"
        )
    try:
        found = json.loads((root / PARAMETERS_FILE).read_text(encoding="utf-8"))
    except ValueError as error:  # no JSON, or no UTF-8
        raise UserError(
            f"{root / PARAMETERS_FILE} is not JSON ({error}); delete {root} or choose a new folder"
        ) from error
    if not isinstance(found, dict):
        raise UserError(
            f"{root / PARAMETERS_FILE} holds no parameters of rooms; "
            f"delete {root} or choose a new folder"
        )
    wanted = asdict(parameters)
    if found != wanted:
        differing = ", ".join(
            f"{name}={found.get(name)} where {name}={value} is asked for"
            for name, value in wanted.items()
            if found.get(name) != value
        )
        raise UserError(
            f"{root} holds rooms drawn with {differing}; delete it or choose a new folder"
        )
    return True


def _publish(draft: Path, root: Path, parameters: _Parameters) -> None:
    """Give the finished folder its name in one step."""
    try:
        if root.exists():
            root.rmdir()
        draft.rename(root)
    except OSError:
        # Another process may have finished the same data set first.
        if not _is_written(root, parameters):
            raise


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
    done = 0
    if workers == 1:
        for place in places:
            done += _draw_place(draft, place, size_px)
            if on_progress is not None:
                on_progress(done, total)
        return
    # Spawned, not forked: the caller may run threads, and a fork of those can hang.
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        drawn = [pool.submit(_draw_place, draft, place, size_px) for place in places]
        try:
            for place_drawn in as_completed(drawn):
                done += place_drawn.result()
                if on_progress is not None:
                    on_progress(done, total)
        except BaseException:
            pool.shutdown(wait=True, cancel_futures=True)
            raise


def _draw_place(draft: Path, place: _Place, size_px: tuple[int, int]) -> int:
    """Write all photos of one place; return how many."""
    scene = draw_scene(place.scene_seed, place.room_type)
    for number, view_seed in enumerate(place.view_seeds, start=1):
        pixels = render_view(scene, draw_view(scene, view_seed), size_px)
        path = draft / place.folder / f"{place.stem}_{number}.jpg"
        Image.fromarray(pixels).save(path, quality=_JPEG_QUALITY)
    return len(place.view_seeds)
