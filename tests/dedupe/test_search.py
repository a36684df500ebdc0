from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from encoding import draw, encode
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from photo_tables import make_table
from PIL import Image

from seentwice.dedupe.candidates import Candidates
from seentwice.dedupe.folder import verify_by_hashes
from seentwice.dedupe.looking import Looking, look_at_file
from seentwice.dedupe.pictures import Indices, PhotoTable, group_same, read_table
from seentwice.dedupe.search import (
    allow_all,
    group_pictures,
    list_groups,
    match_pictures,
    search_table,
)
from seentwice.dedupe.verify import Explained, SearchSettings
from seentwice.index.store import PhotoStore

LIMIT = 1_000_000
SETTINGS = SearchSettings(6, 0.5, same_pixels=True, max_pixels=LIMIT, workers=2)


@dataclass(frozen=True, slots=True)
class KnownVerifier:
    """Scores photos by a table of all pairs."""

    scores: NDArray[np.float64]  # (n, n)

    def score(self, left: Indices, right: Indices) -> NDArray[np.float64]:
        return self.scores[left, right]

    def explain(self, left: Indices, right: Indices) -> Explained:
        raise NotImplementedError

    def iterate_candidates(self, photos: Indices, settings: SearchSettings) -> Iterator[Candidates]:
        left, right = np.triu_indices(len(photos), 1)
        for start in range(0, len(left), 5):
            yield Candidates(left[start : start + 5], right[start : start + 5])
            yield Candidates(left[start : start + 3], right[start : start + 3])


def digests(kinds: list[int]) -> NDArray[np.uint8]:
    return np.array(kinds, np.uint64).view(np.uint8).reshape(-1, 8)


@settings(deadline=None, max_examples=50)
@given(
    kinds=st.lists(st.integers(0, 6), min_size=1, max_size=12),
    likely=st.sets(st.tuples(st.integers(0, 6), st.integers(0, 6))),
    unlike=st.sets(st.tuples(st.integers(0, 11), st.integers(0, 11))),
)
def test_matches_are_the_likely_and_allowed_pairs_of_pictures(
    kinds: list[int], likely: set[tuple[int, int]], unlike: set[tuple[int, int]]
) -> None:
    pictures = group_same(digests(kinds))
    scores = np.zeros((len(kinds), len(kinds)))
    for one, other in combinations(range(len(kinds)), 2):
        ends = tuple(sorted((kinds[one], kinds[other])))
        scores[one, other] = scores[other, one] = 0.9 if ends in likely else 0.1

    def allow(left: Indices, right: Indices) -> NDArray[np.bool_]:
        pairs = zip(left.tolist(), right.tolist(), strict=True)
        return np.array([tuple(sorted(pair)) not in unlike for pair in pairs], bool)

    found = match_pictures(pictures, KnownVerifier(scores), SETTINGS, allow)
    first = pictures.first.tolist()
    is_several = [kinds.count(kinds[photo]) > 1 for photo in first]
    expected = [
        (one, other)
        for one, other in combinations(range(len(first)), 2)
        if scores[first[one], first[other]] >= 0.5
        and ((first[one], first[other]) not in unlike or is_several[one] or is_several[other])
    ]
    assert list(zip(found.left.tolist(), found.right.tolist(), strict=True)) == expected


def test_a_group_has_the_photos_of_its_pictures_and_of_pictures_alone() -> None:
    pictures = group_same(digests([3, 5, 3, 7, 8, 5, 9, 9, 6]))
    scores = np.zeros((9, 9))
    scores[1, 3] = scores[3, 1] = 0.8  # the pictures of 5 and 7
    verifier = KnownVerifier(scores)
    matches = match_pictures(pictures, verifier, SETTINGS, allow_all)
    groups = list_groups(pictures, group_pictures(pictures, matches, verifier))
    assert [group.tolist() for group in groups] == [[0, 2], [1, 3, 5], [6, 7]]


def put(folder: Path, photos: dict[str, Image.Image]) -> None:
    folder.mkdir()
    for name, photo in photos.items():
        (folder / name).write_bytes(encode(photo, "PNG" if name.endswith("png") else "BMP"))


def search(folder: Path, allow_same: bool = True) -> set[frozenset[str]]:
    looking = Looking(folder, "blocks", LIMIT)
    with PhotoStore.open(folder.parent / "index", looking.meta, lambda: None) as store:
        names = sorted(path.name for path in folder.iterdir())
        store.write([look_at_file(looking, name) for name in names])
        table = read_table(store)
        verifier = verify_by_hashes(is_turned=True)(store, table)

        def allow(left: Indices, right: Indices) -> NDArray[np.bool_]:
            return np.full(len(left), allow_same)

        found = search_table(
            store, table, folder, verifier, SETTINGS, allow, lambda done, total: None
        )
    return {frozenset(table.key(photo) for photo in group.tolist()) for group in found.groups}


def test_copies_are_found_among_strangers(tmp_path: Path) -> None:
    photos = {f"{seed}.png": draw(seed, 160, 120) for seed in range(8)}
    photos["0 again.png"] = photos["0.png"]
    photos["1 pixels.bmp"] = photos["1.png"]
    photos["2 small.png"] = photos["2.png"].resize((80, 60))
    photos["3 mirrored.png"] = photos["3.png"].transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    put(tmp_path / "photos", photos)
    same = [{"0.png", "0 again.png"}, {"1.png", "1 pixels.bmp"}]
    near = [{"2.png", "2 small.png"}, {"3.png", "3 mirrored.png"}]
    assert search(tmp_path / "photos") == set(map(frozenset, same + near))
    # What is no duplicate by rule is one still if it is the same picture.
    assert search(tmp_path / "photos", allow_same=False) == set(map(frozenset, same))


@pytest.mark.parametrize("count", [0, 1, 2])
def test_few_photos_have_no_groups(tmp_path: Path, count: int) -> None:
    put(tmp_path / "photos", {f"{seed}.png": draw(seed, 80, 60) for seed in range(count)})
    assert search(tmp_path / "photos") == set()


def test_the_table_need_not_hold_a_match() -> None:
    table: PhotoTable = make_table([draw(0, 64, 64), draw(1, 64, 64)])
    pictures = group_same(table.sha256)
    matches = match_pictures(pictures, KnownVerifier(np.zeros((2, 2))), SETTINGS, allow_all)
    alone = group_pictures(pictures, matches, KnownVerifier(np.zeros((2, 2))))
    assert list_groups(pictures, alone) == ()
