"""What is in a bank: the files that each fill left there."""

import json
import re
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from seentwice.bank.recipe import Recipe, digest_text
from seentwice.bank.segment import ABOUT, KEYS, ROWS, Count, count_rows
from seentwice.bank.shelf import RECIPE
from seentwice.locks import try_lock

LOCK = ".lock"
"""In a recipe's folder, and in the bank's."""
UNKNOWN = "unknown"
"""What people are shown as the data set, or the rows, of what has no description any more."""

_FOLDER = re.compile("[0-9a-f]{16}")
_STEM = re.compile(r"\.?[0-9a-f]{16}")  # ".0123456789abcdef.partial" is of a file to be renamed
_SUFFIXES = (KEYS, ROWS, ABOUT, ".partial")  # keys first: rows without keys are nobody's


@dataclass(frozen=True, slots=True)
class Entry:
    """What one fill left in a bank, whole or not."""

    segment: Path  # its files, without their extensions
    has_keys: bool  # without, its files are what is left of some rows
    has_rows: bool
    recipe: Recipe | None  # None where its description is gone or damaged
    data: str | None  # name of the data set that was looked at; None likewise
    bytes: int
    used: float  # seconds since 1970 when its rows were last asked for


def list_entries(folder: Path) -> list[Entry]:
    """Return what a bank holds, in the order of its files' names.

    Raises:
        OSError: a file cannot be read.
    """
    entries = []
    for own in list_folders(folder):
        recipe = read_recipe(own)
        described = (_describe(segment, recipe) for segment in list_stems(own))
        entries += [entry for entry in described if entry is not None]
    return entries


def count_entry(entry: Entry) -> Count | None:
    """Return how many rows of an entry can be found; None where their size is not known.

    Raises:
        OSError: a file cannot be read.
    """
    return None if entry.recipe is None else count_rows(entry.segment, entry.recipe.row_bytes)


def read_recipe(folder: Path) -> Recipe | None:
    """Return what the rows in a recipe's folder are; None where its description is damaged.

    The folder is named after the recipe's digest, so any other text is noticed.

    Raises:
        OSError: it cannot be read.
    """
    try:
        text = (folder / RECIPE).read_text("utf-8")
    except (FileNotFoundError, UnicodeDecodeError):
        return None
    return Recipe.from_json(text) if digest_text(text) == folder.name else None


def remove_entry(entry: Entry) -> bool:
    """Throw rows away, and say whether they were.

    Not while a process adds to their folder, and not where that is another account's alone.
    Processes that use the rows keep them until they end.
    """
    with try_lock(entry.segment.parent / LOCK) as is_held:
        if is_held:
            remove_files(entry.segment)
        return is_held


def list_folders(folder: Path) -> list[Path]:
    """Return the recipes' folders in a bank; what else is in its folder is none of its business."""
    return sorted(
        path for path in folder.iterdir() if _FOLDER.fullmatch(path.name) and path.is_dir()
    )


def list_stems(folder: Path) -> list[Path]:
    """Return the segments in a recipe's folder, also what is left of some, without extensions."""
    return sorted(
        {
            path.with_suffix("")
            for path in folder.iterdir()
            if path.suffix in _SUFFIXES and _STEM.fullmatch(path.stem)
        }
    )


def remove_files(segment: Path) -> None:
    """Remove what is there of a segment; the caller has its folder's lock."""
    for suffix in _SUFFIXES:
        segment.with_suffix(suffix).unlink(missing_ok=True)


def _describe(segment: Path, recipe: Recipe | None) -> Entry | None:
    """Return what is there of a segment; None where another process threw it away just now."""
    found = {}
    for suffix in _SUFFIXES:
        with suppress(FileNotFoundError):
            found[suffix] = segment.with_suffix(suffix).stat()
    if not found:
        return None
    about = found.get(ABOUT) or next(iter(found.values()))
    return Entry(
        segment=segment,
        has_keys=KEYS in found,
        has_rows=ROWS in found,
        recipe=recipe,
        data=_read_data(segment.with_suffix(ABOUT)),
        bytes=sum(file.st_size for file in found.values()),
        used=about.st_mtime,
    )


def _read_data(about: Path) -> str | None:
    """Return the name of the data set in a segment's description, for people to see."""
    try:
        return str(json.loads(about.read_text("utf-8"))["data"])
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return None
