"""An index of rows in a folder: files of rows that never change, and one that says which count.

`near.json` names the other files, so replacing it switches from one index to the next at once.
Whatever ends a process before, the old file names files that are still there; those that no one
names go after.
"""

import base64
import json
import zlib
from collections.abc import Set
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from seentwice.display import show_text
from seentwice.errors import UserError
from seentwice.files import UnwritableError, write_atomically
from seentwice.index.batches import DamagedError
from seentwice.index.row_files import ROWS, keep_segment, map_columns
from seentwice.index.row_segment import Part, RowFile, Segment
from seentwice.locks import hold_lock

FILE = "near.json"
BEFORE = "near-before.json"
"""What `FILE` said before, where it was asked to be kept: a way back."""
VERSION = 1
_PARTIAL = ".partial"
_LOCK = "near.lock"


class DamagedIndexError(UserError):
    """Files that are not what was written: only making them anew mends that."""


@dataclass(frozen=True, slots=True, eq=False)
class Snapshot:
    """All rows of one moment."""

    dimensions: int
    label: str  # what the rows were made of
    parts: tuple[Part, ...]  # of different numbers


def open_snapshot(folder: Path) -> Snapshot:
    """Map the rows of a folder into memory, and check every byte.

    Raises:
        UserError: there are none, they are damaged, or of another version.
    """
    while True:
        text = _read_description(folder)
        try:
            return _open_described(folder, text)
        except FileNotFoundError as error:
            # Another process has saved meanwhile, and thrown away what no one names any more.
            if _read_description(folder) == text:
                raise _tell_damage(folder, "a file of rows is missing") from error
        except OSError as error:
            raise _tell_unreadable(folder, error) from error
        except DamagedError as error:
            raise _tell_damage(folder, str(error)) from error


