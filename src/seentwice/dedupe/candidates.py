"""Candidates: pairs of pictures near enough by a hash or an embedding to be verified."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from seentwice.dedupe.findings import WHOLE, Coverage
from seentwice.dedupe.pictures import Indices
from seentwice.hamming import find_near_pairs, group_equal

FEW_EQUAL = 32
"""Up to so many pictures of one hash are compared each with each."""
_MOST_PAIRS = 1 << 20  # of a block


@dataclass(frozen=True, slots=True, eq=False)
class Candidates:
    """Pairs of pictures, each once."""

    left: Indices  # (m,)
    right: Indices  # (m,) above left
    scores: NDArray[np.float64] | None = None  # (m,) where they are known already
    coverage: Coverage = WHOLE  # of the near pairs that they are a part of


def iterate_hash_candidates(
    hashes: NDArray[np.uint64], pictures: Indices, most_bits: int, threads: int
) -> Iterator[Candidates]:
    """Yield the pairs of pictures at most `most_bits` apart by one hash, in blocks.

    So that k pictures of one hash do not make k² pairs, more than `FEW_EQUAL` of them are left to
    `list_shared`, and only so many are paired with those of a hash near theirs.

    Args:
        hashes: (k,) one of a picture each.
        pictures: (k,) whose hashes they are; one may have several.
        most_bits: 0 to 12.
        threads: how many compute.
    """
    unique, members, starts, counts = _group_members(hashes, pictures)
    yield _pair_equal(members, starts, counts)
    shown = np.minimum(counts, FEW_EQUAL)
    for near in find_near_pairs(unique, most_bits, threads):
        yield from _pair_members(members, starts, shown, near.low, near.high)


def pair_with_all(
    hashes: NDArray[np.uint64], pictures: Indices, is_new: NDArray[np.bool_], most_bits: int
) -> Iterator[Candidates]:
    """Yield the pairs at most `most_bits` apart of which one picture is new, in blocks.

    Each new one is compared with all: for a few this takes less than tables of all hashes.

    Args:
        hashes: (k,) one of a picture each.
        pictures: (k,) whose hashes they are; one may have several.
        is_new: (p,) of the pictures.
        most_bits: 0 to 64.
    """
    new = np.flatnonzero(is_new[pictures])
    step = max(1, _MOST_PAIRS // max(len(hashes), 1))
    for start in range(0, len(new), step):
        block = new[start : start + step]
        bits = np.bitwise_count(hashes[block, np.newaxis] ^ hashes)
        one, other = np.nonzero(bits <= most_bits)
        yield _in_order(pictures[block[one]], pictures[other])


def list_shared(hashes: NDArray[np.uint64], pictures: Indices) -> list[Indices]:
    """Return the pictures of each hash that more than `FEW_EQUAL` share, rising.

    Args:
        hashes: (k,) one of a picture each.
        pictures: (k,) whose hashes they are; one may have several.
    """
    _, members, starts, counts = _group_members(hashes, pictures)
    many = np.flatnonzero(counts > FEW_EQUAL).tolist()
    return [np.unique(members[starts[one] : starts[one] + counts[one]]) for one in many]


def _group_members(
    hashes: NDArray[np.uint64], pictures: Indices
) -> tuple[NDArray[np.uint64], Indices, Indices, Indices]:
    """Return the different hashes, their pictures one after the other, their starts and counts."""
    unique, inverse = group_equal(hashes)
    order = np.argsort(inverse, kind="stable")
    starts = np.searchsorted(inverse[order], np.arange(len(unique)))
    return unique, pictures[order], starts, np.diff(np.append(starts, len(order)))


def _pair_equal(members: Indices, starts: Indices, counts: Indices) -> Candidates:
    """Pair pictures of the same hash, each with each, where they are few."""
    left, right = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
    few = np.flatnonzero((counts > 1) & (counts <= FEW_EQUAL))
    for count in np.unique(counts[few]).tolist():
        at = starts[few[counts[few] == count]]
        one, other = np.triu_indices(count, 1)
        left.append(members[(at[:, np.newaxis] + one).reshape(-1)])
        right.append(members[(at[:, np.newaxis] + other).reshape(-1)])
    return _in_order(np.concatenate(left), np.concatenate(right))


def _in_order(one: Indices, other: Indices) -> Candidates:
    """Return pairs with the lower number left, without those of a picture and itself."""
    is_pair = one != other
    one, other = one[is_pair], other[is_pair]
    return Candidates(np.minimum(one, other), np.maximum(one, other))


def _pair_members(
    members: Indices, starts: Indices, counts: Indices, low: Indices, high: Indices
) -> Iterator[Candidates]:
    """Yield every pair of a picture of one hash and a picture of the other, of pairs of hashes."""
    pairs = counts[low] * counts[high]
    ends = np.cumsum(pairs)
    done = 0
    while done < len(pairs):
        before = ends[done] - pairs[done]
        stop = max(int(np.searchsorted(ends, before + _MOST_PAIRS, "right")), done + 1)
        one, other, each = low[done:stop], high[done:stop], pairs[done:stop]
        number = np.arange(each.sum()) - np.repeat(np.cumsum(each) - each, each)
        wide = np.repeat(counts[other], each)
        left = members[np.repeat(starts[one], each) + number // wide]
        right = members[np.repeat(starts[other], each) + number % wide]
        yield _in_order(left, right)
        done = stop
