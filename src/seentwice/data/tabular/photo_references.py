"""What a table says of a photo: a path below a folder, an id that gives one, or a URL."""

import json
import math
import os
import re
from itertools import accumulate, islice
from pathlib import Path, PurePosixPath

from seentwice.data.tabular.rejects import RowError
from seentwice.errors import UserError

_ID = re.compile(r"[A-Za-z0-9_-]+")
_MEDIA_URL, _MEDIA_ORDER, _MEDIA_CATEGORY = "MediaURL", "Order", "MediaCategory"
"""Fields of RESO's resource Media."""


def check_separator(key: str, separator: str) -> None:
    """Refuse what cannot stand between the photos of a text.

    Raises:
        UserError: it is empty or white space, which names of files may hold.
    """
    if not separator.strip():
        raise UserError(f"{key}={separator!r}: give what stands between photos, such as ',' or '|'")


def read_references(name: str, cell: object, separator: str) -> list[str]:
    """Return the photos that a cell names, empty ones left out.

    Args:
        name: of the column, for errors.
        cell: a text with separators, a JSON array or its text. Its elements are references, or
            objects of RESO's resource Media, of which photos alone count, in their order.
        separator: between the references of a text.

    Raises:
        RowError: JSON that is none, an element of another kind, or elements of both kinds.
    """
    if cell is None:
        return []
    if isinstance(cell, str):
        if not cell.lstrip().startswith("["):
            return [part.strip() for part in cell.split(separator) if part.strip()]
        try:
            cell = json.loads(cell)
        except (ValueError, RecursionError) as error:
            raise RowError(f"{name}: not JSON: {error}") from error
    if not isinstance(cell, list):
        raise RowError(f"{name}: neither a text nor a JSON array")
    media = [item for item in cell if isinstance(item, dict)]
    if media and len(media) != len(cell):
        raise RowError(f"{name}: some elements are texts and others objects")
    if media:
        cell = [item[_MEDIA_URL] for item in sorted(media, key=_media_order) if _is_photo(item)]
    if not all(isinstance(item, str | int) and not isinstance(item, bool) for item in cell):
        raise RowError(f"{name}: an element is no text")
    references = [str(item).strip() for item in cell]
    try:
        "".join(references).encode("utf-8")
    except UnicodeEncodeError as error:
        raise RowError(f"{name}: a text with half a surrogate pair") from error
    return [reference for reference in references if reference]


def is_url(reference: str) -> bool:
    """Whether a reference is a URL, be it one that is fetched or not."""
    return "://" in reference


def locate_photo(root: Path, reference: str) -> Path:
    """Return the path of a photo that a table names.

    Args:
        root: the folder that no photo may be outside of.
        reference: path below it.

    Raises:
        RowError: the path is absolute or leads out of the folder, with `..` or over a link.
    """
    parts = PurePosixPath(reference)
    if "\0" in reference or parts.is_absolute() or ".." in parts.parts:
        raise RowError(f"the photo {reference[:200]!r} is not below the photo folder")
    path = root / parts
    # Only links lead elsewhere, and to ask for them is much cheaper than to resolve every path.
    steps = accumulate(parts.parts, os.path.join, initial=str(root))
    if not any(os.path.islink(step) for step in islice(steps, 1, None)):  # noqa: PTH114
        return path
    try:
        inside = path.resolve().is_relative_to(root.resolve())
    except (OSError, RuntimeError) as error:  # links in a circle
        raise RowError(f"the photo {reference[:200]!r} gives no path") from error
    if not inside:
        raise RowError(f"the photo {reference[:200]!r} is a link out of the photo folder")
    return path


def check_template(template: str) -> None:
    """Refuse a template that does not lead to a file of each photo.

    Raises:
        UserError: no `{id}`, an unknown placeholder, or a path out of the folder.
    """
    filled = _fill(template, "000")
    parts = PurePosixPath(filled)
    if "{id}" not in template or "{" in filled or parts.is_absolute() or ".." in parts.parts:
        raise UserError(
            f"data.photo_path={template!r}: give a path below the photo folder with {{id}} and, "
            "where folders are named after the id's digits, {tens} or {last_two}"
        )


def path_of_id(template: str, photo_id: str) -> str:
    """Return the path below the photo folder of a photo that has an id.

    Args:
        template: with `{id}`; `{last_two}` are its last two characters, `{tens}` the first of
            them.
        photo_id: letters, digits, `-` and `_`.

    Raises:
        RowError: the id holds other characters.
    """
    if not _ID.fullmatch(photo_id):
        raise RowError(f"the photo id {photo_id[:40]!r} holds more than letters, digits, - and _")
    return _fill(template, photo_id)


def _fill(template: str, photo_id: str) -> str:
    last_two = photo_id[-2:].rjust(2, "0")
    filled = template.replace("{tens}", last_two[0]).replace("{last_two}", last_two)
    return filled.replace("{id}", photo_id)


def _is_photo(media: dict[str, object]) -> bool:
    return media.get(_MEDIA_CATEGORY) in (None, "Photo") and media.get(_MEDIA_URL) is not None


def _media_order(media: dict[str, object]) -> float:
    """Return the place of a photo among the others; the last one where none is told."""
    order = media.get(_MEDIA_ORDER)
    try:
        place = float(order) if isinstance(order, int | float | str) else math.inf
    except (ValueError, OverflowError):
        return math.inf
    return math.inf if math.isnan(place) else place
