"""The photos and rows of an index as files that open in seconds, and what they were made with.

The rows have a folder of their own, which names the file of the photos that belong to them. Rows
are written last, and appear whole: whatever ends a process, the old state or the new one answers.
"""

import json
import secrets
import zlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
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
from seentwice.index.near_snapshot import DamagedIndexError, read_labels
from seentwice.index.near_snapshot import go_back as restore_rows
from seentwice.recommend.growing import hold_texts
from seentwice.recommend.listing_columns import name_columns
from seentwice.recommend.listings import Grouping
from seentwice.recommend.photo_reader import ReaderChoice
from seentwice.recommend.photo_table import IndexedPhotos
from seentwice.recommend.scores import ScoreWeights
from seentwice.records import TagHead, TagSet

FOLDER = "recommend"
"""Below the folder of the index."""
LISTINGS = "listings.sqlite"
"""The table of listings, beside that folder; one that took its place has a name of its own."""
_ABOUT = "about.json"  # what photos and rows were made with, once more: it outlives their damage
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
    listings: str = LISTINGS  # the name of their table, where the grouping is "table"


@dataclass(frozen=True, slots=True, eq=False)
class Snapshot:
    """The state of an index at one moment."""

    about: About
    photos: IndexedPhotos
    near: NearIndex  # rows by the numbers of the photos


def save_snapshot(folder: Path, snapshot: Snapshot) -> None:
    """Write a state; until it is whole the one before is what `open_snapshot` finds.

    One that was made with something else is kept: `go_back` goes back to it.

    Args:
        folder: of the index; one process at a time writes its state.
        snapshot: rows that were saved there before are not written again.

    Raises:
        UserError: the folder cannot be written, or the disk is full.
    """
    place = folder / FOLDER
    place.mkdir(parents=True, exist_ok=True)
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
    data = save(tensors, {"about": about})
    label = f"{secrets.token_hex(8)}-{zlib.crc32(data):08x}"
    write_atomically(_name_photos(place, label), data)
    before = read_about(folder)
    is_other = before is not None and replace(before, generation=0) != replace(
        snapshot.about, generation=0
    )
    snapshot.near.save(place / _ROWS, label, is_other)
    write_atomically(place / _ABOUT, about)
    _remove_unnamed(folder)


def go_back(folder: Path) -> About:
    """Exchange the state for the one before, which was made with something else.

    Args:
        folder: of the index; one process at a time writes its state.

    Returns:
        What the state is made with now.

    Raises:
        UserError: there is none to go back to, it cannot be used, or the folder cannot be written.
    """
    place = folder / FOLDER
    if not restore_rows(place / _ROWS):
        raise UserError(
            f"{show_text(str(folder))}: nothing to go back to; an index keeps one state before, "
            "which was made with other options"
        )
    try:
        about = open_snapshot(folder).about
    except UserError:
        restore_rows(place / _ROWS)
        raise
    write_atomically(place / _ABOUT, json.dumps({"version": _VERSION, **asdict(about)}))
    return about


def name_table() -> str:
    """Return the name of a new table of listings, which counts once a state names it."""
    return f"listings-{secrets.token_hex(8)}.sqlite"


def has_snapshot(folder: Path) -> bool:
    """Say whether a state was written."""
    return (folder / FOLDER / _ROWS / NEAR_FILE).is_file()


def read_about(folder: Path) -> About | None:
    """Return what the last state was made with, which is known where its photos are damaged, too.

    None where there was none, or even that cannot be used.
    """
    place = folder / FOLDER
    for label in read_labels(place / _ROWS)[:1]:
        about = _read_metadata(_name_photos(place, label))
        if about is not None:
            return about
    try:
        found = json.loads((place / _ABOUT).read_text("utf-8"))
        return _to_about(found) if found["version"] == _VERSION else None
    except (OSError, KeyError, TypeError, ValueError, UserError):
        return None


