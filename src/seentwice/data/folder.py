"""Photos in the layout of the Airbnb duplicate image set, from any folder.

`<room type>/<first>_<second>_<k>.jpg`, at any depth: two photos show the same place when the
folder, the first and the second part of the name agree (the Kaggle set
barelydedicated/airbnb-duplicate-image-detection; only with the folder does its count of 1,559
duplicates come out). A folder `Training Data` or `Test Data` anywhere above the room type, as in
that set's own `Airbnb Data/Training Data/...`, fixes the split.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path, PurePosixPath

from seentwice.data.fetching.archives import CHECKSUMS
from seentwice.data.manifest import COLUMNS, MANIFEST, Manifest, ManifestRow, read_manifest
from seentwice.data.source import PhotoSet, Progress
from seentwice.data.variants.folder import SETTINGS_FILE
from seentwice.display import name_first
from seentwice.errors import UserError
from seentwice.photos import find_photos
from seentwice.records import Photo

SPLIT_FOLDERS: Mapping[str, str] = {
    "training data": "train",
    "train": "train",
    "test data": "test",
    "test": "test",
}
HOMES_HINT = (
    "data.homes=name takes it from the first part of the name, and a manifest.csv can name it"
)
HOMES_OF_VARIANTS = (
    "where the photos' own names begin with it, the same variants command with --places --homes "
    "name writes it down"
)


class Homes(StrEnum):
    """What names the home of a photo."""

    MANIFEST = "manifest"  # nothing but a manifest
    NAME = "name"  # the first part of the name, in whatever folder; a manifest comes first


ZONES_HINT: Mapping[Homes, str] = {
    Homes.MANIFEST: "give both one zone_id in manifest.csv, which needs a row for every photo",
    Homes.NAME: "give both one zone_id in manifest.csv; rows for such photos are enough",
}


@dataclass(frozen=True, slots=True)
class FolderSource:
    """Photos of any folder in that layout."""

    root: Path
    homes: Homes = Homes.MANIFEST

    def prepare(self, on_progress: Progress) -> None:
        """Do nothing: the photos are the user's own."""

    def read(self) -> PhotoSet:
        """Find the photos; see `read_folder`."""
        return read_folder(self.root, self.homes)


def read_folder(root: Path, homes: Homes = Homes.MANIFEST) -> PhotoSet:
    """Find the photos below `root` and read their places from folder and name.

    A file `manifest.csv` in `root` (columns `file` and, each optional, `property` and `zone_id`)
    adds the property and the zone: rooms of one open plan are seen in each other's photos. Rows
    of files that are not there are passed over: photos may be deleted without editing it. Every
    photo needs a row where nothing but the manifest names homes; where names do, a note of the set
    tells how many have one.
    Photos right in `root` have no room type; their places are apart from those in folders.
    Names of variants begin with the photo, not with the home.

    Raises:
        UserError: no such folder, no photo in it, photos whose names have no second part, a
            manifest that is no table, names a photo twice, or lacks its column or a photo that it
            must name, or homes by name of variants.
    """
    holds_variants = (root / SETTINGS_FILE).is_file()
    if holds_variants and homes is Homes.NAME:
        raise UserError(
            f"data.homes=name: the names in {root} begin with the photo of which they are "
            f"variants, not with a home; leave it out: {HOMES_OF_VARIANTS}"
        )
    files, unreadable = find_photos(root)
    keys = [file.relative_to(root).as_posix() for file in files]
    places = _name_places(root, keys)
    manifest = read_manifest(root / MANIFEST)
    rows, notes = _match_manifest(root, keys, manifest, homes)
    photos = [
        _photo_from_name(file, key, place, rows.get(key, ManifestRow(None, None)), homes)
        for file, key, place in zip(files, keys, places, strict=True)
    ]
    if manifest is not None and manifest.unknown:
        unknown = ", ".join(map(repr, manifest.unknown))
        notes += (f"{MANIFEST}: nothing is read from {unknown}; it takes {', '.join(COLUMNS)}",)
    return PhotoSet(
        root.name,
        tuple(photos),
        tuple(unreadable),
        homes_hint=HOMES_OF_VARIANTS if holds_variants else HOMES_HINT,
        zones_hint=ZONES_HINT[homes],
        notes=notes,
    )


def place_of(key: str) -> str | None:
    """Return the place that a photo's key names: `<last folder>/<first>_<second>`.

    None where the name has fewer than two parts. The folder of a photo at the top has no name.
    """
    name = PurePosixPath(key)
    parts = name.stem.split("_")
    if len(parts) < 2 or not all(parts[:2]):
        return None
    return f"{name.parent.name}/{parts[0]}_{parts[1]}"


def _name_places(root: Path, keys: Sequence[str]) -> list[str]:
    named = [(key, place_of(key)) for key in keys]
    unplaced = [key for key, place in named if place is None]
    if unplaced:
        raise UserError(
            f"{root}: the names of {len(unplaced):,} of {len(keys):,} photos tell no place "
            f"({name_first(unplaced)}); name photos <room type>/<home>_<room>_<k>.jpg: the first "
            f"two parts say which place it is; or delete those, with their lines in {CHECKSUMS} if "
            "there is one"
        )
    return [place for _, place in named if place is not None]


def _match_manifest(
    root: Path, keys: Sequence[str], manifest: Manifest | None, homes: Homes
) -> tuple[Mapping[str, ManifestRow], tuple[str, ...]]:
    """Return the rows by photo, none where there is no manifest, and what to tell of them."""
    if manifest is None:
        return {}, ()
    path, rows = root / MANIFEST, manifest.rows
    missing = [key for key in keys if key not in rows]
    if len(missing) == len(keys):
        raise UserError(
            f"{path}: no row is of a photo below {root}: the first names {next(iter(rows))!r}, "
            f"where a photo is {keys[0]!r}; name files by their paths below the folder, with "
            "forward slashes"
        )
    if not missing:
        return rows, ()
    if homes is Homes.MANIFEST:
        raise UserError(
            f"{path}: no row for {len(missing):,} of {len(keys):,} photos ({name_first(missing)}); "
            "every photo needs one (with data=folder data.homes=name only those that it is about)"
        )
    return rows, (
        f"{path}: rows for {len(keys) - len(missing):,} of {len(keys):,} photos; the homes of the "
        "others are those of their names",
    )


def _photo_from_name(file: Path, key: str, place: str, row: ManifestRow, homes: Homes) -> Photo:
    *above, room_type = PurePosixPath(key).parts[:-1] or (None,)
    splits = [SPLIT_FOLDERS[name.lower()] for name in above if name.lower() in SPLIT_FOLDERS]
    named = PurePosixPath(key).name.partition("_")[0] if homes is Homes.NAME else None
    return Photo(
        path=file,
        key=key,
        place=place,
        property=row.property or named,
        room_type=room_type,
        zone=row.zone,
        split=splits[0] if splits else None,
    )
