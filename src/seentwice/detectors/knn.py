"""K nearest neighbours, twice: over differences of features, and as retrieval of one photo.

The baseline of the MLS slides, which report 24 % for its retrieval form.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from seentwice.data.pairs import PairTable
from seentwice.data.sampling.items import codes_of
from seentwice.detectors.descriptor import Rows
from seentwice.detectors.trunk import FEATURES, unit_rows
from seentwice.index.near import nearest_rows
from seentwice.metrics import average_precision

BLOCK = 4096


class NearestPairs:
    """Looks up the training pairs whose |difference of features| is nearest."""

    def __init__(
        self,
        neighbours: Sequence[int],
        max_pairs: int,
        seed: int,
        on_progress: Callable[[int, int], None],
    ) -> None:
        self.choices = tuple(sorted(neighbours))  # of k; validation pairs choose
        self.max_pairs = max_pairs  # remembered; bounds the time of one search
        self.seed = seed
        self.on_progress = on_progress  # told of every block of pairs searched
        self._differences: NDArray[np.float32]
        self._label: NDArray[np.bool_]

    def fit(self, train: PairTable, validation: PairTable, rows: Rows) -> None:
        """Remember training pairs, as many positives as negatives, and choose k.

        The k of highest average precision on the validation pairs; the smallest of equals.
        """
        generator = np.random.default_rng(self.seed)
        sides = [np.flatnonzero(train.label), np.flatnonzero(~train.label)]
        each = min(self.max_pairs // 2, len(sides[0]), len(sides[1]))
        chosen = np.concatenate(
            [np.sort(generator.choice(side, each, replace=False)) for side in sides]
        )
        remembered = train.take(chosen)
        features = unit_rows(rows[FEATURES])
        self._differences = np.abs(features[remembered.left] - features[remembered.right])
        self._label = remembered.label
        shares = self._shares(validation, rows, self.choices)
        values = [average_precision(validation.label, share) for share in shares]
        self.neighbours = self.choices[int(np.argmax(values))]

    def of(self, pairs: PairTable, rows: Rows) -> NDArray[np.float64]:
        """Return the share of duplicates among the neighbours, nearer ones counting for more.

        The weight is the inverse distance, so that pairs of equal counts are still ranked.
        """
        share: NDArray[np.float64] = self._shares(pairs, rows, [self.neighbours])[0]
        return share

    def _shares(self, pairs: PairTable, rows: Rows, choices: Sequence[int]) -> NDArray[np.float64]:
        """The share for each choice of k from one search, (choices, n)."""
        score = np.empty((len(choices), len(pairs)), dtype=np.float64)
        most = min(max(choices), len(self._label))
        features = unit_rows(rows[FEATURES])
        for start in range(0, len(pairs), BLOCK):
            part = slice(start, start + BLOCK)
            queries = np.abs(features[pairs.left[part]] - features[pairs.right[part]])
            squared, found = nearest_rows(self._differences, queries, most)
            weight = 1 / (np.sqrt(np.maximum(squared, 0)) + 1e-6)
            hits = weight * self._label[found]
            for row, k in enumerate(choices):
                score[row, part] = hits[:, :k].sum(axis=1) / weight[:, :k].sum(axis=1)
            self.on_progress(min(start + BLOCK, len(pairs)), len(pairs))
        return score


@dataclass(frozen=True, slots=True, eq=False)
class Retrieval:
    """Whether the nearest other view shows the same place, for q queries."""

    query: NDArray[np.int64]  # (q,) index into the views
    hit: NDArray[np.bool_]  # (q,)
    gallery: int  # views among which the nearest was looked for


def retrieve_nearest(pairs: PairTable, rows: Rows) -> Retrieval:
    """Look for each view's nearest other view, by the cosine of the trunk's features.

    Among the views of the table; queries are those that have another view of their place in it.
    Views of another place in the same zone are passed over: they may show the query's place, too.
    """
    members = np.unique(np.concatenate([pairs.left, pairs.right]))
    photos = [pairs.views[index].photo for index in members]
    place = codes_of([photo.place for photo in photos])
    zone = codes_of([photo.zone or photo.place for photo in photos])
    features = unit_rows(rows[FEATURES][members])
    # Enough neighbours to find one that counts behind the view itself and all of its zone.
    most = min(len(members), 1 + int(np.bincount(zone).max()))
    _, found = nearest_rows(features, features, most)
    own = np.arange(len(members))[:, np.newaxis]
    same_place = place[found] == place[own]
    counts = (found != own) & (same_place | (zone[found] != zone[own]))
    first = counts.argmax(axis=1)
    asked = (np.bincount(place)[place] > 1) & counts.any(axis=1)
    hit = same_place[np.arange(len(members)), first]
    return Retrieval(members[asked], hit[asked], len(members))