def save_snapshot(snapshot: Snapshot, folder: Path, keep_before: bool = False) -> Snapshot:
    """Write rows into a folder, those alone that it does not hold yet.

    Args:
        snapshot: the rows.
        folder: made where it is missing.
        keep_before: whether what the folder holds now becomes what `go_back` goes back to.

    Returns:
        The same rows, with the files that hold them.

    Raises:
        UserError: the folder cannot be written, or the disk is full; what it held is untouched.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with hold_lock(folder / _LOCK, on_wait=lambda: None):
            parts = tuple(
                Part(keep_segment(part.segment, folder.resolve()), part.is_alive)
                for part in snapshot.parts
            )
            kept = Snapshot(snapshot.dimensions, snapshot.label, parts)
            if keep_before and _read_label(folder / FILE) is not None:
                write_atomically(folder / BEFORE, (folder / FILE).read_bytes())
            write_atomically(folder / FILE, _describe(kept))
            named = {_file_of(part).path.name for part in parts}
            _remove_unnamed(folder, named | _list_files(folder / BEFORE))
            return kept
    except OSError as error:
        if isinstance(error, UserError):
            raise
        raise UnwritableError(
            f"{_name(folder)} cannot be written ({error.strerror or error}); let your account "
            "write there, or choose another folder for the index"
        ) from error


def read_labels(folder: Path) -> list[str]:
    """Return the labels of what a folder holds and of what can be gone back to, as far as whole."""
    labels = (_read_label(folder / name) for name in (FILE, BEFORE))
    return [label for label in labels if label is not None]


def go_back(folder: Path) -> bool:
    """Exchange what the folder holds for what it held before, and say whether there was any.

    Raises:
        UserError: the folder cannot be written.
    """
    if _read_label(folder / BEFORE) is None:
        return False
    with hold_lock(folder / _LOCK, on_wait=lambda: None):
        before = (folder / BEFORE).read_bytes()
        is_whole = _read_label(folder / FILE) is not None
        now = (folder / FILE).read_bytes() if is_whole else before
        write_atomically(folder / FILE, before)
        write_atomically(folder / BEFORE, now)
    return True


def _describe(snapshot: Snapshot) -> str:
    about = {
        "dimensions": snapshot.dimensions,
        "label": snapshot.label,
        "parts": [
            {
                "file": _file_of(part).path.name,
                "sums": _file_of(part).sums,
                "rows": len(part.segment),
                "length": part.segment.length,
                "left_out": part.segment.left_out,
                "alive": _encode_alive(part.is_alive),
            }
            for part in snapshot.parts
        ],
    }
    text = json.dumps(about)
    return json.dumps({"version": VERSION, "sum": zlib.crc32(text.encode()), "about": text})


def _file_of(part: Part) -> RowFile:
    assert part.segment.file is not None
    return part.segment.file


def _encode_alive(is_alive: NDArray[np.bool_] | None) -> str | None:
    if is_alive is None:
        return None
    return base64.b64encode(zlib.compress(np.packbits(is_alive).tobytes())).decode()


def _decode_alive(text: str | None, rows: int) -> NDArray[np.bool_] | None:
    if text is None:
        return None
    bits = np.frombuffer(zlib.decompress(base64.b64decode(text)), np.uint8)
    return np.unpackbits(bits, count=rows).astype(np.bool_)


def _read_label(path: Path) -> str | None:
    """Return the label of a description; None where it is missing or cannot be used."""
    try:
        label: str = json.loads(_read_description(path.parent, path.name))["label"]
    except UserError:
        return None
    return label


def _list_files(path: Path) -> set[str]:
    """Return the files of rows that a description names; none where it cannot be used."""
    if _read_label(path) is None:
        return set()
    about = json.loads(_read_description(path.parent, path.name))
    return {entry["file"] for entry in about["parts"]}


def _read_description(folder: Path, name: str = FILE) -> str:
    """Return what the folder's file says, once it is known to be whole."""
    try:
        found = json.loads((folder / name).read_text("utf-8"))
        version, total, about = found["version"], found["sum"], found["about"]
    except (FileNotFoundError, NotADirectoryError) as error:
        raise UserError(
            f"{_name(folder)} holds no index of rows ({name}); give the folder of one"
        ) from error
    except OSError as error:
        raise _tell_unreadable(folder, error) from error
    except (KeyError, TypeError, ValueError) as error:
        raise _tell_damage(folder, f"{name} cannot be read") from error
    if version != VERSION:
        raise UserError(
            f"{_name(folder)}: the index is of another version of seentwice (its rows are "
            f"{show_text(str(version))}, this one reads {VERSION}); use that version, or delete "
            "this folder and make it again"
        )
    if not isinstance(about, str) or zlib.crc32(about.encode()) != total:
        raise _tell_damage(folder, f"{name} has another sum")
    return about


def _open_described(folder: Path, text: str) -> Snapshot:
    about = json.loads(text)
    parts = []
    for entry in about["parts"]:
        file = RowFile(folder.resolve() / entry["file"], tuple(entry["sums"]))
        columns = map_columns(file, entry["rows"], about["dimensions"])
        segment = Segment(*columns, entry["length"], entry["left_out"], file)
        parts.append(Part(segment, _decode_alive(entry["alive"], entry["rows"])))
    return Snapshot(about["dimensions"], about["label"], tuple(parts))


def _remove_unnamed(folder: Path, named: Set[str]) -> None:
    """Delete files of rows that no one names, and what a process that was ended left."""
    for path in folder.iterdir():
        if path.suffix == _PARTIAL or (path.suffix == ROWS and path.name not in named):
            with suppress(OSError):  # where others have it open, some systems keep it
                path.unlink()


def _tell_unreadable(folder: Path, error: OSError) -> UserError:
    return UserError(
        f"{_name(folder)}: the index cannot be read ({error.strerror or error}); let your account "
        "read it"
    )


def _tell_damage(folder: Path, what: str) -> DamagedIndexError:
    return DamagedIndexError(
        f"{_name(folder)}: the index is damaged ({what}); delete this folder and make it again"
    )


def _name(folder: Path) -> str:
    return show_text(str(folder))
