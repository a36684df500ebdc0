"""The Houses-dataset: `<n>_{bathroom,bedroom,frontal,kitchen}.jpg`, four photos a house.

Ahmed & Moustafa 2016, arXiv:1609.08399; public on GitHub as emanhamed/Houses-dataset. No two of
its photos are meant to show one place, so its duplicates come from edits. Some do: homes that were
listed twice, and rooms under two names. `houses_duplicates.csv` beside this file lists those of
houses 1 to 400; `benchmarks/houses_duplicates.py` found them and says how.
"""

import csv
import hashlib
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from importlib.resources import files as package_files
from pathlib import Path, PurePosixPath

from seentwice.data.components import name_components
from seentwice.data.fetching.archive_download import download_file
from seentwice.data.fetching.archives import CHECKSUMS
from seentwice.data.fetching.first_use import fill_folder
from seentwice.data.fetching.photo_names import check_photo_names
from seentwice.data.source import PhotoSet, Progress
from seentwice.display import name_first
from seentwice.errors import UserError
from seentwice.photos import find_photos
from seentwice.records import Photo

ROOM_TYPES = ("bathroom", "bedroom", "frontal", "kitchen")
PAGE = "https://github.com/emanhamed/Houses-dataset"
FOLDER = "Houses Dataset"
_NAMES = f"<number>_<{'|'.join(ROOM_TYPES)}>.jpg"
DUPLICATES = "houses_duplicates.csv"
_Room = tuple[int, str]
"""House and room type, such as (9, "kitchen")."""
_NAME = re.compile(rf"(\d+)_({'|'.join(ROOM_TYPES)})", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class HousesSource:
    """The photos in a folder, which is filled by a download or from a zip."""

    root: Path
    """With the photos, the repository or what its zip holds."""
    download_to: Path | None = None
    """Where this is `root`, a missing `root` is downloaded; nothing is downloaded elsewhere."""
    url: str = ""
    """Of the zip."""
    archive: Path | None = None
    """A zip to fill `root` from, instead of the download."""
    known_duplicates: bool = True
    """False: every photo is a place of its own, every house a home."""

    def prepare(self, on_progress: Progress) -> None:
        """Fill the folder, unless it is; see `fill_folder`."""
        fetch = partial(download_file, self.url) if self.root == self.download_to else None
        fill_folder(self.root, self.archive, fetch, check_houses, on_progress)

    def read(self) -> PhotoSet:
        """Find the photos; see `read_houses`."""
        return read_houses(self.root, self.known_duplicates)


def read_houses(root: Path, known_duplicates: bool = True) -> PhotoSet:
    """Find the photos of the Houses-dataset; each is a place of its own.

    Photos that are known duplicates by name, or have the same bytes, are one place, and their
    houses one property. Where that is a home listed twice, its other photos may show one room
    from two sides: they are one zone, never a negative. Without `known_duplicates` each photo is
    a place of its own and each house a home, as their names say: what leaks then can be looked at.

    Raises:
        UserError: no such folder, no photo in it, or photos named otherwise.
    """
    root = _find_folder(root)
    files, unreadable = find_photos(root)
    rooms = _parse_names(files, root)
    links = [(room, room) for room in rooms]
    if known_duplicates:
        links += [*_read_duplicates(), *_link_bytes(files, rooms)]
    place_of = name_components(links)
    home_of = name_components((left[0], right[0]) for left, right in links)
    listings = Counter(home_of[house] for house in {house for house, _ in rooms})
    photos = []
    for file, room in zip(files, rooms, strict=True):
        home = home_of[room[0]]
        number, room_type = place_of[room]
        photos.append(
            Photo(
                path=file,
                key=file.relative_to(root).as_posix(),
                place=f"{number}_{room_type}",
                property=str(home),
                room_type=room[1],
                zone=str(home) if listings[home] > 1 else None,
            )
        )
    return PhotoSet(name="houses", photos=tuple(photos), unreadable=tuple(unreadable), origin=PAGE)


def check_houses(folder: Path) -> None:
    """Refuse what was unpacked from another zip than the repository's.

    Raises:
        UserError: see `check_photo_names`.
    """
    check_photo_names(
        _find_folder(folder),
        lambda key: _parse_name(PurePosixPath(key).stem) is not None,
        _NAMES,
        PAGE,
    )


def _find_folder(root: Path) -> Path:
    """Return the repository's folder of photos, at the top or in the zip's own folder."""
    inner = (folder for step in ("", "*/") for folder in sorted(root.glob(f"{step}{FOLDER}")))
    return next((folder for folder in inner if folder.is_dir()), root)


def _parse_names(files: Sequence[Path], root: Path) -> list[_Room]:
    named = [(file, _parse_name(file.stem)) for file in files]
    others = [file.relative_to(root).as_posix() for file, room in named if room is None]
    if others:
        raise UserError(
            f"{root}: {len(others):,} of {len(named):,} photos are not of the Houses-dataset "
            f"({name_first(others)}); its photos are named {_NAMES}: delete the others, with their "
            f"lines in {CHECKSUMS} if it lists them, or give data.root=FOLDER without them"
        )
    return [room for _, room in named if room is not None]


def _parse_name(stem: str) -> _Room | None:
    match = _NAME.fullmatch(stem)
    return None if match is None else (int(match[1]), match[2].lower())


def _read_duplicates() -> list[tuple[_Room, _Room]]:
    text = package_files("seentwice.data").joinpath(DUPLICATES).read_text(encoding="utf-8")
    rows = list(csv.DictReader(text.splitlines()))
    left, right = (
        _parse_names([Path(row[side]) for row in rows], Path()) for side in ("left", "right")
    )
    return list(zip(left, right, strict=True))


def _link_bytes(files: list[Path], rooms: list[_Room]) -> list[tuple[_Room, _Room]]:
    """Link each photo with the first one of the same bytes."""
    first_with: dict[str, _Room] = {}
    links = []
    for file, room in zip(files, rooms, strict=True):
        try:
            with file.open("rb") as stream:
                digest = hashlib.file_digest(stream, "sha256").hexdigest()
        except OSError:  # whoever decodes it will list it as unreadable
            continue
        links.append((first_with.setdefault(digest, room), room))
    return links
