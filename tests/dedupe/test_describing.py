from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from encoding import draw
from numpy.typing import NDArray
from photo_tables import make_table
from PIL import Image

from seentwice.dedupe.candidates import Candidates
from seentwice.dedupe.describing import describe_found
from seentwice.dedupe.findings import Duplicates, Evidence, FoundPhoto
from seentwice.dedupe.matching import Matches
from seentwice.dedupe.pictures import Indices, PhotoTable, group_same
from seentwice.dedupe.search import Found
from seentwice.dedupe.verify import Explained, SearchSettings
from seentwice.records import Reason, Unreadable

ROOT = Path("/photos")
SETTINGS = SearchSettings(6, 0.5, same_pixels=True, max_pixels=1_000_000, workers=1)
PHOTOS = [draw(seed, 64 - seed, 48) for seed in range(8)] + [
    Image.new("RGB", (64, 48), "white")
] * 2
TABLE = make_table(PHOTOS)
Scores = dict[tuple[int, int], float]


@dataclass(frozen=True, slots=True)
class KnownVerifier:
    """Scores photos by a table of all pairs; a pair with photo 5 is turned, one with 6 embedded."""

    scores: Scores

    def score(self, left: Indices, right: Indices) -> NDArray[np.float64]:
        return self.explain(left, right).scores

    def explain(self, left: Indices, right: Indices) -> Explained:
        is_embedded = (left == 6) | (right == 6)
        pairs = [tuple(sorted(pair)) for pair in zip(left.tolist(), right.tolist(), strict=True)]
        return Explained(
            np.array([self.scores.get(pair, 0.0) for pair in pairs]),
            (left + right).astype(np.int64),
            (left == 5) | (right == 5),
            np.where(is_embedded, 0.75, np.nan),
            is_embedded,
        )

    def iterate_candidates(self, photos: Indices, settings: SearchSettings) -> Iterator[Candidates]:
        raise NotImplementedError


def number(kinds: list[int]) -> NDArray[np.uint8]:
    return np.array(kinds, np.uint64).view(np.uint8).reshape(-1, 8)


def describe(
    by_bytes: list[int],
    by_pixels: list[int],
    groups: list[list[int]],
    scores: Scores,
    keep: str = "largest",
    table: PhotoTable = TABLE,
) -> Duplicates:
    """Describe groups of photos, given the picture of each."""
    pictures = group_same(number(by_pixels))
    at = pictures.of_photo
    matches = sorted({tuple(sorted((int(at[a]), int(at[b])))) for a, b in scores})
    columns = np.array(matches, np.int64).reshape(-1, 2)
    found = Found(
        table,
        group_same(number(by_bytes)),
        pictures,
        tuple(np.array(group) for group in groups),
        Matches(columns[:, 0], columns[:, 1], np.ones(len(columns))),
    )
    unreadable = [Unreadable(ROOT / "bad.jpg", Reason.DAMAGED, "a word")]
    return describe_found(found, KnownVerifier(scores), ROOT, keep, SETTINGS, unreadable)


ALONE = list(range(10))


def test_a_group_has_the_photo_to_keep_first_and_a_match_of_each_other_with_it() -> None:
    scores = {(1, 3): 0.7, (3, 4): 0.6, (1, 4): 0.9}
    found = describe(ALONE, ALONE, [[1, 3, 4]], scores)
    (group,) = found.groups
    assert [photo.key for photo in group.photos] == ["001.png", "003.png", "004.png"]
    assert [(match.left, match.right, match.score) for match in group.matches] == [
        ("001.png", "004.png", 0.9),
        ("001.png", "003.png", 0.7),
    ]
    assert [match.hash_bits for match in group.matches] == [5, 4]
    assert {match.evidence for match in group.matches} == {(Evidence.NEAR_HASHES,)}
    assert found.links == ()
    assert (found.searched, found.without_content) == (10, 2)
    assert [problem.path.name for problem in found.unreadable] == ["bad.jpg"]


