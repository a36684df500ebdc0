"""The Houses-dataset: `<n>_{bathroom,bedroom,frontal,kitchen}.jpg`, four photos a house.

Ahmed & Moustafa 2016, arXiv:1609.08399; public on GitHub as emanhamed/Houses-dataset. No two of
its photos are meant to show one place, so its duplicates come from edits.
"""

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

from seentwice.data.source import PhotoSet, Progress
from seentwice.errors import UserError
from seentwice.photos import find_photos
from seentwice.records import Photo

ROOM_TYPES = ("bathroom", "bedroom", "frontal", "kitchen")
_NAME = re.compile(rf"(\d+)_({'|'.join(ROOM_TYPES)})", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class HousesSource:
    """A local copy of the Houses-dataset."""

    root: Path

    def prepare(self, on_progress: Progress) -> None:
        """Do nothing: the photos are the user's own."""

    def read(self) -> PhotoSet:
        """Find the photos; see `read_houses`."""
        return read_houses(Path(self.root))


def read_houses(root: Path) -> PhotoSet:
    """Find the photos of the Houses-dataset; each is a place of its own.

    Houses that share a photo, byte for byte (the set holds several), are one property, and the
    shared photo is one place: nothing of it can stand on both sides of a split or be a negative.

    Raises:
        UserError: no such folder, no photo in it, or a photo named otherwise.
    """
    files, unreadable = find_photos(root)
    names = [_parse_name(file, root) for file in files]
    digests = [hashlib.sha256(file.read_bytes()).hexdigest() for file in files]
    house_of = _merge_houses([house for house, _ in names], digests)
    first_with: dict[str, str] = {}
    photos = []
    for file, (house, room_type), digest in zip(files, names, digests, strict=True):
        place = first_with.setdefault(digest, f"{house}_{room_type}")
        photos.append(
            Photo(
                path=file,
                key=file.relative_to(root).as_posix(),
                place=place,
                property=house_of[house],
                room_type=room_type,
            )
        )
    return PhotoSet(name="houses", photos=tuple(photos), unreadable=tuple(unreadable))


def _parse_name(file: Path, root: Path) -> tuple[str, str]:
    match = _NAME.fullmatch(file.stem)
    if match is None:
        raise UserError(
            f"{file.relative_to(root)}: not a photo of the Houses-dataset; "
            f"they are named <number>_<{'|'.join(ROOM_TYPES)}>.jpg"
        )
    return match[1], match[2].lower()


def _merge_houses(houses: list[str], digests: list[str]) -> dict[str, str]:
    """Name each house after the smallest house that it is linked to by shared files."""
    parent = {house: house for house in houses}

    def root_of(house: str) -> str:
        while parent[house] != house:
            parent[house] = parent[parent[house]]
            house = parent[house]
        return house

    owner: dict[str, str] = {}
    for house, digest in zip(houses, digests, strict=True):
        one, other = root_of(house), root_of(owner.setdefault(digest, house))
        if one != other:
            low, high = sorted((one, other), key=int)
            parent[high] = low
    return {house: root_of(house) for house in houses}