def _read_metadata(photos: Path) -> About | None:
    """Return what a file of photos was made with; None where that cannot be read."""
    try:
        with safe_open(photos, "np") as file:
            return _to_about(json.loads(file.metadata()["about"]))
    except (OSError, KeyError, TypeError, ValueError, SafetensorError, UserError):
        return None


def open_snapshot(folder: Path) -> Snapshot:
    """Open the state of an index; rows stay on the disk until they are asked for.

    Raises:
        DamagedIndexError: it is not what was written.
        UserError: there is none, or it is of another version.
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
        except PermissionError as error:
            raise UserError(
                f"{show_text(str(path))}: {error.strerror}; let your account read it"
            ) from error
        except (OSError, KeyError, TypeError, ValueError, SafetensorError) as error:
            raise _tell_damage(path, one_line(error)) from error
        return Snapshot(about, photos, near)
    raise _tell_damage(path, "it is missing")


def _name_photos(place: Path, label: str) -> Path:
    return place / f"photos-{label}.safetensors"


def _remove_unnamed(folder: Path) -> None:
    """Delete photos and listings of neither this state nor the one before."""
    place = folder / FOLDER
    photos = {_name_photos(place, label) for label in read_labels(place / _ROWS)}
    known = [_read_metadata(path) for path in photos]
    if None in known:
        return  # which listings it names is not known
    listings = {about.listings for about in known if about is not None}
    for other in place.glob("photos-*.safetensors"):
        if other not in photos:
            other.unlink(missing_ok=True)
    for other in folder.glob("listings*.sqlite"):
        if other.name not in listings:
            name_columns(other).unlink(missing_ok=True)
            other.unlink(missing_ok=True)


def _read_photos(path: Path) -> tuple[About, IndexedPhotos]:
    # The name holds the sum of the bytes: a file of this name is what was written, or damaged.
    if not path.stem.endswith(f"-{zlib.crc32(path.read_bytes()):08x}"):
        raise ValueError("it has another sum")
    with safe_open(path, "np") as file:
        about = json.loads(file.metadata()["about"])
        found = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - no mapping
    if about["version"] != _VERSION:
        raise UserError(
            f"{show_text(str(path))} is of version {about['version']}, this seentwice reads "
            f"{_VERSION}; use that version, or make another index with --index"
        )
    data, ends = found["key_bytes"].tobytes(), found["key_ends"].tolist()
    keys = [data[low:high].decode("utf-8", "surrogateescape") for low, high in pairwise(ends)]
    columns = [found[name] for name in ("digests", "labels", "front", "is_there")]
    if any(len(column) != len(keys) for column in columns) or ends[-1] != len(data):
        raise ValueError("its columns are not of one length")
    return _to_about(about), IndexedPhotos(hold_texts(keys), *columns)


def _to_about(found: Mapping[str, Any]) -> About:
    heads = (TagHead(head["name"], tuple(head["labels"])) for head in found["tags"]["heads"])
    if found["grouping"] not in get_args(Grouping):
        raise ValueError(f"grouping {found['grouping']!r}")
    listings = str(found.get("listings", LISTINGS))
    if Path(listings).name != listings:
        raise ValueError(f"listings {listings!r}")
    return About(
        generation=int(found["generation"]),
        fingerprint=str(found["fingerprint"]),
        tags=TagSet(tuple(heads)),
        reader=ReaderChoice(**found["reader"]),
        grouping=found["grouping"],
        weights=ScoreWeights(**found["weights"]),
        listings=listings,
    )


def _tell_damage(path: Path, what: str) -> DamagedIndexError:
    return DamagedIndexError(
        f"{show_text(str(path))} is damaged ({what}); run seentwice index again, which makes it "
        "anew of what is kept of the photos"
    )


def mark_snapshot(folder: Path) -> tuple[int, ...]:
    """Return numbers that change when another state was written; none where there is none."""
    try:
        status = (folder / FOLDER / _ROWS / NEAR_FILE).stat()
    except OSError:
        return ()
    return status.st_ino, status.st_mtime_ns, status.st_size
