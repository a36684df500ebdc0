"""The photos and rows of an index as files that open in seconds, and what they were made with.

The rows have a folder of their own, which names the file of the photos that belong to them. Rows
are written last, and appear whole: whatever ends a process, the old state or the new one answers.
"""

import json
import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, get_args

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from seentwice.display import one_line, show_text
from seentwice.errors import UserError
from seentwice.files import write_atomically
from seentwice.index.near_index import NearIndex
from seentwice.index.near_snapshot import FILE as NEAR_FILE
from seentwice.recommend.listings import Grouping
from seentwice.recommend.photo_reader import ReaderChoice
from seentwice.recommend.photo_table import IndexedPhotos
from seentwice.recommend.scores import ScoreWeights
from seentwice.records import TagHead, TagSet

FOLDER = "recommend"
"""Below the folder of the index."""
_ROWS = "rows"
_VERSION = 1
_ATTEMPTS = 3  # at a state that is replaced while it is opened


@dataclass(frozen=True, slots=True)
class About:
    """What photos and rows were made with, and how they are asked."""

    generation: int  # of the store of photos
    fingerprint: str  # of the reader
    tags: TagSet
    reader: ReaderChoice
    grouping: Grouping
    weights: ScoreWeights


@dataclass(frozen=True, slots=True, eq=False)
class Snapshot:
    """The state of an index at one moment."""

    about: About
    photos: IndexedPhotos
    near: NearIndex  # rows by the numbers of the photos


def save_snapshot(folder: Path, snapshot: Snapshot) -> None:
    """Write a state; until it is whole the one before is what `open_snapshot` finds.

    Args:
        folder: of the index; one process at a time writes its state.
        snapshot: rows that were saved there before are not written again.

    Raises:
        UserError: the folder cannot be written, or the disk is full.
    """
    place = folder / FOLDER
    place.mkdir(parents=True, exist_ok=True)
    label = secrets.token_hex(8)
    photos = snapshot.photos
    keys = [key.encode("utf-8", "surrogateescape") for key in photos.keys]
    tensors: dict[str, NDArray[Any]] = {
        "key_bytes": np.frombuffer(b"".join(keys), np.uint8),
        "key_ends": np.cumsum([0, *map(len, keys)]).astype(np.int64),
        "digests": np.ascontiguousarray(photos.digests),
        "labels": np.ascontiguousarray(photos.labels),
        "front": np.ascontiguousarray(photos.front),
        "is_there": np.ascontiguousarray(photos.is_there),
    }
    about = json.dumps({"version": _VERSION, **asdict(snapshot.about)})
    write_atomically(_name_photos(place, label), save(tensors, {"about": about}))
    snapshot.near.save(place / _ROWS, label)
    for other in place.glob("photos-*.safetensors"):
        if other != _name_photos(place, label):
            other.unlink(missing_ok=True)


def has_snapshot(folder: Path) -> bool:
    """Say whether a state was written, be it whole or not."""
    return (folder / FOLDER / _ROWS).is_dir()


def open_snapshot(folder: Path) -> Snapshot:
    """Open the state of an index; rows stay on the disk until they are asked for.

    Raises:
        UserError: there is none, it is damaged, or of another version.
    """
    place = folder / FOLDER
    if not has_snapshot(folder):
        raise UserError(
            f"{show_text(str(folder))}: nothing to recommend from; make it with seentwice index"
        )
    for _ in range(_ATTEMPTS):
        near = NearIndex.open(place / _ROWS)
        path = _name_photos(place, near.label)
        try:
            about, photos = _read_photos(path)
        except FileNotFoundError:
            continue
        except (OSError, KeyError, TypeError, ValueError, SafetensorError) as error:
            raise _tell_damage(path, one_line(error)) from error
        return Snapshot(about, photos, near)
    raise _tell_damage(path, "it is missing")


def _name_photos(place: Path, label: str) -> Path:
    return place / f"photos-{label}.safetensors"


def _read_photos(path: Path) -> tuple[About, IndexedPhotos]:
    with safe_open(path, "np") as file:
        about = json.loads(file.metadata()["about"])
        found = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - no mapping
    if about["version"] != _VERSION:
        raise UserError(
            f"{show_text(str(path))} is of version {about['version']}, this seentwice reads "
            f"{_VERSION}; delete its folder and run seentwice index again"
        )
    data, ends = found["key_bytes"].tobytes(), found["key_ends"].tolist()
    keys = tuple(data[low:high].decode("utf-8", "surrogateescape") for low, high in pairwise(ends))
    columns = (found[name] for name in ("digests", "labels", "front", "is_there"))
    return _to_about(about), IndexedPhotos(keys, *columns)


def _to_about(found: Mapping[str, Any]) -> About:
    heads = (TagHead(head["name"], tuple(head["labels"])) for head in found["tags"]["heads"])
    if found["grouping"] not in get_args(Grouping):
        raise ValueError(f"grouping {found['grouping']!r}")
    return About(
        generation=int(found["generation"]),
        fingerprint=str(found["fingerprint"]),
        tags=TagSet(tuple(heads)),
        reader=ReaderChoice(**found["reader"]),
        grouping=found["grouping"],
        weights=ScoreWeights(**found["weights"]),
    )


def _tell_damage(path: Path, what: str) -> UserError:
    return UserError(
        f"{show_text(str(path))} is damaged ({what}); delete its folder and run seentwice index "
        "again, which makes it anew of what is kept of the photos"
    )


def mark_snapshot(folder: Path) -> tuple[int, ...]:
    """Return numbers that change when another state was written; none where there is none."""
    try:
        status = (folder / FOLDER / _ROWS / NEAR_FILE).stat()
    except OSError:
        return ()
    return status.st_ino, status.st_mtime_ns, status.st_size
