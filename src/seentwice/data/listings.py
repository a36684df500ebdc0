"""Listings and the pairs of them that a person or an operator has labelled.

Items and pairs are tables as of Kaggle's avito-duplicate-ads-detection (`ItemInfo_*.csv`,
`ItemPairs_*.csv`), or have the field names of RESO's Data Dictionary, resource Property, as the
web APIs of multiple listing services answer. The header tells which.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from seentwice.data.source import Progress
from seentwice.data.tabular.columns import (
    PHOTO_SEPARATOR,
    Columns,
    Made,
    names_of,
    to_listing,
    to_text,
)
from seentwice.data.tabular.inputs import keep_inputs
from seentwice.data.tabular.key_index import KeyIndex, open_key_index
from seentwice.data.tabular.listing_rows import MakeListing, read_records
from seentwice.data.tabular.listing_rows import read_listings as read_table
from seentwice.data.tabular.photo_references import check_template, is_url, locate_photo, path_of_id
from seentwice.data.tabular.rejects import Rejects, RowError, collect_rejects
from seentwice.data.tabular.rows import Row, read_delimiter
from seentwice.errors import UserError
from seentwice.records import Listing, ListingPair

LAYOUTS: Mapping[str, Columns] = {
    "avito": Columns(
        id="itemID",
        title="title",
        description="description",
        category="categoryID",
        price="price",
        attributes="attrsJSON",
        location="locationID",
        metro="metroID",
        latitude="lat",
        longitude="lon",
        photos="images_array",
    ),
    # RESO Data Dictionary 2.0, resource Property. All other fields become attributes.
    "reso": Columns(
        id=("ListingKey", "ListingId"),
        title="UnparsedAddress",
        description="PublicRemarks",
        category=("PropertySubType", "PropertyType"),
        price="ListPrice",
        location=("City", "PostalCity"),
        latitude="Latitude",
        longitude="Longitude",
        photos="Media",
        seller=("ListAgentKey", "ListAgentMlsId", "ListOfficeKey", "ListOfficeMlsId"),
    ),
}
"""What holds what, by layout; a table has the layout whose id it has."""

_PAIR_IDS = tuple(
    (f"{name}_1", f"{name}_2") for columns in LAYOUTS.values() for name in names_of(columns.id)
)
_LABEL, _SOURCE = "isDuplicate", "generationMethod"


@dataclass(frozen=True, slots=True)
class ListingsSource:
    """A table of listings and, if any, one of labelled pairs."""

    items: Path
    rejects: Path
    pairs: Path | None = None
    photo_root: Path | None = None  # the folder of the photos, where they are here
    photo_path: str | None = None  # path below it, with {id}; None where photos are no ids
    delimiter: str | None = None  # between cells, see `read_delimiter`; None: by the extension

    def __post_init__(self) -> None:
        if self.photo_path is not None:
            check_template(self.photo_path)
        read_delimiter("data.delimiter", self.delimiter)
        inputs = [self.items] if self.pairs is None else [self.items, self.pairs]
        keep_inputs("data.rejects", Path(self.rejects), map(Path, inputs))

    def prepare(self, on_progress: Progress) -> None:
        """Do nothing: the files are the user's own."""

    def read_listings(self, rejects: Rejects, on_progress: Progress) -> Iterator[Listing]:
        """Yield the listings; see `read_items`."""
        root = None if self.photo_root is None else Path(self.photo_root)
        return read_items(
            Path(self.items), self._delimiter(), root, self.photo_path, rejects, on_progress
        )

    def read_pairs(self, rejects: Rejects, on_progress: Progress) -> Iterator[ListingPair]:
        """Yield the pairs, if there are any; see `read_item_pairs`."""
        if self.pairs is None:
            return
        # Either method may be called alone, so each reads the items: here their keys are wanted,
        # without those of rejected rows, and what is rejected is told by `read_listings`.
        with open_key_index() as known, collect_rejects(None) as untold:
            for listing in self.read_listings(untold, on_progress):
                known.add(listing.key, 0)
            pairs = Path(self.pairs)
            yield from read_item_pairs(pairs, self._delimiter(), known, rejects, on_progress)

    def photo_file(self, reference: str) -> Path | None:
        """Return the path below `photo_root`; None for a URL, or where there is no such folder."""
        if self.photo_root is None or is_url(reference):
            return None
        return Path(self.photo_root) / reference

    def _delimiter(self) -> str | None:
        return read_delimiter("data.delimiter", self.delimiter)


