"""Pairs of photos are listed with the surest reason there is."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pytest
from encoding import draw
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from photo_tables import make_table
from PIL import Image

from seentwice.dedupe import pair_reasons
from seentwice.dedupe.candidates import Candidates
from seentwice.dedupe.findings import Evidence
from seentwice.dedupe.matching import Matches
from seentwice.dedupe.pair_reasons import describe_pair, explain_pairs, list_pair_matches
from seentwice.dedupe.pictures import Indices, group_same
from seentwice.dedupe.search import Found, allow_all
from seentwice.dedupe.verify import Explained, SearchSettings

PHOTOS = [draw(seed, 64, 48) for seed in range(6)] + [Image.new("RGB", (64, 48), "white")] * 2
TABLE = make_table(PHOTOS)
COUNT = len(PHOTOS)
ALONE = list(range(COUNT))


@dataclass(frozen=True, slots=True)
class NumberVerifier:
    """Scores a pair by its numbers; what has photo 4 is turned, what has photo 5 is embedded."""

    def score(self, left: Indices, right: Indices) -> NDArray[np.float64]:
        return self.explain(left, right).scores

    def explain(self, left: Indices, right: Indices) -> Explained:
        is_embedded = (left == 5) | (right == 5)
        return Explained(
            (10 * left + right) / 100,
            left + right,
            (left == 4) | (right == 4),
            np.where(is_embedded, 0.25, np.nan),
            is_embedded,
        )

    def iterate_candidates(self, photos: Indices, settings: SearchSettings) -> Iterator[Candidates]:
        raise NotImplementedError


def find(
    by_bytes: list[int], by_pixels: list[int], matches: list[tuple[int, int]] | None = None
) -> Found:
    """What a search found, given the picture of each photo and the pictures that match."""
    rows = [np.array(kinds, np.uint64).view(np.uint8) for kinds in (by_bytes, by_pixels)]
    pictures = [group_same(each.reshape(-1, 8)) for each in rows]
    columns = np.array(matches or [], np.int64).reshape(-1, 2)
    scores = np.ones(len(columns))
    return Found(TABLE, *pictures, (), Matches(columns[:, 0], columns[:, 1], scores))


def test_the_reason_is_the_surest_and_what_is_the_same_is_sure() -> None:
    found = find([0, 0, 2, 3, 4, 5, 6, 7], [0, 0, 0, 3, 4, 5, 6, 6])
    left = np.array([0, 0, 0, 0, 3, 4, 6, 3])
    right = np.array([1, 2, 3, 4, 5, 5, 7, 6])
    pairs = explain_pairs(found, NumberVerifier(), left, right)
    told = [describe_pair(TABLE, pairs, pair) for pair in range(len(left))]
    assert [match.evidence for match in told] == [
        (Evidence.SAME_BYTES,),
        (Evidence.SAME_PIXELS,),
        (Evidence.NEAR_HASHES,),
        (Evidence.NEAR_ONCE_TURNED,),
        (Evidence.NEAR_EMBEDDINGS,),
        (Evidence.NEAR_EMBEDDINGS,),
        (Evidence.SAME_PIXELS,),
        (Evidence.NEAR_HASHES,),
    ]
    assert [match.score for match in told] == pytest.approx([1, 1, 0.03, 0.04, 0.35, 0.45, 1, 0.36])
    assert [match.similarity for match in told] == [None] * 4 + [0.25] * 2 + [None] * 2
    # Of a blank photo hashes tell nothing.
    assert [match.hash_bits for match in told] == [1, 2, 3, 4, 8, 9, None, None]
    assert (told[2].left, told[2].right) == ("000.png", "003.png")


@given(
    kinds=st.lists(st.integers(0, 3), min_size=COUNT, max_size=COUNT),
    likely=st.sets(st.tuples(st.integers(0, 3), st.integers(0, 3))),
    unlike=st.sets(st.tuples(st.integers(0, COUNT), st.integers(0, COUNT))),
    most=st.integers(1, COUNT),
)
def test_every_allowed_pair_of_a_picture_and_of_two_that_match_is_listed(
    kinds: list[int],
    likely: set[tuple[int, int]],
    unlike: set[tuple[int, int]],
    most: int,
) -> None:
    pictures = find(kinds, kinds).pictures.of_photo.tolist()
    matches = sorted(pair for pair in combinations(range(max(pictures) + 1), 2) if pair in likely)
    found = find(kinds, kinds, matches)

    def is_unlike(one: int, other: int) -> bool:
        return (min(one, other), max(one, other)) in unlike

    def allow(left: Indices, right: Indices) -> NDArray[np.bool_]:
        pairs = zip(left.tolist(), right.tolist(), strict=True)
        return np.array([not is_unlike(*pair) for pair in pairs], bool)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pair_reasons, "MOST_COPIES", most)
        listed = list_pair_matches(found, NumberVerifier(), allow)
    expected = {
        (TABLE.key(one), TABLE.key(other))
        for one, other in combinations(range(COUNT), 2)
        if not is_unlike(one, other)
        and max(pictures.count(pictures[one]), pictures.count(pictures[other])) <= most
        and (
            pictures[one] == pictures[other]
            or tuple(sorted((pictures[one], pictures[other]))) in matches
        )
    }
    assert {tuple(sorted((match.left, match.right))) for match in listed} == expected
    assert len(listed) == len(expected)


def test_without_pairs_nothing_is_listed() -> None:
    assert list_pair_matches(find(ALONE, ALONE), NumberVerifier(), allow_all) == ()
