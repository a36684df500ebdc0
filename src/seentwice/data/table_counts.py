"""How many pairs of each kind the tables of a split hold."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from seentwice.data.pairs import KINDS, PairTable
from seentwice.data.tables import FoldTables

TABLES = ("train", "validation", "test")


@dataclass(frozen=True, slots=True)
class TableCounts:
    """How many pairs a split holds, over all folds."""

    split: str
    places: int
    views: int
    pairs: Mapping[str, int]  # by kind


def count_tables(folds: Sequence[FoldTables]) -> tuple[TableCounts, ...]:
    """Count places, views and pairs by kind of each split, summed over the folds."""
    return tuple(_count(split, [getattr(tables, split) for tables in folds]) for split in TABLES)


def _count(split: str, tables: Sequence[PairTable]) -> TableCounts:
    members = [np.union1d(table.left, table.right) for table in tables]
    places = sum(
        len({table.views[index].photo.place for index in views})
        for table, views in zip(tables, members, strict=True)
    )
    pairs = {
        kind.value: sum(int((table.kind == number).sum()) for table in tables)
        for number, kind in enumerate(KINDS)
    }
    return TableCounts(split, places, sum(map(len, members)), pairs)
