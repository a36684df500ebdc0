"""Questions answered by one scan: what is found, what each part gives, and whether it is enough."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from seentwice.index.near_search import NearRows
from seentwice.recommend.batching import BatchedSearch
from seentwice.recommend.candidates import Candidates, Title
from seentwice.recommend.filters import Filter
from seentwice.recommend.results import Recommendation, ScoredPairs, describe_best
from seentwice.recommend.scores import ScoreWeights, explain_scores, make_queries
from seentwice.recommend.state import State
from seentwice.recommend.tags import Labels

_SPARE = 64
"""Rows that are found besides those asked for: products round otherwise than scores do."""
_BLOCK = 1 << 14  # pairs that are compared at once
_GROWTH = 4  # how many times as many are found where listings were too few


@dataclass(frozen=True, slots=True, eq=False)
class Asked:
    """What is asked about: q photos of one home."""

    labels: Labels  # (q, h)
    embeddings: NDArray[np.float32]  # (q, e), each of length 1
    photos: NDArray[np.int64]  # numbers of photos that are no results
    listings: NDArray[np.int64]  # numbers of listings that are none


@dataclass(frozen=True, slots=True)
class Question:
    """What may be found; see `Recommender.recommend`."""

    k: int
    filters: tuple[Filter, ...]
    candidates: Sequence[str] | None
    title: Title
    weights: ScoreWeights


def answer_all(
    state: State, search: BatchedSearch, asked: Sequence[Asked], how: Question
) -> list[tuple[Recommendation, ...]]:
    """Return what looks most like each of several homes.

    More rows are found than were asked for where one listing has several of the best; where that
    is not enough, four times as many, until there are k listings or no row is left.

    Args:
        state: photos, their rows and listings.
        search: scans the rows.
        asked: the homes.
        how: k, filters and weights, for all of them.

    Raises:
        UserError: a filter on no column, an unknown id, or no house front is known.
    """
    pairs = state.candidates(how.title)
    allowed = state.allow(pairs, how.filters, how.candidates)
    among = state.choose_photos(how.title, allowed)
    total = len(state.near) if among is None else len(among)
    answers: list[tuple[Recommendation, ...]] = [()] * len(asked)
    waiting = list(range(len(asked))) if total else []
    wanted = how.k + _SPARE + max((_count_own(state, one) for one in asked), default=0)
    while waiting:
        wanted = min(wanted, total)
        some = [asked[number] for number in waiting]
        queries = [
            make_queries(state.tags, how.weights, one.labels, one.embeddings) for one in some
        ]
        found = search.search(state.near, np.concatenate(queries), wanted, among)
        again: list[int] = []
        end = 0
        for number, one in zip(waiting, some, strict=True):
            start, end = end, end + len(one.labels)
            rows = NearRows(found.numbers[start:end], found.products[start:end])
            scored = _score(state, how.weights, one, pairs, allowed, rows)
            if wanted < total:
                scored = scored.keep_sure(rows.products)
            best = scored.choose_best()
            if len(best) >= how.k or wanted == total:
                answers[number] = describe_best(state, scored, best[: how.k].tolist())
            else:
                again.append(number)
        waiting = again
        wanted *= _GROWTH
    return answers


def _count_own(state: State, asked: Asked) -> int:
    """Return how many photos may be found that are no results, at most."""
    shown = (len(state.listings.photos_of(number)) for number in asked.listings.tolist())
    return len(asked.photos) + sum(shown)


def _score(
    state: State,
    weights: ScoreWeights,
    asked: Asked,
    candidates: Candidates,
    allowed: NDArray[np.bool_] | None,
    found: NearRows,
) -> ScoredPairs:
    """Return the listings that were found, each with the photos that it was found by."""
    query, rank = np.nonzero(found.numbers >= 0)
    place, pair = candidates.expand(found.numbers[query, rank])
    is_other = ~np.isin(candidates.listing[pair], asked.listings)
    is_other &= ~np.isin(candidates.photo[pair], asked.photos)
    if allowed is not None:
        is_other &= allowed[pair]
    place, pair = place[is_other], pair[is_other]
    photo = candidates.photo[pair]
    products = found.products[query, rank][place]
    query = query[place]
    parts = explain_scores(
        state.tags,
        weights,
        asked.labels[query],
        state.photos.labels[photo],
        _compare(state, asked, query, photo),
    )
    return ScoredPairs(photo, candidates.listing[pair], products, parts)


def _compare(
    state: State, asked: Asked, query: NDArray[np.int64], photo: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Return the cosines of n pairs, (n,), of a photo that is asked about and one that was found.

    Not by subtracting labels from products: beside large weights a float32 keeps little of them.
    """
    cosine = np.empty(len(photo), np.float64)
    for start in range(0, len(photo), _BLOCK):
        some = slice(start, start + _BLOCK)
        rows = state.near.read(photo[some])[:, state.tags.width :]
        cosine[some] = np.einsum("ne,ne->n", rows, asked.embeddings[query[some]], dtype=np.float64)
    return cosine
