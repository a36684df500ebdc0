"""The listings of a table as a few arrays, which a million of are read in a second.

They are a copy of the table, made when photos are indexed, and say which state of it they are of.
One that is missing, damaged or of another table costs time alone: the table is read instead.
"""

import json
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from seentwice.files import write_atomically
from seentwice.recommend.fact_columns import FactColumn, Words, code_texts
from seentwice.recommend.growing import hold_texts
from seentwice.recommend.listing_table import TableMark, load_changes, load_marked, read_mark
from seentwice.recommend.listings import ListingRecord, Listings, drop_listings, put_records
from seentwice.recommend.text_numbers import number_texts

_VERSION = 1


@dataclass(frozen=True, slots=True, eq=False)
class ListingColumns:
    """n listings of a table, which name photos that may be missing."""

    ids: Sequence[str]  # n
    counts: NDArray[np.int64]  # (n,) photos of each
    photos: NDArray[np.int64]  # (m,) which of the keys those are
    keys: Sequence[str]  # of photos, each once
    facts: Mapping[str, FactColumn]


def name_columns(path: Path) -> Path:
    """Return the path of the copy of a table."""
    return path.with_suffix(".safetensors")


def open_listings(path: Path, numbers: Mapping[str, int]) -> Listings:
    """Return the listings of an index.

    Args:
        path: of their table.
        numbers: of photos that can be shown, by key; others are left out.

    Raises:
        UserError: there is no table of listings, or it is damaged.
    """
    found = _read_columns(path)
    changes = None if found is None else load_changes(path, found[0])
    if found is None or changes is None:
        _, records = load_marked(path)
        return list_records(records, numbers)
    listings = _list_columns(found[1], numbers)
    if not changes.records and not changes.gone:
        return listings
    known = number_texts(listings.ids, np.ones(len(listings), np.bool_))
    new = [record.id for record in changes.records if record.id not in known]
    known = known.put({id: place for place, id in enumerate(new, len(listings))})
    places = np.array([known[record.id] for record in changes.records], np.int64)
    gone = np.array([known[id] for id in changes.gone if id in known], np.int64)
    return drop_listings(put_records(listings, places, changes.records, numbers), gone)


def list_records(records: Sequence[ListingRecord], numbers: Mapping[str, int]) -> Listings:
    """Return the listings of a table; photos without a number are left out.

    Args:
        records: of different ids.
        numbers: of photos that can be shown, by key.
    """
    return _list_columns(_gather_columns(records), numbers)


def keep_columns(path: Path) -> None:
    """Bring the copy of a table of listings up to date with the table.

    Raises:
        UserError: the table is missing or damaged, or the copy cannot be written.
    """
    found = _read_columns(path)
    if found is not None and found[0] == read_mark(path):
        return
    mark, records = load_marked(path)
    columns = _gather_columns(records)
    tensors: dict[str, NDArray[Any]] = {
        "ids": _pack(columns.ids),
        "counts": columns.counts,
        "photos": columns.photos,
        "keys": _pack(columns.keys),
    }
    for number, column in enumerate(columns.facts.values()):
        tensors[f"words {number}"] = _pack(column.words.texts)
        tensors[f"codes {number}"] = column.codes
    about = {
        "version": _VERSION,
        "mark": asdict(mark),
        "facts": list(columns.facts),
        "sum": _sum(tensors),
    }
    write_atomically(name_columns(path), save(tensors, {"about": json.dumps(about)}))


def _read_columns(path: Path) -> tuple[TableMark, ListingColumns] | None:
    """Return the copy of a table, and the state that it is of; None where it is no use."""
    try:
        with safe_open(name_columns(path), "np") as file:
            about = json.loads(file.metadata()["about"])
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - no mapping
        if (about["version"], about["sum"]) != (_VERSION, _sum(tensors)):
            return None
        facts = {
            name: FactColumn(Words(_unpack(tensors[f"words {place}"])), tensors[f"codes {place}"])
            for place, name in enumerate(about["facts"])
        }
        ids, keys = _unpack(tensors["ids"]), _unpack(tensors["keys"])
        columns = ListingColumns(ids, tensors["counts"], tensors["photos"], keys, facts)
        return TableMark(**about["mark"]), columns
    except (OSError, KeyError, TypeError, ValueError, SafetensorError):
        return None


def _gather_columns(records: Sequence[ListingRecord]) -> ListingColumns:
    names = sorted({name for record in records for name in record.facts})
    known: dict[str, int] = {}
    photos = [known.setdefault(key, len(known)) for record in records for key in record.photos]
    return ListingColumns(
        [record.id for record in records],
        np.array([len(record.photos) for record in records], np.int64),
        np.array(photos, np.int64),
        list(known),
        {name: code_texts([record.facts.get(name, "") for record in records]) for name in names},
    )


def _list_columns(columns: ListingColumns, numbers: Mapping[str, int]) -> Listings:
    number = np.array([numbers.get(key, -1) for key in columns.keys], np.int64)
    every = number[columns.photos]
    owners = np.repeat(np.arange(len(columns.ids)), columns.counts)[every >= 0]
    counts = np.bincount(owners, minlength=len(columns.ids)).astype(np.int64)
    photos = every[every >= 0]
    ids = hold_texts(columns.ids)
    return Listings(ids, np.cumsum(counts) - counts, counts, photos, columns.facts)


def _pack(texts: Sequence[str]) -> NDArray[np.uint8]:
    # Escaped to ASCII: keys of photos may hold bytes that are not UTF-8.
    return np.frombuffer(json.dumps(list(texts)).encode("ascii"), np.uint8)


def _unpack(data: NDArray[np.uint8]) -> list[str]:
    texts: list[str] = json.loads(data.tobytes())
    return texts


def _sum(tensors: Mapping[str, NDArray[Any]]) -> int:
    total = 0
    for name in sorted(tensors):
        total = zlib.crc32(np.ascontiguousarray(tensors[name]).data.cast("B"), total)
    return total