def test_a_photo_is_described_by_its_row() -> None:
    (group,) = describe(ALONE, ALONE, [[2, 3]], {(2, 3): 0.8}).groups
    assert group.photos[0] == FoundPhoto(
        key="002.png",
        path=ROOT / "002.png",
        width=62,
        height=48,
        size_bytes=102,
        modified_seconds=1007 / 1e9,
        sha256=TABLE.sha256[2].tobytes().hex(),
    )


def test_the_oldest_is_kept_where_it_is_asked_for() -> None:
    (group,) = describe(ALONE, ALONE, [[1, 3, 4]], {(1, 4): 0.9, (3, 4): 0.8}, "oldest").groups
    assert [photo.key for photo in group.photos] == ["004.png", "001.png", "003.png"]
    assert {match.left for match in group.matches} == {"004.png"}


def test_evidence_is_the_surest_there_is() -> None:
    by_bytes = [0, 0, 2, 3, 4, 5, 6, 7, 8, 8]
    by_pixels = [0, 0, 0, 3, 4, 5, 6, 7, 8, 8]
    scores = {(0, 3): 0.9, (0, 5): 0.8, (0, 6): 0.7}
    found = describe(by_bytes, by_pixels, [[0, 1, 2, 3, 5, 6], [8, 9]], scores)
    evidence = {match.right: (match.evidence[0], match.score) for match in found.groups[0].matches}
    assert evidence == {
        "001.png": (Evidence.SAME_BYTES, 1.0),
        "002.png": (Evidence.SAME_PIXELS, 1.0),
        "003.png": (Evidence.NEAR_HASHES, 0.9),
        "005.png": (Evidence.NEAR_ONCE_TURNED, 0.8),
        "006.png": (Evidence.NEAR_EMBEDDINGS, 0.7),
    }
    similarity = {match.right: match.similarity for match in found.groups[0].matches}
    assert similarity["006.png"] == 0.75
    assert similarity["003.png"] is None
    (blank,) = found.groups[1].matches
    assert (blank.evidence, blank.score, blank.hash_bits) == ((Evidence.SAME_BYTES,), 1.0, None)


def test_a_photo_that_does_not_match_the_kept_one_has_its_surest_match() -> None:
    scores = {(1, 2): 0.9, (1, 4): 0.3, (2, 4): 0.7, (3, 4): 0.8, (1, 3): 0.6, (2, 3): 0.55}
    (group,) = describe(ALONE, ALONE, [[1, 2, 3, 4]], scores).groups
    assert [(match.left, match.right) for match in group.matches] == [
        ("001.png", "002.png"),
        ("003.png", "004.png"),
        ("001.png", "003.png"),
    ]
    scores[2, 4] = 0.8  # as sure: the lower number tells
    (group,) = describe(ALONE, ALONE, [[1, 2, 3, 4]], scores).groups
    assert ("002.png", "004.png") in [(match.left, match.right) for match in group.matches]


def test_the_largest_group_is_first_then_that_of_the_first_key() -> None:
    scores = {(0, 7): 0.9, (1, 2): 0.9, (3, 4): 0.9, (4, 5): 0.9, (3, 5): 0.9}
    found = describe(ALONE, ALONE, [[0, 7], [1, 2], [3, 4, 5]], scores)
    assert [group.photos[0].key for group in found.groups] == ["003.png", "000.png", "001.png"]


def test_matches_beside_the_groups_are_links_the_surest_first() -> None:
    scores = {(0, 1): 0.9, (1, 2): 0.6, (3, 4): 0.7, (2, 6): 0.7}
    found = describe(ALONE, ALONE, [[0, 1], [2, 7]], scores | {(2, 7): 0.8})
    assert [(link.left, link.right, link.score) for link in found.links] == [
        ("002.png", "006.png", 0.7),
        ("003.png", "004.png", 0.7),
        ("001.png", "002.png", 0.6),
    ]


def test_without_groups_there_is_nothing_but_what_was_searched() -> None:
    found = describe(ALONE, ALONE, [], {})
    assert (found.groups, found.links, found.searched, found.root) == ((), (), 10, ROOT)
    table = make_table([])
    empty = describe([], [], [], {}, table=table)
    assert (empty.groups, empty.links, empty.searched) == ((), (), 0)
