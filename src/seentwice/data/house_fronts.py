"""Storeys and style of the 400 house fronts of the Houses-dataset, labelled by eye.

`houses_fronts.csv` beside this file holds one row a house: its photo is `<house>_frontal.jpg`. The
photos are not in it.

A storey is a floor with a wall of its own, counted where the house is highest: the upper floor of
a split level is one, a dormer or a gable with a full row of windows is one, an attic window or a
cellar's is none. Storeys are unclear where plants or a deck hide a floor, where only a part is
seen, or where the photo shows no house; `note` says which. A style is named only where it is
plain: contemporary (flat roofs, large panes), ranch (long and low), traditional (gables, porches,
siding), spanish (stucco with tiles, arches or parapets, adobe too); half of the fronts, mobile
homes among them, are none of these surely.

One labeller saw all of them 330 pixels wide, and 40 drawn at random once more soon after, without
their numbers and in another order (`experiments/house_styles/second_labels.csv`): storeys agree in
39 of 40, Cohen's kappa 0.95, style in 36 of 40, kappa 0.86. Two labellers would agree less.
"""

import csv
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib.resources import files as package_files
from pathlib import Path

from seentwice.display import show_text
from seentwice.errors import UserError

FRONTS = "houses_fronts.csv"
COLUMNS = ("house", "storeys", "style", "note")
STOREYS = ("one", "two", "three_or_more")
STYLES = ("contemporary", "ranch", "traditional", "spanish")
UNCLEAR = "unclear"


@dataclass(frozen=True, slots=True)
class HouseFront:
    """What one photo of a house front shows."""

    house: int
    """Number of the house, from 1."""
    storeys: str | None
    """One of `STOREYS`; None where it is unclear."""
    style: str | None
    """One of `STYLES`; None where it is unclear."""
    note: str
    """Why storeys are unclear, or what decided them; mostly empty."""

    @property
    def photo(self) -> str:
        """Name of the photo in the Houses-dataset."""
        return f"{self.house}_frontal.jpg"


def read_house_fronts() -> tuple[HouseFront, ...]:
    """Return the labels of houses 1 to 400, by number."""
    text = package_files("seentwice.data").joinpath(FRONTS).read_text(encoding="utf-8")
    return tuple(parse_house_fronts(text.splitlines(), FRONTS))


def read_front_labels(path: Path) -> tuple[HouseFront, ...]:
    """Read labels of another table of the same columns.

    Raises:
        UserError: no such file, not UTF-8, or see `parse_house_fronts`.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise UserError(f"{path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise UserError(f"{path}: is not UTF-8; save it as UTF-8") from error
    return tuple(parse_house_fronts(lines, str(path)))


def parse_house_fronts(lines: Iterable[str], name: str) -> Iterator[HouseFront]:
    """Yield the labels in the lines of a CSV file, header first.

    Args:
        lines: Without their ends.
        name: Of the file, for errors.

    Raises:
        UserError: Other columns than `COLUMNS`, a house that is no number or there twice, or a
            label that does not exist; names file and line.
    """
    rows = csv.reader(lines)
    header = next(rows, [])
    if tuple(header) != COLUMNS:
        raise UserError(f"{name}:1: the columns must be {','.join(COLUMNS)}")
    first_line: dict[int, int] = {}
    for row in rows:
        where = f"{name}:{rows.line_num}"
        if len(row) != len(COLUMNS):
            raise UserError(f"{where}: has {len(row)} cells; it must have {len(COLUMNS)}")
        number, storeys, style, note = row
        if not (number.isascii() and number.isdecimal() and int(number) >= 1):
            raise UserError(f"{where}: house is {show_text(number)!r}; it must be a number from 1")
        house = int(number)
        if house in first_line:
            raise UserError(
                f"{where}: house {house} is in line {first_line[house]} already; keep one of them"
            )
        first_line[house] = rows.line_num
        yield HouseFront(
            house=house,
            storeys=_check_label("storeys", storeys, STOREYS, where),
            style=_check_label("style", style, STYLES, where),
            note=note,
        )


def _check_label(column: str, label: str, known: tuple[str, ...], where: str) -> str | None:
    if label == UNCLEAR:
        return None
    if label not in known:
        raise UserError(
            f"{where}: {column} is {show_text(label)!r}; it must be one of "
            f"{', '.join((*known, UNCLEAR))}"
        )
    return label
