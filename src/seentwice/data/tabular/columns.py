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
_LIMITS: Mapping[str, tuple[float, float]] = {
    "price": (0, math.inf),
    "latitude": (-90, 90),
    "longitude": (-180, 180),
}
"""Fields that hold a number: the least and the greatest."""


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


@dataclass(frozen=True, slots=True)
class Made:
    """The listing of one row, and what was odd in the row."""

    listing: Listing
    odd: tuple[str, ...] = ()  # a line for each number that is none and became an attribute


def to_listing(cells: Mapping[str, object], columns: Columns, photo_separator: str) -> Made:
    """Make the listing of one row.

    A price or coordinate that is no number, such as "ask", is odd: it becomes an attribute, and
    the field stays None.

    Args:
        cells: by column: text, or any JSON value.
        columns: what they hold.
        photo_separator: between the photos of a text.

    Raises:
        RowError: no id or one that is no text or number, or JSON that is none.
    """
    for name in names_of(columns.id):
        _check_key(name, cells.get(name))
    values: dict[str, str] = {}
    taken = {*names_of(columns.photos), *names_of(columns.attributes)}
    odd: list[str] = []
    for field, names in columns.by_field().items():
        if field in ("photos", "attributes"):
            continue
        name, value = _first_text(cells, names)
        problem = find_odd(field, value)
        if problem is not None:
            odd.append(f"{name}: {problem}; it became an attribute")
        else:
            values[field] = value
            taken.add(name)
    key = values["id"].strip()
    if not key:
        raise RowError(f"no {' or '.join(names_of(columns.id))}")
    photos = [
        reference
        for name in names_of(columns.photos)
        for reference in read_references(name, cells.get(name), photo_separator)
    ]
    inner = [item for name in names_of(columns.attributes) for item in _object_at(cells, name)]
    others = [(name, to_text(value)) for name, value in cells.items() if name not in taken]
    listing = Listing(
        key=key,
        title=values["title"],
        description=values["description"],
        category=values["category"] or None,
        price=_to_number(values.get("price")),
        attributes=tuple(
            (name, value) for name, value in [*inner, *others] if name and value.strip()
        ),
        location=values["location"] or None,
        metro=values["metro"] or None,
        latitude=_to_number(values.get("latitude")),
        longitude=_to_number(values.get("longitude")),
        photos=tuple(dict.fromkeys(photos)),
        family=values["family"] or None,
        seller=values["seller"] or None,
    )
    return Made(listing, tuple(odd))


def find_odd(field: str, text: str) -> str | None:
    """Return why a text is no number of its field; None where it is one, or none is needed."""
    if field not in _LIMITS or not text.strip():
        return None
    low, high = _LIMITS[field]
    try:
        value = float(text)
    except ValueError:
        return f"{text[:40]!r} is no number"
    if math.isfinite(value) and low <= value <= high:
        return None
    limits = "0 or more" if math.isinf(high) else f"from {low:g} to {high:g}"
    return f"{text[:40]!r} is not {limits}"


def _first_text(cells: Mapping[str, object], names: tuple[str, ...]) -> tuple[str, str]:
    """Return the first of the columns that is not blank, and its text; two blanks for none."""
    for name in names:
        value = to_text(cells.get(name))
        if value.strip():
            return name, value
    return "", ""


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


def _to_number(text: str | None) -> float | None:
    return float(text) if text and text.strip() else None
