"""A listing that is sent: its id, its photos and what it can be filtered by."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from starlette.datastructures import FormData, UploadFile

from seentwice.web.failures import invalid
from seentwice.web.limits import ServiceLimits
from seentwice.web.questions import LONGEST_ID, read_files, read_one

_MOST_FIELDS = 50


@dataclass(frozen=True, slots=True)
class NewListing:
    """A listing that is to be added."""

    id: str
    photos: tuple[UploadFile, ...]  # the title photo first
    fields: Mapping[str, str]


def read_listing(form: FormData, limits: ServiceLimits) -> NewListing:
    """Read a listing that is sent.

    Raises:
        ApiError: it is none.
    """
    id = read_one(form, "id") or ""
    if not (0 < len(id) <= LONGEST_ID and id.isprintable() and id == id.strip()):
        raise invalid(f"give an id of 1 to {LONGEST_ID} characters that can be printed", "id")
    photos = read_files(form, "photos")
    if not 1 <= len(photos) <= limits.photos:
        raise invalid(f"send 1 to {limits.photos} photos", "photos")
    return NewListing(id, photos, _read_fields(read_one(form, "fields") or "{}"))


def _read_fields(text: str) -> dict[str, str]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise invalid("give a JSON object of names and values", "fields") from error
    if not isinstance(found, dict) or len(found) > _MOST_FIELDS:
        raise invalid(f"give a JSON object of {_MOST_FIELDS} names at most", "fields")
    fields: dict[str, str] = {}
    for name, value in found.items():
        if not (name and name == name.strip() and name.isprintable() and len(name) <= 100):
            raise invalid("a name has 1 to 100 characters that can be printed", "fields")
        if any(character in name for character in "<>=!"):
            raise invalid("a name has none of < > = !", "fields")
        fields[name] = _to_text(value)
    return {name: fields[name] for name in sorted(fields) if fields[name]}


def _to_text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if value is None:
        return ""
    if isinstance(value, int | float | str):
        text = str(value).strip()
        if len(text) <= 1_000 and text.isprintable():
            return text
    raise invalid("a value is a number, true, false, null or 1,000 characters of text", "fields")
