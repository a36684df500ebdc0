"""A search that goes on from the last one finds what a search from nothing finds."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from seentwice.block_hashing import SIGNATURE_BYTES
from seentwice.dedupe.candidates import FEW_EQUAL
from seentwice.dedupe.looking import Looking
from seentwice.dedupe.matching import Matches
from seentwice.dedupe.pictures import Indices, PhotoTable
from seentwice.dedupe.search import Found, search_table
from seentwice.dedupe.settled import (
    RememberedScores,
    Settled,
    carry_over,
    find_kept_groups,
    read_settled,
    write_settled,
)
from seentwice.dedupe.turning import orient
from seentwice.dedupe.verify import HashVerifier, SearchSettings
from seentwice.index.store import PhotoStore

SETTINGS = SearchSettings(10, 0.5, same_pixels=False, max_pixels=10**6, workers=1)
SCENES = 4
COPIES = 12  # of a scene, each a bit further from it than the one before


def make_photos(numbers: NDArray[np.int64], names: NDArray[np.int64]) -> PhotoTable:
    """The table of photos: number n is copy n % COPIES of scene n // COPIES."""
    order = np.argsort(names, kind="stable")
    numbers, names = numbers[order], names[order]
    scene, copy = np.divmod(numbers, COPIES)
    rng = np.random.default_rng(0)
    hashes = rng.integers(0, 2**64, (SCENES + 1, 2), np.uint64)[scene]
    hashes ^= (np.uint64(1) << copy.astype(np.uint64))[:, np.newaxis] - np.uint64(1)
    tones = rng.integers(0, 200, (SCENES + 1, SIGNATURE_BYTES))[scene]
    blur = rng.integers(-6, 7, (COPIES, SIGNATURE_BYTES))[copy]
    signature = np.clip(tones + blur * copy[:, np.newaxis], 0, 255).astype(np.uint8)
    count = len(numbers)
    return PhotoTable(
        keys=pa.array([f"{name:06}-{at:06}".encode() for at, name in enumerate(names.tolist())]),
        size_bytes=np.full(count, 1_000),
        modified_ns=np.zeros(count, np.int64),
        sha256=numbers.astype(">u8").view(np.uint8).reshape(-1, 8).repeat(4, axis=1),
        width=np.full(count, 640, np.uint32),
        height=np.full(count, 480, np.uint32),
        hashes=hashes,
        signature=signature,
        has_content=np.ones(count, bool),
        is_own=np.zeros(count, bool),
    )


def search(store: PhotoStore, table: PhotoTable) -> Found:
    verifier = HashVerifier(table, orient(table.signature))
    return search_table(store, table, Path(), verifier, SETTINGS, None, lambda done, total: None)


def open_store(folder: Path) -> PhotoStore:
    return PhotoStore.open(folder, Looking(folder, "blocks", 10**6).meta, lambda: None)


def describe(found: Found) -> tuple[object, ...]:
    matches = found.matches
    return (
        [group.tolist() for group in found.groups],
        matches.left.tolist(),
        matches.right.tolist(),
        matches.scores.tolist(),
    )


PHOTOS = st.dictionaries(
    st.integers(0, SCENES * COPIES - 1), st.integers(0, 99), min_size=1, max_size=30
)


@settings(deadline=None, max_examples=60)
@given(runs=st.lists(PHOTOS, min_size=2, max_size=4))
def test_what_comes_goes_and_moves_is_found_as_from_nothing(
    tmp_path_factory: pytest.TempPathFactory, runs: list[dict[int, int]]
) -> None:
    folder = tmp_path_factory.mktemp("index")
    with open_store(folder / "kept") as kept:
        for number, photos in enumerate(runs):
            table = make_photos(np.array([*photos]), np.array([*photos.values()]))
            with open_store(folder / str(number)) as new:
                assert describe(search(kept, table)) == describe(search(new, table))


@pytest.mark.parametrize("before", [FEW_EQUAL - 2, FEW_EQUAL + 3])
@pytest.mark.parametrize("after", [FEW_EQUAL - 3, FEW_EQUAL + 5])
def test_a_hash_that_many_share_is_searched_as_from_nothing(
    tmp_path: Path, before: int, after: int
) -> None:
    def make(count: int) -> PhotoTable:
        numbers = np.append(np.arange(count), np.arange(40, 60))  # the others are the same
        table = make_photos(numbers, numbers)
        hashes = table.hashes.copy()
        hashes[:count] = hashes[0]
        return replace(table, hashes=hashes)

    with open_store(tmp_path / "kept") as kept, open_store(tmp_path / "new") as new:
        search(kept, make(before))
        assert describe(search(kept, make(after))) == describe(search(new, make(after)))


