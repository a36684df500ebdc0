"""Which photos show one place, as their names and their manifest say."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from seentwice.data.components import name_components
from seentwice.data.folder import Homes, place_of, read_folder
from seentwice.data.manifest import COLUMNS, MANIFEST
from seentwice.data.variants.plan import VariantSettings, files_of
from seentwice.data.variants.tables import open_table
from seentwice.data.variants.unique import UniquePhotos
from seentwice.errors import UserError

_PLACE, _ZONE = range(2)


@dataclass(frozen=True, slots=True, eq=False)
class PhotoPlaces:
    """Where the n photos were taken; places that share a zone are one."""

    names: tuple[str, ...]  # of each photo's place
    properties: tuple[str | None, ...]  # the home of each photo, where it is known
    codes: NDArray[np.int64]  # (n,) numbers the places from 0
    misplaced: int  # files of the same bytes as a photo, whose names tell another place

    @property
    def count(self) -> int:
        """Return the number of places."""
        return int(self.codes.max(initial=-1)) + 1


def read_places(photos: UniquePhotos, homes: Homes) -> PhotoPlaces:
    """Read names and manifest as `data=folder` does with the same `homes`.

    A photo links its place with its zone, and all places that are linked, over any number of
    photos, are one, named after the smallest. Memory holds what `read_folder` makes of the folder
    while it is read, then 24 bytes a photo and each name once.

    Raises:
        UserError: see `read_folder`; or the folder has changed since the photos were found.
    """
    found = {photo.key: photo for photo in read_folder(photos.root, homes).photos}
    links = [
        ((_PLACE, photo.place), (_ZONE, photo.zone) if photo.zone else (_PLACE, photo.place))
        for photo in found.values()
    ]
    joined = {
        place: name for (kind, place), (_, name) in name_components(links).items() if not kind
    }
    for key in (*photos.keys, *(again for again, _ in photos.repeated)):
        if key not in found:
            raise UserError(f"{key!r} was there and is not any more; give the command again")
    names = tuple(joined[found[key].place] for key in photos.keys)
    once = {home: home for home in (found[key].property for key in photos.keys)}
    numbers: dict[str, int] = {}
    codes = (numbers.setdefault(name, len(numbers)) for name in names)
    return PhotoPlaces(
        names,
        tuple(once[found[key].property] for key in photos.keys),
        np.fromiter(codes, np.int64, len(names)),
        sum(joined[found[a].place] != joined[found[b].place] for a, b in photos.repeated),
    )


def count_named_places(keys: Iterable[str]) -> tuple[int, int]:
    """Return how many photos have names that tell a place, and how many places they tell."""
    told, places = 0, set[str]()
    for key in keys:
        place = place_of(key)
        if place is not None:  # as IMG1234.jpg has none
            places.add(place)
            told += 1
    return told, len(places)


def write_manifest(
    out: Path, keys: Sequence[str], places: PhotoPlaces, settings: VariantSettings
) -> None:
    """Write what `data=folder` reads beside the variants: their homes, and their place as zone.

    To it each photo is a place of its own, with its copies; those of one zone are never a negative
    pair, and never in two splits. There is a row for every photo, since it is written before it is
    known which can be read.

    Args:
        out: the folder of the variants.
        keys: of the n photos.
        places: of the photos.
        settings: of the variants.

    Raises:
        OSError: the folder cannot be written.
    """
    with open_table(out / MANIFEST, COLUMNS) as write_row:
        for key, place, home in zip(keys, places.names, places.properties, strict=True):
            for file in files_of(key, settings):
                write_row((file, home or "", place))
