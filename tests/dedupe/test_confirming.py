"""Groups that only embeddings make hold where key points confirm them."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from encoding import encode
from numpy.typing import NDArray
from photo_tables import all_pairs, make_table
from PIL import Image

from seentwice.dedupe.candidates import Candidates
from seentwice.dedupe.confirming import PAIR_TRIES, SET_TRIES, confirm_groups, join_sets
from seentwice.dedupe.matching import Matches
from seentwice.dedupe.pictures import Indices, group_same
from seentwice.dedupe.search import Found
from seentwice.dedupe.verify import Explained, SearchSettings
from seentwice.photos import read_photo


def count_tries(tries: list[tuple[int, int]], same: set[tuple[int, int]]):
    def confirm(one: int, other: int) -> bool:
        tries.append((one, other))
        return (one, other) in same

    return confirm


def test_sets_that_one_match_confirms_are_one() -> None:
    tries: list[tuple[int, int]] = []
    set_of = np.array([0, 0, 1, 1, 2])
    pairs = [(0, 2), (1, 3), (2, 4), (0, 4), (1, 2)]
    joined = join_sets(pairs, set_of, count_tries(tries, {(1, 3), (2, 4)}))
    assert joined == [(0, 1), (1, 2)]
    assert tries == [(0, 2), (1, 3), (2, 4)]  # what is one by now is not looked at


def test_few_matches_of_two_sets_are_looked_at() -> None:
    tries: list[tuple[int, int]] = []
    set_of = np.repeat([0, 1], 5)
    pairs = [(one, other) for one in range(5) for other in range(5, 10)]
    assert join_sets(pairs, set_of, count_tries(tries, set())) == []
    assert len(tries) == PAIR_TRIES


def test_few_matches_of_one_set_are_looked_at() -> None:
    tries: list[tuple[int, int]] = []
    count = 40
    left, right = all_pairs(count)
    pairs = list(zip(left.tolist(), right.tolist(), strict=True))
    join_sets(pairs, np.arange(count), count_tries(tries, set()))
    assert len(tries) <= SET_TRIES * count


@dataclass(frozen=True, slots=True)
class Embedded:
    """Knows of some pairs that hashes show them; all others embeddings do."""

    by_hashes: set[tuple[int, int]]

    def score(self, left: Indices, right: Indices) -> NDArray[np.float64]:
        raise NotImplementedError

    def explain(self, left: Indices, right: Indices) -> Explained:
        pairs = zip(left.tolist(), right.tolist(), strict=True)
        is_embedded = np.array([pair not in self.by_hashes for pair in pairs], bool)
        nothing = np.zeros(len(left))
        bits = np.zeros(len(left), np.int64)
        return Explained(nothing, bits, nothing > 0, nothing, is_embedded)

    def iterate_candidates(self, photos: Indices, settings: SearchSettings) -> Iterator[Candidates]:
        raise NotImplementedError


@pytest.fixture
def shown(tmp_path: Path, few_rooms: Path) -> list[Image.Image]:
    """Two rooms; a crop of the first, a brighter one of the second, and a third room."""
    rooms = [read_photo(path, 10**8) for path in sorted(few_rooms.rglob("*.jpg"))[::9][:3]]
    width, height = rooms[0].size
    crop = rooms[0].crop((width // 8, height // 8, width, height))
    photos = [rooms[0], crop, rooms[1], rooms[1].point(lambda tone: min(255, tone + 30)), rooms[2]]
    for number, photo in enumerate(photos):
        (tmp_path / f"{number:03}.png").write_bytes(encode(photo, "PNG"))
    return photos


def confirm(
    folder: Path, photos: list[Image.Image], by_hashes: set[tuple[int, int]]
) -> tuple[list[list[int]], set[tuple[int, int]], set[tuple[int, int]]]:
    """Confirm one group of all photos, of which all pairs match."""
    pytest.importorskip("cv2")
    table = make_table(photos)
    pictures = group_same(table.sha256)
    left, right = all_pairs(len(photos))
    matches = Matches(left, right, np.linspace(0.9, 0.6, len(left)))
    found = Found(table, pictures, pictures, (np.arange(len(photos)),), matches)
    done: list[int] = []
    confirmed = confirm_groups(
        found, Embedded(by_hashes), folder, 10**8, 2, lambda count, total: done.append(total)
    )
    assert done == [1]
    pairs = [
        set(zip(some.left.tolist(), some.right.tolist(), strict=True))
        for some in (confirmed.matches, confirmed.unconfirmed)
    ]
    assert len(confirmed.matches.scores) + len(confirmed.unconfirmed.scores) == len(left)
    return [group.tolist() for group in confirmed.groups], pairs[0], pairs[1]


def test_other_rooms_leave_a_group_that_embeddings_made(
    tmp_path: Path, shown: list[Image.Image]
) -> None:
    groups, matches, unconfirmed = confirm(tmp_path, shown, set())
    assert groups == [[0, 1], [2, 3]]
    assert matches == {(0, 1), (2, 3)}
    assert len(unconfirmed) == 8


def test_what_hashes_show_needs_no_key_points(tmp_path: Path, shown: list[Image.Image]) -> None:
    groups, matches, unconfirmed = confirm(tmp_path, shown, {(1, 4), (2, 4)})
    assert groups == [[0, 1, 2, 3, 4]]
    assert len(matches) == 10
    assert not unconfirmed


def test_a_photo_that_is_gone_confirms_nothing(tmp_path: Path, shown: list[Image.Image]) -> None:
    (tmp_path / "001.png").unlink()
    groups, _, _ = confirm(tmp_path, shown, set())
    assert groups == [[2, 3]]