class CountingVerifier(HashVerifier):
    """Counts the pairs that it scores."""

    asked = 0

    def score(self, left: Indices, right: Indices) -> NDArray[np.float64]:
        self.asked += len(left)
        return super().score(left, right)


def count_scored(store: PhotoStore, numbers: NDArray[np.int64]) -> int:
    table = make_photos(numbers, numbers)
    verifier = CountingVerifier(table, orient(table.signature))
    search_table(store, table, Path(), verifier, SETTINGS, None, lambda done, total: None)
    return verifier.asked


def test_settled_pairs_are_not_scored_again(tmp_path: Path) -> None:
    every = np.arange(SCENES * COPIES)
    with open_store(tmp_path) as store:
        first = count_scored(store, every[1:])
        assert first > COPIES
        assert count_scored(store, every[1:]) == 0
        # One photo more: its pairs in its scene, some of them by two hashes.
        assert 0 < count_scored(store, every) < 5 * COPIES < first
        assert count_scored(store, every[2:]) == 0


def test_other_settings_begin_from_nothing(tmp_path: Path) -> None:
    table = make_photos(np.arange(9), np.arange(9))
    with open_store(tmp_path) as store:
        search(store, table)
        upright = HashVerifier(table, None)
        found = search_table(store, table, Path(), upright, SETTINGS, None, lambda *_: None)
        with open_store(tmp_path / "new") as new:
            again = search_table(new, table, Path(), upright, SETTINGS, None, lambda *_: None)
        assert describe(found) == describe(again)


def digests(kinds: str) -> NDArray[np.uint8]:
    return np.frombuffer("".join(kind * 32 for kind in kinds).encode(), np.uint8).reshape(-1, 32)


NO_PAIRS = Matches(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0))


@pytest.mark.parametrize(
    ("now", "before"),
    [
        ("abcd", [0, 1, 2, 3]),
        ("axbcd", [0, -1, 1, 2, 3]),
        ("bcd", [1, 2, 3]),
        ("dabc", [-1, 0, 1, 2]),  # one that has moved up, or down, alone is open
        ("bcda", [1, 2, 3, -1]),
    ],
)
def test_numbers_are_carried_over_in_their_order(now: str, before: list[int]) -> None:
    former = Settled(digests("abcd"), np.zeros(4, bool), NO_PAIRS, NO_PAIRS, np.arange(4))
    carried = carry_over(former, digests(now), np.zeros(len(now), bool))
    assert carried.before.tolist() == before


def test_groups_are_kept_where_nothing_came_or_went() -> None:
    matches = Matches(np.array([0, 1, 3]), np.array([1, 2, 4]), np.full(3, 0.9))
    former = Settled(
        digests("abcdef"), np.zeros(6, bool), matches, NO_PAIRS, np.array([0, 0, 0, 3, 3, 5])
    )
    carried = carry_over(former, digests("bcdeg"), np.zeros(5, bool))
    assert carried.matches.left.tolist() == [0, 2]
    is_kept, group_of = find_kept_groups(carried, carried.matches)
    assert is_kept.tolist() == [False, False, True, True, False]
    assert group_of[2:4].tolist() == [2, 2]


def test_a_known_score_is_not_asked_again() -> None:
    asked: list[tuple[int, int]] = []

    def score(left: Indices, right: Indices) -> NDArray[np.float64]:
        asked.extend(zip(left.tolist(), right.tolist(), strict=True))
        return left / 10 + right / 100

    known = Matches(np.array([4, 1]), np.array([5, 2]), np.array([0.45, 0.12]))
    scores = RememberedScores(score, known)
    found = scores(np.array([1, 1, 4]), np.array([2, 3, 5]))
    assert found == pytest.approx([0.12, 0.13, 0.45])
    assert asked == [(1, 3)]
    assert sorted(scores.known().scores.tolist()) == pytest.approx([0.12, 0.13, 0.45])


def test_what_is_settled_is_read_as_it_was_written(tmp_path: Path) -> None:
    pairs = Matches(np.array([0, 1]), np.array([2, 3]), np.array([0.5, 1.0]))
    settled = Settled(digests("abcd"), np.array([0, 1, 0, 0], bool), pairs, pairs, np.arange(4))
    with open_store(tmp_path) as store:
        assert not len(read_settled(store, "key").digests)
        write_settled(store, "key", settled)
        assert not len(read_settled(store, "another").digests)
        found = read_settled(store, "key")
    assert np.array_equal(found.digests, settled.digests)
    assert np.array_equal(found.is_crowded, settled.is_crowded)
    assert np.array_equal(found.group_of, settled.group_of)
    for name in ("matches", "asked"):
        for field in ("left", "right", "scores"):
            assert np.array_equal(getattr(getattr(found, name), field), getattr(pairs, field))
