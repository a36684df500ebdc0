"""The data card: what a data set holds, as a comparison with the same settings would see it."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seentwice.data.lookalikes import Lookalikes
from seentwice.data.pairs import KINDS, PairTable, join_tables
from seentwice.data.parts import Parts
from seentwice.data.table_counts import TABLES, TableCounts, count_tables
from seentwice.data.tables import FoldTables
from seentwice.display import show_text
from seentwice.hamming import hamming_bits
from seentwice.records import Kind, Photo, Unreadable, View

BITS = 64
UNKNOWN = "unknown"  # room type of a photo that names none
WHOLE = "all"  # the row of all photos, in a split or not


@dataclass(frozen=True, slots=True)
class PartCounts:
    """How much a part of the photos holds; 0 of what their data set does not tell."""

    part: str
    photos: int
    places: int
    properties: int
    cities: int


@dataclass(frozen=True, slots=True)
class Spread:
    """The range of a measure over all photos."""

    min: float
    median: float
    max: float


@dataclass(frozen=True, slots=True)
class BitCounts:
    """Pairs by Hamming distance, 0 to 64 bits: 65 counts each."""

    duplicates: tuple[int, ...]
    others: tuple[int, ...]


@dataclass(frozen=True, slots=True, eq=False)
class PhotoMeasures:
    """What p photos measure."""

    width_px: NDArray[np.int64]  # (p,) upright
    height_px: NDArray[np.int64]  # (p,)
    file_bytes: NDArray[np.int64]  # (p,)
    format: tuple[str, ...]  # (p,) of the file's content, whatever its name says


@dataclass(frozen=True, slots=True)
class DataCard:
    """A data set in numbers; photos are those that could be read."""

    data: str
    source: Mapping[str, str]  # the class that reads the data set, and its settings
    fingerprint: str  # sha256 of the photos' labels and bytes
    seed: int
    folds: int
    parts: tuple[PartCounts, ...]  # `WHOLE` first
    room_types: Mapping[str, Mapping[str, int]]  # room type -> part -> photos
    places_by_photos: Mapping[int, int]  # photos of a place -> how many places have so many
    tables: tuple[TableCounts, ...]  # pairs by kind, summed over the folds
    sizes: Mapping[str, Spread]
    formats: Mapping[str, int]
    unreadable: tuple[Unreadable, ...]
    leaks: Lookalikes
    suspects: Lookalikes
    hamming: Mapping[str, Mapping[str, BitCounts]]  # table -> hash -> pairs by distance


@dataclass(frozen=True, slots=True)
class ExamplePair:
    """A pair that stands for others of its kind."""

    left: View
    right: View
    kind: Kind
    table: str


def make_card(
    data: str,
    source: Mapping[str, str],
    fingerprint: str,
    seed: int,
    photos: Sequence[Photo],
    parts: Parts,
    measures: PhotoMeasures,
    folds: Sequence[FoldTables],
    hashes: Mapping[str, NDArray[np.uint64]],
    unreadable: Sequence[Unreadable],
    leaks: Lookalikes,
    suspects: Lookalikes,
) -> DataCard:
    """Count what a data set holds.

    Args:
        data: its name.
        source: what reads it.
        fingerprint: of photos and labels.
        seed: of the pair tables.
        photos: the p photos that could be read.
        parts: of the p photos.
        measures: of the p photos.
        folds: the pair tables over the v views.
        hashes: name -> (v,) hashes of the views.
        unreadable: files that gave no photo.
        leaks: pairs of photos in two parts.
        suspects: pairs that look the same, labelled as two places.
    """
    tables = {name: join_tables([getattr(fold, name) for fold in folds]) for name in TABLES}
    of_place = Counter(photo.place for photo in photos)
    return DataCard(
        data=data,
        source=source,
        fingerprint=fingerprint,
        seed=seed,
        folds=len(folds),
        parts=(
            _count_part(WHOLE, photos),
            *(
                _count_part(name, [photos[index] for index in members.tolist()])
                for name, members in parts.members()
            ),
        ),
        room_types=_count_room_types(photos, parts),
        places_by_photos=dict(sorted(Counter(of_place.values()).items())),
        tables=count_tables(folds),
        sizes={
            "width_px": _spread(measures.width_px),
            "height_px": _spread(measures.height_px),
            "megapixels": _spread(measures.width_px * measures.height_px / 1e6),
            "kilobytes": _spread(measures.file_bytes / 1e3),
        },
        formats=dict(sorted(Counter(measures.format).items())),
        unreadable=tuple(unreadable),
        leaks=leaks,
        suspects=suspects,
        hamming={
            name: {hash_name: count_bits(column, pairs) for hash_name, column in hashes.items()}
            for name, pairs in tables.items()
        },
    )


def count_bits(hashes: NDArray[np.uint64], pairs: PairTable) -> BitCounts:
    """Count the pairs of each label by the Hamming distance of one hash of their views (v,)."""
    bits = hamming_bits(hashes[pairs.left], hashes[pairs.right])
    duplicates, others = (
        tuple(np.bincount(bits[chosen], minlength=BITS + 1).tolist())
        for chosen in (pairs.label, ~pairs.label)
    )
    return BitCounts(duplicates, others)


def choose_examples(fold: FoldTables, count: int, seed: int) -> tuple[ExamplePair, ...]:
    """Draw pairs of each kind from the three tables of a fold, at most `count` a kind.

    Kinds come in the order of `KINDS`; one without pairs is left out.
    """
    generator = np.random.default_rng(seed)
    joined = join_tables([getattr(fold, name) for name in TABLES])
    table = np.repeat(np.arange(len(TABLES)), [len(getattr(fold, name)) for name in TABLES])
    examples = []
    for number, kind in enumerate(KINDS):
        of_kind = np.flatnonzero(joined.kind == number)
        for index in generator.permutation(of_kind)[:count]:
            left, right = (joined.views[side[index]] for side in (joined.left, joined.right))
            examples.append(ExamplePair(left, right, kind, TABLES[table[index]]))
    return tuple(examples)


def to_json(card: DataCard) -> str:
    """Return the card as JSON with sorted keys; texts are fit to show."""
    values: dict[str, Any] = asdict(card)
    values["unreadable"] = [
        {"file": file.name, "reason": file.reason.value, "detail": file.detail}
        for file in card.unreadable
    ]
    text = json.dumps(_shown(values), indent=2, sort_keys=True, allow_nan=False)
    return text + "\n"


def _shown(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _shown(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_shown(item) for item in value]
    return show_text(value) if isinstance(value, str) else value


def _count_part(name: str, photos: Sequence[Photo]) -> PartCounts:
    return PartCounts(
        name,
        len(photos),
        len({photo.place for photo in photos}),
        len({photo.property for photo in photos if photo.property}),
        len({photo.city for photo in photos if photo.city}),
    )


def _count_room_types(photos: Sequence[Photo], parts: Parts) -> dict[str, dict[str, int]]:
    names = [photo.room_type or UNKNOWN for photo in photos]
    whole = Counter(names)
    by_part = Counter(zip(names, parts.number.tolist(), strict=True))
    return {
        room_type: {WHOLE: whole[room_type]}
        | {part: by_part[room_type, number] for number, part in enumerate(parts.names)}
        for room_type in sorted(whole)
    }


def _spread(values: NDArray[np.int64] | NDArray[np.float64]) -> Spread:
    low, middle, high = np.quantile(values, [0, 0.5, 1]).tolist()
    return Spread(low, middle, high)
