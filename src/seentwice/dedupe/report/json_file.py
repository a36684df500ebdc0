"""`groups.json`: all that was found, as `schema/groups.schema.json` describes it."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from importlib import resources
from pathlib import Path
from typing import Any

from seentwice.dedupe.findings import Coverage, Duplicates, FoundPhoto, Group, Match
from seentwice.dedupe.report.counts import count_duplicates
from seentwice.dedupe.report.writing import (
    name_fields,
    round_measure,
    spell_name,
    spell_time,
)
from seentwice.files import open_atomically
from seentwice.records import Unreadable

SCHEMA_ID = "urn:seentwice:groups:1"
SCHEMA_VERSION = 1
_ENCODER = json.JSONEncoder(ensure_ascii=False, allow_nan=False)


def write_json(path: Path, duplicates: Duplicates) -> None:
    r"""Write all that was found; each group, link and unreadable file is a line of its own.

    A name is written as text. One that is not UTF-8 has `\udc80` to `\udcff` for each byte that
    is none, and beside it "path_bytes" ("left_bytes", "right_bytes"): its bytes in base64.

    Args:
        path: In a folder that exists.
        duplicates: What was found.

    Raises:
        UnwritableError: The folder is missing or cannot be written, or the disk is full.
    """
    with open_atomically(path) as file:
        for piece in _spell(duplicates):
            file.write(piece.encode())


def read_schema() -> dict[str, Any]:
    """Return the JSON Schema of `groups.json`."""
    file = resources.files("seentwice.dedupe") / "schema" / "groups.schema.json"
    schema: dict[str, Any] = json.loads(file.read_text("utf-8"))
    return schema


def _spell(duplicates: Duplicates) -> Iterator[str]:
    yield f'{{"schema": {_dump({"id": SCHEMA_ID, "version": SCHEMA_VERSION})},\n'
    yield f'"root": {_dump(name_fields("path", str(duplicates.root)))},\n'
    yield f'"counts": {_dump(asdict(count_duplicates(duplicates)))},\n'
    yield f'"coverage": {_dump(_coverage(duplicates.coverage))},\n'
    groups = (
        _group(number, group, duplicates.products is not None)
        for number, group in enumerate(duplicates.groups, 1)
    )
    yield from _spell_list("groups", groups)
    yield ",\n"
    yield from _spell_list("links", map(_match, duplicates.links))
    yield ",\n"
    yield from _spell_list("unreadable", map(_unreadable, duplicates.unreadable))
    yield "}\n"


def _spell_list(name: str, records: Iterable[dict[str, Any]]) -> Iterator[str]:
    yield f'"{name}": ['
    for number, record in enumerate(records):
        yield f"{',' if number else ''}\n{_dump(record)}"
    yield "]"


def _dump(record: dict[str, Any]) -> str:
    return _ENCODER.encode(record)


def _coverage(coverage: Coverage) -> dict[str, Any]:
    return {
        "neighbour_recall": round_measure(coverage.neighbour_recall),
        "nearest_only": coverage.nearest_only,
    }


def _group(number: int, group: Group, is_catalogue: bool) -> dict[str, Any]:
    return {
        "number": number,
        "photos": [
            _photo(photo, None if is_catalogue else place == 0)
            for place, photo in enumerate(group.photos)
        ],
        "matches": [_match(match) for match in group.matches],
    }


def _photo(photo: FoundPhoto, keep: bool | None) -> dict[str, Any]:
    return {
        **name_fields("path", photo.key),
        "keep": keep,
        "width": photo.width,
        "height": photo.height,
        "bytes": photo.size_bytes,
        "modified": spell_time(photo.modified_seconds),
        "sha256": photo.sha256,
        "product": None if photo.product is None else spell_name(photo.product),
        "seller": None if photo.seller is None else spell_name(photo.seller),
    }


def _match(match: Match) -> dict[str, Any]:
    return {
        **name_fields("left", match.left),
        **name_fields("right", match.right),
        "score": round_measure(match.score),
        "evidence": [evidence.value for evidence in match.evidence],
        "hash_bits": match.hash_bits,
        "similarity": round_measure(match.similarity),
        "edit": match.edit,
    }


def _unreadable(file: Unreadable) -> dict[str, Any]:
    return {
        **name_fields("path", str(file.path)),
        "url": None if file.url is None else spell_name(file.url),
        "reason": file.reason.value,
        "detail": spell_name(file.detail),
    }
