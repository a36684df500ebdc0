"""What the last search of a folder settled, so that the next one scores only what is new.

Whether two pictures match, and whether pictures that matches connect are one group, does not depend
on any other picture. So pairs of pictures that were there the last time are not looked for again,
and groups are kept where nothing came to them or went. The result is that of a search from nothing.

Two kinds of pictures are never settled: those that share a hash with so many others that not all of
their pairs are compared, and those whose place among the others has changed.
"""

from dataclasses import dataclass
from io import BytesIO

import numpy as np
from numpy.typing import NDArray

from seentwice.dedupe.groups import ScorePairs, label_components
from seentwice.dedupe.matching import Matches
from seentwice.dedupe.pictures import Indices
from seentwice.index.columns import find_rows
from seentwice.index.store import PhotoStore

MOST_ASKED = 1 << 22
"""Pairs that are no match and whose scores are kept, 100 MB of them."""
_NAME = "settled"
_FIELDS = ("left", "right", "scores")  # of `Matches`


@dataclass(frozen=True, slots=True, eq=False)
class Settled:
    """The pictures of one search, p of them in the order of their numbers, and what was found."""

    digests: NDArray[np.uint8]  # (p, 32) the sha256 of the file that stands for each
    is_crowded: NDArray[np.bool_]  # (p,) whether not all of its pairs were compared
    matches: Matches
    asked: Matches  # pairs that are no match and were scored to tell groups apart
    group_of: Indices  # (p,) the first picture of the group of each: itself where it is alone


@dataclass(frozen=True, slots=True, eq=False)
class Carried:
    """What a former search says of the pictures of this one, p of them."""

    before: Indices  # (p,) the former number of each, -1 of those that are not settled
    matches: Matches  # between settled ones
    asked: Matches  # likewise
    former: Settled


def carry_over(
    former: Settled, digests: NDArray[np.uint8], is_crowded: NDArray[np.bool_]
) -> Carried:
    """Return what a former search settles of the pictures of this one.

    Args:
        former: of the same settings.
        digests: (p, 32) of the pictures that are there now.
        is_crowded: (p,) whether not all pairs of each are compared.
    """
    before = find_rows(digests, former.digests)
    before[is_crowded] = -1
    before[np.append(former.is_crowded, False)[before]] = -1
    _forget_moved(before)
    now = _invert(before, len(former.digests))
    return Carried(before, _rename(former.matches, now), _rename(former.asked, now), former)


def _rename(pairs: Matches, now: Indices) -> Matches:
    """Return the pairs of pictures that are there now, by their numbers now."""
    left, right = now[pairs.left], now[pairs.right]
    is_kept = (left >= 0) & (right >= 0)
    return Matches(left[is_kept], right[is_kept], pairs.scores[is_kept])


def _invert(before: Indices, count: int) -> Indices:
    """Return the number now of each of `count` former pictures, -1 of those that are none."""
    now = np.full(count, -1)
    is_there = before >= 0
    now[before[is_there]] = np.flatnonzero(is_there)
    return now


def _forget_moved(before: Indices) -> None:
    """Set former numbers to -1 where they do not rise, in place: (p,), -1 of new pictures."""
    there = np.flatnonzero(before >= 0)
    numbers = before[there]
    # One picture that has moved up is above all that follow; one that moved down, below all before.
    is_above = numbers > np.minimum.accumulate(numbers[::-1])[::-1]
    is_below = numbers < np.maximum.accumulate(numbers)
    is_moved = is_above if np.count_nonzero(is_above) < np.count_nonzero(is_below) else is_below
    before[there[is_moved]] = -1


