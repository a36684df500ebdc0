"""A catalogue of products: a CSV or JSON file that names their photos.

The photos of one product show the same thing. Products of one family, variants of each other, look
alike but are no duplicates: they are neither a positive pair nor a negative one.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Literal

from seentwice.data.fetching.url_photos import (
    describe_missing,
    fetch_photos,
    forget_failures,
    path_of_url,
    read_failures,
)
from seentwice.data.fetching.web import DownloadLimits, Web
from seentwice.data.source import PhotoSet, Progress, tell_nobody
from seentwice.data.tabular.columns import (
    PHOTO_SEPARATOR,
    Columns,
    Made,
    find_odd,
    names_of,
    to_listing,
)
from seentwice.data.tabular.inputs import keep_inputs, make_folder_of
from seentwice.data.tabular.listing_rows import MakeListing, read_listings
from seentwice.data.tabular.photo_references import check_separator, is_url, locate_photo
from seentwice.data.tabular.photo_rows import read_photo_rows
from seentwice.data.tabular.rejects import Rejects, collect_rejects
from seentwice.data.tabular.rows import JSON_SUFFIXES, Row, read_delimiter
from seentwice.data.tabular.spelling import CONFIG, TableSpelling
from seentwice.display import name_first, show_text
from seentwice.errors import UserError
from seentwice.files import open_atomically
from seentwice.records import Listing, Photo, Unreadable

RowKind = Literal["product", "photo"]
"""What a row of the table is. The rows of a product's photos may stand anywhere in the table."""

_SHOWN_COLUMNS = 30


@dataclass(frozen=True, slots=True)
class CatalogueSource:
    """A catalogue whose photos lie below a folder or on the web."""

    file: Path
    rejects: Path  # where malformed rows are written
    columns: Columns
    rows: RowKind = "product"
    photo_root: Path | None = None  # None is the folder of the file
    photo_separator: str = PHOTO_SEPARATOR
    delimiter: str | None = None  # between cells, see `read_delimiter`; None: by the extension
    cache: Path = Path("data/prepared/downloads")  # keeps what was fetched from the web
    download: DownloadLimits = DownloadLimits()  # noqa: RUF009 - frozen
    json: Path | None = None  # where `export` writes the products, see `write_catalogue_json`

    def __post_init__(self) -> None:
        check_separator("data.photo_separator", self.photo_separator)
        read_delimiter("data.delimiter", self.delimiter)
        keep_inputs("data.rejects", Path(self.rejects), [Path(self.file)])
        if self.json is not None:
            if Path(self.json).suffix != ".json":
                raise UserError(f"data.json={self.json}: give a name that ends in .json")
            keep_inputs("data.json", Path(self.json), [Path(self.file), Path(self.rejects)])

    def prepare(self, on_progress: Progress) -> None:
        """Fetch the photos that are on the web.

        What gave nothing before is left out; see `fetch_photos`.
        """
        self.fetch(Web(self.download), on_progress)

    def export(self, on_progress: Progress) -> None:
        """Write the products as JSON, where asked to."""
        if self.json is None:
            return
        make_folder_of("data.json", Path(self.json))
        with collect_rejects(None) as rejects:
            listings = self.listings(rejects, on_progress)
            write_catalogue_json(Path(self.json), listings, self.columns)

    def forget_failures(self) -> None:
        """Let `prepare` try again what could not be fetched."""
        if read_failures(Path(self.cache)):  # else the table need not be read for it
            forget_failures(self._urls(), Path(self.cache))

    def fetch(self, web: Web, on_progress: Progress) -> None:
        """Fetch the photos over another way into the web than the one that is allowed to all."""
        fetch_photos(self._urls(), Path(self.cache), web, on_progress)

    def _urls(self) -> list[str]:
        with collect_rejects(None) as rejects:
            listings = self.listings(rejects, tell_nobody)
            return [url for listing in listings for url in listing.photos if is_url(url)]

    def listings(self, rejects: Rejects, on_progress: Progress) -> Iterator[Listing]:
        """Yield the products one at a time; see `read_catalogue`."""
        return read_catalogue(
            Path(self.file),
            self.columns,
            self.rows,
            self._photo_root(),
            self.photo_separator,
            read_delimiter("data.delimiter", self.delimiter),
            rejects,
            on_progress,
        )

    def read(self) -> PhotoSet:
        """Find the photos: the place is the product, property and zone are the family.

        What could not be fetched is listed as unreadable, malformed rows are written to `rejects`.

        Raises:
            UserError: see `read_catalogue`; or no product has a photo.
        """
        photos: list[Photo] = []
        unreadable: list[Unreadable] = []
        cache = Path(self.cache)
        failures = read_failures(cache)
        products, without = 0, []
        with collect_rejects(Path(self.rejects)) as rejects:
            for listing in self.listings(rejects, tell_nobody):
                products += 1
                if not listing.photos:
                    without.append(listing.key)
                for reference in listing.photos:
                    if is_url(reference):
                        path = path_of_url(cache, reference)
                        missing = describe_missing(cache, reference, failures)
                    else:
                        path, missing = self._photo_root() / reference, None
                    if missing is None:
                        photos.append(_photo_of(listing, reference, path))
                    else:
                        unreadable.append(missing)
        if not photos and not unreadable:
            columns = ", ".join(names_of(self.columns.photos)) or "none"
            raise UserError(
                f"{self.file}: no product names a photo (columns: {columns}); see to data.columns"
            )
        photos.sort(key=lambda photo: photo.key)
        return PhotoSet(
            name=Path(self.file).stem,
            photos=tuple(photos),
            unreadable=tuple(unreadable),
            rejected=rejects.summary(),
            home=("family", "families"),
            homes_hint="data.columns.family names the column that tells it",
            zones_hint="give both products one family",
            notes=_describe_without(products, without),
        )

    def _photo_root(self) -> Path:
        return Path(self.file).parent if self.photo_root is None else Path(self.photo_root)


