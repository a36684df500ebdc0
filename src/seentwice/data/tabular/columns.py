"""From the columns of a table to a listing."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cache

from seentwice.data.tabular.photo_references import read_references
from seentwice.data.tabular.rejects import RowError
from seentwice.errors import UserError
from seentwice.records import Listing

Names = str | tuple[str, ...] | None
"""One column, several, or none."""

PHOTO_SEPARATOR = ","


@dataclass(frozen=True, slots=True)
class Columns:
    """Which columns of a table hold what of a listing.

    Of several columns the first that is not blank counts, but photos stand in all of them. What no
    field takes becomes an attribute under its column's name.
    """

    id: Names
    title: Names = None
    description: Names = None
    category: Names = None
    price: Names = None
    attributes: Names = None  # JSON objects
    location: Names = None
    metro: Names = None
    latitude: Names = None
    longitude: Names = None
    photos: Names = None  # JSON arrays, or texts with separators
    family: Names = None
    seller: Names = None

    def __post_init__(self) -> None:
        if not names_of(self.id):
            raise UserError("data.columns.id: name the column that tells one row from another")

    def by_field(self) -> Mapping[str, tuple[str, ...]]:
        """Return field -> the columns that may hold it."""
        return _by_field(self)


@cache
def _by_field(columns: Columns) -> Mapping[str, tuple[str, ...]]:
    return {field.name: names_of(getattr(columns, field.name)) for field in fields(columns)}


def names_of(names: Names) -> tuple[str, ...]:
    """Return the names of no, one or several columns as a tuple."""
    return (names,) if isinstance(names, str) else names or ()


def to_listing(cells: Mapping[str, object], columns: Columns, photo_separator: str) -> Listing:
    """Make the listing of one row.

    Args:
        cells: by column: text, or any JSON value.
        columns: what they hold.
        photo_separator: between the photos of a text.

    Raises:
        RowError: no id or one that is no text or number, a number that is none, or JSON that is
            none.
    """
    taken: set[str] = set()
    for name in names_of(columns.id):
        _check_key(name, cells.get(name))

    def text(names: Names) -> str:
        for name in names_of(names):
            value = to_text(cells.get(name))
            if value.strip():
                taken.add(name)
                return value
        return ""

    key = text(columns.id).strip()
    if not key:
        raise RowError(f"no {' or '.join(names_of(columns.id))}")
    values = {
        field: text(names)
        for field, names in columns.by_field().items()
        if field not in ("id", "photos", "attributes")
    }
    photos = [
        reference
        for name in names_of(columns.photos)
        for reference in read_references(name, cells.get(name), photo_separator)
    ]
    taken |= {*names_of(columns.photos), *names_of(columns.attributes)}
    inner = [item for name in names_of(columns.attributes) for item in _object_at(cells, name)]
    others = [(name, to_text(value)) for name, value in cells.items() if name not in taken]
    return Listing(
        key=key,
        title=values["title"],
        description=values["description"],
        category=values["category"] or None,
        price=_number("price", values["price"], 0, math.inf),
        attributes=tuple(
            (name, value) for name, value in [*inner, *others] if name and value.strip()
        ),
        location=values["location"] or None,
        metro=values["metro"] or None,
        latitude=_number("latitude", values["latitude"], -90, 90),
        longitude=_number("longitude", values["longitude"], -180, 180),
        photos=tuple(dict.fromkeys(photos)),
        family=values["family"] or None,
        seller=values["seller"] or None,
    )


def _check_key(name: str, value: object) -> None:
    """Refuse what JSON can hold besides texts and numbers: it is no name of a row."""
    if isinstance(value, bool | list | dict):
        raise RowError(f"{name}: {to_text(value)[:40]} is no id; needed is a text or a number")


def to_text(value: object) -> str:
    """Return a cell as text: nothing for null, JSON for what JSON alone can hold.

    Raises:
        RowError: a text that is none in Unicode, as JSON can name it (half a surrogate pair).
    """
    if value is None:
        return ""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise RowError("a text with half a surrogate pair") from error
    return text


def _object_at(cells: Mapping[str, object], name: str) -> list[tuple[str, str]]:
    """Return names and values of a cell that holds a JSON object, or nothing."""
    value = cells.get(name)
    if isinstance(value, str):
        if not value.strip():
            return []
        try:
            value = json.loads(value)
        except (ValueError, RecursionError) as error:
            raise RowError(f"{name}: not JSON: {error}") from error
    if value is None:
        return []
    if not isinstance(value, dict):
        raise RowError(f"{name}: no JSON object")
    return [(to_text(key), to_text(inner)) for key, inner in value.items()]


def _number(field: str, text: str, low: float, high: float) -> float | None:
    if not text.strip():
        return None
    try:
        value = float(text)
    except ValueError as error:
        raise RowError(f"{field}: {text[:40]!r} is no number") from error
    if not (math.isfinite(value) and low <= value <= high):
        limits = "0 or more" if math.isinf(high) else f"from {low:g} to {high:g}"
        raise RowError(f"{field}: {text[:40]} must be {limits}")
    return value