def read_items(
    file: Path,
    delimiter: str | None,
    photo_root: Path | None,
    photo_path: str | None,
    rejects: Rejects,
    on_progress: Progress,
) -> Iterator[Listing]:
    """Yield the listings of a table one at a time.

    Args:
        file: CSV, TSV, JSON or JSON Lines, in one of `LAYOUTS`.
        delimiter: see `read_rows`.
        photo_root: the folder that no photo may be outside of, where there is one.
        photo_path: makes paths below it of photo ids; see `path_of_id`.
        rejects: told of malformed rows, of ids that were there before and of cells that are odd.
        on_progress: told of the bytes that are read.

    Raises:
        UserError: no such file, another layout, or no row that can be read.
    """

    def choose(first: Row) -> MakeListing:
        columns = LAYOUTS[_find_layout(file, first.cells)]

        def make(row: Row) -> Made:
            made = to_listing(row.cells, columns, PHOTO_SEPARATOR)
            named = made.listing.photos
            photos = tuple(_to_path(photo, photo_root, photo_path) for photo in named)
            return replace(made, listing=replace(made.listing, photos=photos))

        return make

    return read_table(file, delimiter, choose, rejects, on_progress)


def read_item_pairs(
    file: Path, delimiter: str | None, known: KeyIndex, rejects: Rejects, on_progress: Progress
) -> Iterator[ListingPair]:
    """Yield the pairs of a table one at a time, of those of the same two listings the first.

    Args:
        file: with a column for each side, such as itemID_1 and itemID_2, and isDuplicate where
            the pairs are labelled.
        delimiter: see `read_rows`.
        known: the keys of the listings; pairs of others are rejected.
        rejects: told of every row that gives no pair.
        on_progress: told of the bytes that are read.

    Raises:
        UserError: no such file, no such columns, or no row that can be read.
    """

    def choose(first: Row) -> Callable[[Row], ListingPair]:
        sides = _find_sides(file, first.cells)

        def make(row: Row) -> ListingPair:
            pair = _to_pair(row.cells, sides)
            unknown = [key for key in (pair.left, pair.right) if key not in known]
            if unknown:
                raise RowError(f"no listing {unknown[0][:80]!r}")
            _check_new(pair, row.line, seen)
            return pair

        return make

    with open_key_index() as seen:
        yield from read_records(file, delimiter, choose, rejects, on_progress)


def _find_layout(file: Path, present: Iterable[str]) -> str:
    names = set(present)
    for layout, columns in LAYOUTS.items():
        if names.intersection(names_of(columns.id)):
            return layout
    ids = ", ".join(name for columns in LAYOUTS.values() for name in names_of(columns.id))
    raise UserError(
        f"{file}: has none of the columns {ids}; data=catalogue reads tables of other columns"
    )


def _find_sides(file: Path, present: Iterable[str]) -> tuple[str, str]:
    names = set(present)
    for sides in _PAIR_IDS:
        if names.issuperset(sides):
            return sides
    choices = "; ".join(" and ".join(sides) for sides in _PAIR_IDS)
    raise UserError(f"{file}: tells no pairs; needed are two columns: {choices}")


def _to_pair(cells: Mapping[str, object], sides: tuple[str, str]) -> ListingPair:
    left, right = (to_text(cells.get(side)).strip() for side in sides)
    if not left or not right:
        raise RowError(f"no {sides[1] if left else sides[0]}")
    if left == right:
        raise RowError(f"{left[:80]!r} is paired with itself")
    label = to_text(cells.get(_LABEL)).strip()
    if label not in _LABELS:
        raise RowError(f"{_LABEL} is {label[:40]!r}; needed is 0 or 1")
    return ListingPair(
        left, right, _LABELS[label], source=to_text(cells.get(_SOURCE)).strip() or None
    )


def _check_new(pair: ListingPair, line: int, seen: KeyIndex) -> None:
    """Note a pair, in either order, with its line.

    Raises:
        RowError: it was there before, be it with the same label or another one.
    """
    low, high = sorted((pair.left, pair.right))
    both = f"{len(low)} {low}{high}"  # whatever stands in the ids, no other two give this
    told = seen.add(both, line * len(_TOLD) + _TOLD.index(pair.is_duplicate))
    if told is None:
        return
    first_line, label = divmod(told, len(_TOLD))
    again = f"{low[:40]!r} and {high[:40]!r} again"
    if _TOLD[label] == pair.is_duplicate:
        raise RowError(f"{again}; they are on line {first_line}")
    here, there = (_SHOWN[told] for told in (pair.is_duplicate, _TOLD[label]))
    raise RowError(f"{again}, {_LABEL} {here}; on line {first_line} it is {there}")


_LABELS: Mapping[str, bool | None] = {"": None, "0": False, "1": True, "false": False, "true": True}
_SHOWN: Mapping[bool | None, str] = {None: "empty", False: "0", True: "1"}
_TOLD = tuple(_SHOWN)


def _to_path(photo: str, root: Path | None, template: str | None) -> str:
    if is_url(photo):
        return photo
    path = photo if template is None else path_of_id(template, photo)
    if root is not None:
        locate_photo(root, path)
    return path
