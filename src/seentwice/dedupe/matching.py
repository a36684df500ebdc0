"""From candidates to matches: pairs of pictures whose score reaches a threshold."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from seentwice.dedupe.candidates import FEW_EQUAL, Candidates
from seentwice.dedupe.groups import ScorePairs
from seentwice.dedupe.pictures import Indices

Allow = Callable[[Indices, Indices], NDArray[np.bool_]]
"""Whether pairs of pictures (m,), (m,) may be duplicates at all, (m,)."""


@dataclass(frozen=True, slots=True, eq=False)
class Matches:
    """Pairs of pictures that are taken for copies, each once, in the order of left, then right."""

    left: Indices  # (m,)
    right: Indices  # (m,) above left
    scores: NDArray[np.float64]  # (m,)


def match_candidates(
    blocks: Iterable[Candidates], score_pairs: ScorePairs, allow: Allow, least_score: float
) -> Matches:
    """Score candidates block by block; memory follows the matches, not the candidates.

    Args:
        blocks: of pairs; one may be in several.
        score_pairs: scores them.
        allow: tells those that need no score.
        least_score: of a match.
    """
    left, right = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
    scores = [np.empty(0)]
    for block in blocks:
        allowed = allow(block.left, block.right)
        one, other = block.left[allowed], block.right[allowed]
        score = score_pairs(one, other)
        is_match = score >= least_score
        left.append(one[is_match])
        right.append(other[is_match])
        scores.append(score[is_match])
    found = Matches(np.concatenate(left), np.concatenate(right), np.concatenate(scores))
    return keep_surest(found)


def keep_surest(matches: Matches) -> Matches:
    """Return matches in order, each once; of a pair that is there twice, the highest score."""
    order = np.lexsort((-matches.scores, matches.right, matches.left))
    left, right = matches.left[order], matches.right[order]
    is_new = np.ones(len(left), bool)
    is_new[1:] = (left[1:] != left[:-1]) | (right[1:] != right[:-1])
    return Matches(left[is_new], right[is_new], matches.scores[order][is_new])


def join_matches(one: Matches, other: Matches) -> Matches:
    """Return the matches of both, in order; no pair is in both."""
    left, right = np.append(one.left, other.left), np.append(one.right, other.right)
    order = np.lexsort((right, left))
    return Matches(left[order], right[order], np.append(one.scores, other.scores)[order])


def pair_shared(
    pictures: Indices, score_pairs: ScorePairs, least_score: float
) -> Iterable[Candidates]:
    """Yield candidates among many pictures of one hash, without pairing each with each.

    The first is compared with all others; what it does not match, among itself in the same way. So
    a thousand copies of one photo make a thousand pairs, and different photos that happen to share
    a hash are compared with one of each sort.

    Args:
        pictures: (k,) more than `FEW_EQUAL`.
        score_pairs: scores them.
        least_score: of a match.
    """
    rest = pictures
    while len(rest) > FEW_EQUAL:
        one, others = np.full(len(rest) - 1, rest[0]), rest[1:]
        found = Candidates(np.minimum(one, others), np.maximum(one, others))
        yield found
        rest = others[score_pairs(found.left, found.right) < least_score]
    one, other = np.triu_indices(len(rest), 1)
    yield Candidates(rest[one], rest[other])
