"""Triplets of photos from a table: a query, a photo that looks like it, and one that does less."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from seentwice.data.source import tell_nobody
from seentwice.data.tabular.rejects import collect_rejects
from seentwice.data.tabular.rows import read_rows
from seentwice.display import name_first, show_text
from seentwice.errors import UserError
from seentwice.recommend.learning import LearnedWeights, Parts, learn_weights
from seentwice.recommend.scores import ScoreWeights, compare_labels
from seentwice.recommend.snapshot import Snapshot

COLUMNS = ("query", "positive", "negative")


@dataclass(frozen=True, slots=True, eq=False)
class NamedTriplets:
    """n triplets by the keys of their photos."""

    path: Path  # of their table
    lines: tuple[int, ...]  # n
    keys: tuple[tuple[str, ...], ...]  # query, positive and negative, n of them


@dataclass(frozen=True, slots=True, eq=False)
class PhotoTriplets:
    """n triplets by the numbers of their photos."""

    query: NDArray[np.int64]  # (n,)
    positive: NDArray[np.int64]  # (n,) looks like the query
    negative: NDArray[np.int64]  # (n,) looks less like it


def read_triplets(path: Path) -> NamedTriplets:
    """Read a table with the columns query, positive and negative, keys of photos.

    Columns query_edit and so on, which `seentwice pairs` writes, must be empty: an index holds
    photos as they are.

    Args:
        path: the table.

    Raises:
        UserError: names the file and the line of what cannot be used.
    """
    lines: list[int] = []
    keys: list[tuple[str, ...]] = []
    with collect_rejects(None) as rejects:
        for row in read_rows(path, None, rejects, tell_nobody):
            missing = [name for name in COLUMNS if name not in row.cells]
            if missing:
                raise UserError(
                    f"{show_text(str(path))}: columns {name_first(list(row.cells))}; give "
                    f"{', '.join(COLUMNS)}"
                )
            if any(row.cells.get(f"{name}_edit") for name in COLUMNS):
                raise _refuse(path, row.line, "an edited photo; give photos as they are")
            lines.append(row.line)
            keys.append(tuple(str(row.cells[name]) for name in COLUMNS))
    first = rejects.summary().first
    if first:
        raise _refuse(path, first[0].line, first[0].reason)
    return NamedTriplets(path, tuple(lines), tuple(keys))


def find_triplets(named: NamedTriplets, numbers: Mapping[str, int]) -> PhotoTriplets:
    """Return triplets by the numbers of their photos.

    Args:
        named: of a table.
        numbers: of the photos of the index, by key.

    Raises:
        UserError: names the file and the line of a photo that is not in the index.
    """
    for line, keys in zip(named.lines, named.keys, strict=True):
        unknown = next((key for key in keys if key not in numbers), None)
        if unknown is not None:
            raise _refuse(named.path, line, f"{unknown!r} is no photo of the index")
    found = [[numbers[key] for key in keys] for keys in named.keys]
    query, positive, negative = np.array(found, np.int64).reshape(-1, 3).T
    return PhotoTriplets(query, positive, negative)


def learn_from(snapshot: Snapshot, triplets: PhotoTriplets, before: ScoreWeights) -> LearnedWeights:
    """Fit the weights of the score to triplets of an index's photos; see `learn_weights`."""
    positive = _compare(snapshot, triplets.query, triplets.positive)
    negative = _compare(snapshot, triplets.query, triplets.negative)
    return learn_weights(positive, negative, triplets.query, before)


def _compare(snapshot: Snapshot, left: NDArray[np.int64], right: NDArray[np.int64]) -> Parts:
    """Return the parts of the scores of n pairs without weights, (n, 3)."""
    labels, width = snapshot.photos.labels, snapshot.about.tags.width
    shares = compare_labels(snapshot.about.tags, labels[left], labels[right])
    one, other = (snapshot.near.read(numbers)[:, width:] for numbers in (left, right))
    cosine = np.einsum("ne,ne->n", one, other, dtype=np.float64)
    return np.stack([*shares, (1 + cosine) / 2], axis=1)


def _refuse(path: Path, line: int, reason: str) -> UserError:
    return UserError(f"{show_text(str(path))}, line {line}: {show_text(reason)}")
