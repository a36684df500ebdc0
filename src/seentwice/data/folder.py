"""Photos in the layout of the Airbnb duplicate image set, from any folder.

`<room type>/<first>_<second>_<k>.jpg`, at any depth: two photos show the same place when the
folder, the first and the second part of the name agree (the Kaggle set
barelydedicated/airbnb-duplicate-image-detection; only with the folder does its count of 1,559
duplicates come out). A folder `Training Data` or `Test Data` anywhere above the room type, as in
that set's own `Airbnb Data/Training Data/...`, fixes the split.
"""

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from seentwice.data.source import PhotoSet, Progress
from seentwice.errors import UserError
from seentwice.photos import find_photos
from seentwice.records import Photo

SPLIT_FOLDERS: Mapping[str, str] = {
    "training data": "train",
    "train": "train",
    "test data": "test",
    "test": "test",
}
MANIFEST = "manifest.csv"


@dataclass(frozen=True, slots=True)
class ManifestRow:
    """What a manifest knows of a photo beyond its name."""

    property: str | None
    zone: str | None


@dataclass(frozen=True, slots=True)
class FolderSource:
    """Photos of any folder in that layout."""

    root: Path

    def prepare(self, on_progress: Progress) -> None:
        """Do nothing: the photos are the user's own."""

    def read(self) -> PhotoSet:
        """Find the photos; see `read_folder`."""
        return read_folder(Path(self.root))


def read_folder(root: Path) -> PhotoSet:
    """Find the photos below `root` and read their places from folder and name.

    A file `manifest.csv` in `root` (columns `file` and, each optional, `property` and `zone_id`)
    adds the property and the zone: rooms of one open plan are seen in each other's photos. Rows
    of files that are not there are passed over: photos may be deleted without editing it.

    Raises:
        UserError: no such folder, no photo in it, a photo whose name has no second part, or a
            manifest that is no table, names a photo twice, or lacks its column or a photo.
    """
    files, unreadable = find_photos(root)
    manifest = _read_manifest(root / MANIFEST) if (root / MANIFEST).is_file() else None
    photos = []
    for file in files:
        key = file.relative_to(root).as_posix()
        row = ManifestRow(None, None)
        if manifest is not None:
            if key not in manifest:
                raise UserError(f"{root / MANIFEST}: no row for the photo {key!r}; add one")
            row = manifest[key]
        photos.append(_photo_from_name(file, key, row))
    return PhotoSet(name=root.name, photos=tuple(photos), unreadable=tuple(unreadable))


def place_of(key: str) -> str:
    """Return the place that a photo's key names: `<last folder>/<first>_<second>`.

    Raises:
        UserError: the name has fewer than two parts.
    """
    name = PurePosixPath(key)
    parts = name.stem.split("_")
    if len(parts) < 2 or not all(parts[:2]):
        raise UserError(
            f"{key!r}: the name tells no place; name photos <room type>/<home>_<room>_<k>.jpg"
        )
    return f"{name.parent.name}/{parts[0]}_{parts[1]}"


def _photo_from_name(file: Path, key: str, row: ManifestRow) -> Photo:
    *above, room_type = PurePosixPath(key).parts[:-1] or (None,)
    splits = [SPLIT_FOLDERS[name.lower()] for name in above if name.lower() in SPLIT_FOLDERS]
    return Photo(
        path=file,
        key=key,
        place=place_of(key),
        property=row.property,
        room_type=room_type,
        zone=row.zone,
        split=splits[0] if splits else None,
    )


def _read_manifest(path: Path) -> dict[str, ManifestRow]:
    reader = csv.DictReader(io.StringIO(_read_text(path), newline=""), strict=True)
    rows: dict[str, ManifestRow] = {}
    try:
        if reader.fieldnames is None or "file" not in reader.fieldnames:
            raise UserError(f"{path}: needs a column 'file'; it has {reader.fieldnames}")
        for row in reader:
            file = row["file"]
            if not file:
                raise UserError(f"{path}, line {reader.line_num}: names no file; add it")
            if file in rows:
                raise UserError(f"{path}, line {reader.line_num}: {file!r} again; keep one row")
            rows[file] = ManifestRow(row.get("property") or None, row.get("zone_id") or None)
    except csv.Error as error:
        # The inner reader has counted the bad line; DictReader counts only those it returned.
        raise UserError(
            f"{path}, line {reader.reader.line_num}: not a table of "
            f"comma-separated values ({error}); save it as CSV"
        ) from error
    return rows


def _read_text(path: Path) -> str:
    """Read UTF-8; the mark that Excel puts before it is no part of the first column's name."""
    try:
        return path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise UserError(f"{path}, line {line}: not UTF-8; save it as CSV in UTF-8") from error
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror}); see to it") from error
