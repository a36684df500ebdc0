"""From candidates to matches: pairs of pictures whose score reaches a threshold."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from seentwice.dedupe.candidates import FEW_EQUAL, Candidates
from seentwice.dedupe.findings import WHOLE, Coverage
from seentwice.dedupe.groups import ScorePairs
from seentwice.dedupe.pictures import Indices

MOST_SORTS = 64
"""Pictures of one hash that are compared with all others of it, one after the other."""
Allow = Callable[[Indices, Indices], NDArray[np.bool_]]
"""Whether pairs of pictures (m,), (m,) may be duplicates at all, (m,)."""


@dataclass(frozen=True, slots=True, eq=False)
class Matches:
    """Pairs of pictures that are taken for copies, each once, in the order of left, then right."""

    left: Indices  # (m,)
    right: Indices  # (m,) above left
    scores: NDArray[np.float64]  # (m,)
    coverage: Coverage = WHOLE  # of the search for them


NO_MATCHES = Matches(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0))


def match_candidates(
    blocks: Iterable[Candidates], score_pairs: ScorePairs, allow: Allow, least_score: float
) -> Matches:
    """Score candidates block by block; memory follows the matches, not the candidates.

    Args:
        blocks: of pairs; one may be in several.
        score_pairs: scores those of which no score is known.
        allow: tells those that need no score.
        least_score: of a match.
    """
    left, right = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
    scores = [np.empty(0)]
    coverage = WHOLE
    for block in blocks:
        coverage = coverage.join(block.coverage)
        allowed = allow(block.left, block.right)
        one, other = block.left[allowed], block.right[allowed]
        score = score_pairs(one, other) if block.scores is None else block.scores[allowed]
        is_match = score >= least_score
        left.append(one[is_match])
        right.append(other[is_match])
        scores.append(score[is_match])
    found = Matches(np.concatenate(left), np.concatenate(right), np.concatenate(scores), coverage)
    return keep_surest(found)


def keep_surest(matches: Matches) -> Matches:
    """Return matches in order, each once; of a pair that is there twice, the highest score."""
    order = np.lexsort((-matches.scores, matches.right, matches.left))
    left, right = matches.left[order], matches.right[order]
    is_new = np.ones(len(left), bool)
    is_new[1:] = (left[1:] != left[:-1]) | (right[1:] != right[:-1])
    return Matches(left[is_new], right[is_new], matches.scores[order][is_new], matches.coverage)


def join_matches(one: Matches, other: Matches) -> Matches:
    """Return the matches of both, in order; no pair is in both."""
    left, right = np.append(one.left, other.left), np.append(one.right, other.right)
    order = np.lexsort((right, left))
    scores = np.append(one.scores, other.scores)[order]
    return Matches(left[order], right[order], scores, one.coverage.join(other.coverage))


def pair_shared(
    pictures: Indices,
    score_pairs: ScorePairs,
    least_score: float,
    pair_nearest: Callable[[Indices], Iterable[Candidates]],
) -> Iterator[Candidates]:
    """Yield candidates among many pictures of one hash, without pairing each with each.

    The first is compared with all others; what it does not match, among itself in the same way. So
    a thousand copies of one photo make a thousand pairs, and different photos that happen to share
    a hash are compared with one of each sort. Of k photos of very many sorts this would be k²/2
    pairs: what none of the first `MOST_SORTS` matches is paired with its nearest alone, so that
    there are some `MOST_SORTS` + `NEAREST` pairs a picture at the most. Those candidates tell it
    in their coverage.

    Args:
        pictures: (k,) more than `FEW_EQUAL`.
        score_pairs: scores them.
        least_score: of a match.
        pair_nearest: yields what is nearest each of some pictures.
    """
    rest = pictures
    for _ in range(MOST_SORTS):
        if len(rest) <= FEW_EQUAL:
            break
        one, others = np.full(len(rest) - 1, rest[0]), rest[1:]
        left, right = np.minimum(one, others), np.maximum(one, others)
        scores = score_pairs(left, right)
        yield Candidates(left, right, scores)
        rest = others[scores < least_score]
    if len(rest) <= FEW_EQUAL:
        low, high = np.triu_indices(len(rest), 1)
        yield Candidates(rest[low], rest[high])
    else:
        yield from pair_nearest(rest)