def find_kept_groups(carried: Carried, matches: Matches) -> tuple[NDArray[np.bool_], Indices]:
    """Find the pictures whose groups are those of the former search.

    They are the ones that matches connect now to the very pictures to which they did then.

    Args:
        carried: from the former search.
        matches: between all pictures, p of them.

    Returns:
        Whether the group of each is as it was (p,), and its first picture (p,), itself elsewhere.
    """
    former, before = carried.former, carried.before
    count, count_before = len(before), len(former.digests)
    label = label_components(count, matches.left, matches.right)
    label_before = label_components(count_before, former.matches.left, former.matches.right)
    then = np.append(label_before, -1)[before]
    least, most = np.full(count, count_before), np.full(count, -1)
    np.minimum.at(least, label, then)
    np.maximum.at(most, label, then)
    size = np.bincount(label, minlength=count)
    size_before = np.append(np.bincount(label_before, minlength=count_before), 0)
    # One former component, and all of it.
    is_same = (least >= 0) & (least == most) & (size == size_before[most])
    is_kept = is_same[label]
    group_of = np.arange(count)
    now = _invert(before, count_before)
    group_of[is_kept] = now[former.group_of[before[is_kept]]]
    return is_kept, group_of


class RememberedScores:
    """Scores pairs of pictures; called like what it is made of."""

    def __init__(self, score_pairs: ScorePairs, known: Matches) -> None:
        """Take what scores pairs, and those whose scores are known."""
        self._score_pairs = score_pairs
        self._parts = [known]
        code = _encode(known.left, known.right)
        order = np.argsort(code)
        self._codes, self._scores = code[order], known.scores[order]

    def __call__(self, left: Indices, right: Indices) -> NDArray[np.float64]:
        """Return the scores of pairs, (m,), (m,), left below right."""
        code = _encode(left, right)
        place = np.searchsorted(self._codes, code)
        is_known = np.append(self._codes, -1)[place] == code
        scores = np.empty(len(left))
        scores[is_known] = self._scores[place[is_known]]
        new = np.flatnonzero(~is_known)
        scores[new] = self._score_pairs(left[new], right[new])
        self._parts.append(Matches(left[new], right[new], scores[new]))
        return scores

    def known(self) -> Matches:
        """Return all pairs whose scores are known by now; of very many, the last `MOST_ASKED`."""
        left, right, scores = (
            np.concatenate([getattr(part, name) for part in self._parts])[-MOST_ASKED:]
            for name in ("left", "right", "scores")
        )
        return Matches(left, right, scores)


def _encode(left: Indices, right: Indices) -> Indices:
    """Return one number a pair."""
    return left << 32 | right


def write_settled(store: PhotoStore, key: str, settled: Settled) -> None:
    """Keep what a search settled in place of what the one before did.

    Args:
        store: of the photos.
        key: of all that the search depends on beside the photos.
        settled: what it found.

    Raises:
        UserError: the store cannot be written.
    """
    stream = BytesIO()
    np.savez(
        stream,
        key=np.array(key),
        digests=settled.digests,
        is_crowded=settled.is_crowded,
        group_of=settled.group_of,
        **{
            f"{name}_{field}": getattr(pairs, field)
            for name, pairs in (("matches", settled.matches), ("asked", settled.asked))
            for field in _FIELDS
        },
    )
    store.write_memo(_NAME, stream.getvalue())


def read_settled(store: PhotoStore, key: str) -> Settled:
    """Return what the last search settled: nothing where there was none, or one of another key.

    Args:
        store: of the photos.
        key: of all that the search depends on beside the photos.

    Raises:
        UserError: the store is damaged.
    """
    memo = store.read_memo(_NAME)
    if memo is not None:
        with np.load(BytesIO(memo), allow_pickle=False) as found:
            if str(found["key"]) == key:
                matches, asked = (
                    Matches(*(found[f"{name}_{field}"] for field in _FIELDS))
                    for name in ("matches", "asked")
                )
                return Settled(
                    found["digests"], found["is_crowded"], matches, asked, found["group_of"]
                )
    none = np.empty(0, np.int64)
    nothing = Matches(none, none, np.empty(0))
    return Settled(np.empty((0, 32), np.uint8), np.empty(0, bool), nothing, nothing, none)
