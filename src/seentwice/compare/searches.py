"""Test photos as queries: every detector ranks all others of the fold for each of them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from seentwice.compare.results import SearchCounts
from seentwice.data.pairs import KINDS, PairTable, join_tables
from seentwice.data.sampling.items import codes_of, codes_of_known
from seentwice.data.sampling.pair_space import ALONE
from seentwice.records import Kind
from seentwice.retrieval import Answers


@dataclass(frozen=True, slots=True, eq=False)
class Searches:
    """What q queries are compared with: m pairs, one fold after another."""

    tables: tuple[PairTable, ...]  # one a fold: left the query, right the candidate
    query: NDArray[np.int64]  # (m,) number of each pair's query, 0..q-1
    is_true: NDArray[np.bool_]  # (m,) whether the candidate shows the query's place
    true: NDArray[np.int64]  # (q,) true candidates of each query
    cluster: NDArray[np.int64]  # (q,) number of each query's property or place
    gallery: int  # test views of one fold, the most there are

    def answers(self, score: NDArray[np.float64]) -> Answers:
        """Return what was retrieved by the scores (m,) of one detector."""
        return Answers(self.query, self.is_true, score, self.true)

    def count(self) -> SearchCounts:
        """Say how much is compared."""
        matched = int(np.count_nonzero(self.true))
        return SearchCounts(len(self.true), matched, len(self.query), self.gallery)


def plan_searches(
    tests: Sequence[PairTable], view_cluster: NDArray[np.int64], max_pairs: int, seed: int
) -> Searches | None:
    """Choose the queries among the test views, and what each is compared with.

    Every test view of the query's fold is a candidate but the query itself, and but those that may
    show its place although they are named otherwise: views of another place in the same zone or
    with the same pixels, which are no negative pair either. Each pair has the query on its left,
    for not every head gives both orders one score.

    Args:
        tests: the test pairs of each fold; their views are what is searched.
        view_cluster: (v,) number of every view's property or place.
        max_pairs: where all views as queries would make more pairs, some queries are drawn, the
            same share in each fold and one at least.
        seed: of that draw.

    Returns:
        None where no view has a candidate, or `max_pairs` is 0.
    """
    if max_pairs == 0:
        return None
    members = [np.union1d(table.left, table.right) for table in tests]
    share = min(1.0, max_pairs / sum(len(views) ** 2 for views in members))
    generator = np.random.default_rng(seed)
    chosen = [
        np.sort(generator.choice(views, max(1, int(share * len(views))), replace=False))
        for views in members
    ]
    tables = tuple(map(_list_candidates, tests, members, chosen))
    pairs = join_tables(tables)
    if not len(pairs):
        return None
    # A view is tested in one fold alone, so it asks once.
    asked = np.sort(np.concatenate(chosen))
    query = np.searchsorted(asked, pairs.left)
    true = np.bincount(query[pairs.label], minlength=len(asked))
    gallery = max(map(len, members))
    return Searches(tables, query, pairs.label, true, view_cluster[asked], gallery)


def _list_candidates(
    test: PairTable, members: NDArray[np.int64], queries: NDArray[np.int64]
) -> PairTable:
    """Pair queries, views (k,) among the members (m,) of a fold, with all their candidates."""
    photos = [test.views[index].photo for index in members]
    place = codes_of([photo.place for photo in photos])
    zone = codes_of_known([photo.zone for photo in photos])
    content = test.contents_of(members)
    asking = np.searchsorted(members, queries)[:, np.newaxis]
    same_place = place[asking] == place
    same_zone = (zone[asking] == zone) & (zone != ALONE)
    is_candidate = same_place | ~(same_zone | (content[asking] == content))
    is_candidate[np.arange(len(queries)), asking[:, 0]] = False
    query, candidate = np.nonzero(is_candidate)
    label = same_place[query, candidate]
    kind = np.where(label, KINDS.index(Kind.SAME_PLACE), KINDS.index(Kind.UNIFORM))
    return PairTable(
        test.views,
        queries[query],
        members[candidate],
        label,
        kind.astype(np.int8),
        test.contents,
    )
