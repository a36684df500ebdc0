"""Catalogues of photos and their edited copies, of which the true duplicates are known."""

import csv
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from group_measures import Labels, join_pairs

import seentwice.data.houses as houses
from seentwice.edits import STRENGTHS

TWINS = Path(houses.__file__).parent / "houses_duplicates.csv"
VARIANTS = "variants.csv"
PROGRAM = Path(sys.executable).with_name("seentwice")


@dataclass(frozen=True, slots=True, eq=False)
class Catalogue:
    """A folder of photos and what each shows."""

    root: Path
    keys: Sequence[str]
    truth: Labels


def make_copies(photos: Path, copies: Path) -> None:
    """Write the edited copies of every strength into folders of their names; what is there stays.

    Args:
        photos: as they are.
        copies: the folder of these folders.
    """
    for strength in STRENGTHS:
        if not (copies / strength / VARIANTS).is_file():
            words = ["variants", str(photos), str(copies / strength), "--strength", strength]
            subprocess.run([PROGRAM, *words], check=True)


def read_copies(folder: Path) -> Mapping[str, str]:
    """Return the photo that each file of a strength's folder shows, originals first of theirs."""
    with (folder / VARIANTS).open(newline="", encoding="utf-8") as file:
        return {row["file"]: row["photo"] for row in csv.DictReader(file)}


def link_catalogue(copies: Path, photos: Set[str], root: Path) -> Catalogue:
    """Make a folder of the copies of some photos, and of these as they are.

    Args:
        copies: the folder of one strength.
        photos: names of files.
        root: the folder to make.
    """
    shown = {file: photo for file, photo in read_copies(copies).items() if photo in photos}
    root.mkdir()
    for file in shown:
        link_file(copies / file, root / file)
    return Catalogue(root, tuple(shown), label_photos(tuple(shown.values()), read_twins()))


def link_file(source: Path, target: Path) -> None:
    """Give a file another name; where that is in another file system, copy it."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)


def label_photos(photos: Sequence[str], twins: Sequence[tuple[str, str]]) -> Labels:
    """Return what each file shows, by number: a photo, or one that is known to be its twin.

    Args:
        photos: (n,) the photo that each file shows.
        twins: pairs of photos that are one; those that are not there are left out.
    """
    first: dict[str, int] = {}
    for number, photo in enumerate(photos):
        first.setdefault(photo, number)
    own = [first[photo] for photo in photos]
    there = [(first[a], first[b]) for a, b in twins if a in first and b in first]
    left = np.array([*range(len(own)), *(a for a, _ in there)], np.int64)
    right = np.array([*own, *(b for _, b in there)], np.int64)
    return join_pairs(len(own), left, right)


def read_twins() -> list[tuple[str, str]]:
    """Return the pairs of photos that the Houses-dataset is known to hold twice."""
    with TWINS.open(newline="", encoding="utf-8") as file:
        return [(row["left"], row["right"]) for row in csv.DictReader(file)]