def read_catalogue(
    file: Path,
    columns: Columns,
    rows: RowKind,
    photo_root: Path,
    photo_separator: str,
    delimiter: str | None,
    rejects: Rejects,
    on_progress: Progress,
    spelling: TableSpelling = CONFIG,
) -> Iterator[Listing]:
    """Yield the products of a catalogue one at a time.

    Args:
        file: CSV, TSV, JSON or JSON Lines, by its extension.
        columns: what they hold; each that is named must be in a CSV's header.
        rows: what each is: a product, or one photo of a product; see `read_photo_rows`.
        photo_root: the folder that no photo may be outside of.
        photo_separator: between the photos of one cell.
        delimiter: see `read_rows`.
        rejects: told of malformed rows, of ids that were there before, of photos elsewhere, and of
            cells that are odd.
        on_progress: told of the bytes that are read.
        spelling: of the settings that errors and hints advise.

    Raises:
        UserError: no such file, a column that is not there, or no row that can be read.
    """

    def make(row: Row) -> Made:
        made = to_listing(row.cells, columns, photo_separator)
        for reference in made.listing.photos:
            if not is_url(reference):
                locate_photo(photo_root, reference)
        return made

    def choose(first: Row) -> MakeListing:
        # An object of a JSON file may leave out what it has not.
        if file.suffix.lower() not in JSON_SUFFIXES:
            _check_columns(file, columns, first.cells, spelling)
        return make

    if rows == "photo":
        return read_photo_rows(file, delimiter, choose, rejects, on_progress, spelling)
    hint = f"if each row is one photo of a product, add {spelling.photo_rows}"
    return read_listings(file, delimiter, choose, rejects, on_progress, hint, spelling)


def write_catalogue_json(path: Path, listings: Iterable[Listing], columns: Columns) -> None:
    """Write products as a JSON array, one a line, that `read_catalogue` reads as the same ones.

    Args:
        path: takes its name when all are written; its folder must exist.
        listings: written as they come.
        columns: the keys of the objects, of several the first; attributes have their own.

    Raises:
        UserError: a product has a value for which `columns` has no key, or an attribute under
            such a key.
        OSError: the file cannot be written.
    """
    keys = {field: names[0] for field, names in columns.by_field().items() if names}
    with open_atomically(path) as file:
        between = "[\n"
        for listing in listings:
            line = json.dumps(_to_object(listing, keys), ensure_ascii=False)
            file.write(f"{between}{line}".encode())
            between = ",\n"
        file.write(b"[]\n" if between == "[\n" else b"\n]\n")


def _to_object(listing: Listing, keys: Mapping[str, str]) -> dict[str, object]:
    values: dict[str, object] = {"id": listing.key}
    for field in fields(listing):
        value = getattr(listing, field.name)
        if field.name not in ("key", "attributes") and value not in (None, "", ()):
            values[field.name] = value
    without_key = [field for field in values if field not in keys]
    if without_key:
        raise UserError(f"columns.{without_key[0]}: name a key; {listing.key!r} has a value for it")
    named = {keys[field]: value for field, value in values.items()}
    attributes = dict(listing.attributes)
    if "attributes" in keys:
        return named | {keys["attributes"]: attributes}
    for name, key in keys.items():
        # An odd number, such as a price "ask", is an attribute that will become one again.
        is_odd = name not in values and find_odd(name, attributes.get(key, "")) is not None
        if key in attributes and not is_odd:
            raise UserError(
                f"{listing.key!r}: an attribute has the name of a column; name another one"
            )
    return named | attributes


def _check_columns(
    file: Path, columns: Columns, header: Iterable[str], spelling: TableSpelling
) -> None:
    present = list(header)
    shown = show_text(", ".join(present[:_SHOWN_COLUMNS]))
    shown += ", ..." if len(present) > _SHOWN_COLUMNS else ""
    for field, names in columns.by_field().items():
        for name in names:
            if name not in present:
                advice = spelling.ask_column.format(field=field, columns=shown)
                if field != "id":
                    advice += f", or {spelling.no_column.format(field=field)}"
                raise UserError(f"{file}: has no column {name!r}; {advice}")


def _describe_without(products: int, without: Sequence[str]) -> tuple[str, ...]:
    """Return a line that tells of the products without photos, if there are any."""
    if not without:
        return ()
    names = "name" if len(without) > 1 else "names"
    return (
        f"Of {products:,} products {len(without):,} {names} no photo ({name_first(without)}): no "
        "pair is of them",
    )


def _photo_of(listing: Listing, reference: str, path: Path) -> Photo:
    # Products and families may have the same names: a zone must be no other product's place.
    family = f"family {listing.family}" if listing.family else None
    product = listing.key.replace("%", "%25").replace("/", "%2F")  # ends at the key's first slash
    return Photo(
        path=path,
        key=f"{product}/{reference}",
        place=listing.key,
        property=family,
        room_type=listing.category,
        zone=family,
    )
